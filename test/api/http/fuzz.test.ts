import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bearer, startWebServer, type WebServer } from '../../support/webServer.js';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
  // The log-ins of the start are noted with their accounts a little later.
  await server.services.store.settle();
});
afterAll(() => server.stop());

const routes = (): { method: 'GET'; path: string }[] => {
  const { paths } = server.app.swagger() as unknown as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase() as 'GET', path })),
    )
    .filter(({ path }) => !/follow|logout/.test(path));
};

/** Strings that have hurt others: prototypes, markup, paths, numbers that are none. */
const nasty = fc.constantFrom(
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '../../etc/passwd',
    '%00',
    '<script>',
    "' OR 1=1",
  ],
  ...['users', 'credentials', 'brightness', 'streamBitrate', 'NaN', '1e999', '😀', '\u0000', 'a'.repeat(600)],
);
const word = fc.oneof(nasty, fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }));
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 }),
  fc.record({ set: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }) }),
  fc.record({ value: fc.jsonValue({ maxDepth: 3 }) }),
);
const body = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 200 }),
  word,
);
const type = fc.constantFrom(
  ...['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/merge-patch+json'],
  ...['', 'multipart/form-data; boundary=x', 'nonsense', 'application/json; charset=utf-16'],
);

it('whatever is sent, nothing breaks, and nothing changes that was refused or not allowed', async () => {
  const all = routes();
  const { store } = server.services;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        route: fc.nat({ max: all.length - 1 }),
        parameter: word,
        payload: fc.option(body, { nil: undefined }),
        contentType: type,
        // Whoever may write could really change things; operators and viewers show what a refusal leaves behind.
        role: fc.constantFrom('operator' as const, 'viewer' as const, 'guest' as const),
        query: fc.dictionary(word, word, { maxKeys: 3 }),
      }),
      async ({ route, parameter, payload, contentType, role, query }) => {
        const { method, path } = all[route] ?? { method: 'GET' as const, path: '/' };
        const before = store.snapshot();
        const answer = await server.app.inject({
          method,
          url: path.replaceAll(/\{\w+\}/g, encodeURIComponent(parameter.replaceAll(/[\uD800-\uDFFF]/g, ''))),
          query: Object.fromEntries(Object.entries(query).filter(([name]) => name !== 'token')),
          headers: {
            ...bearer(server.tokens[role]),
            ...(contentType === '' ? {} : { 'content-type': contentType }),
          },
          ...(payload === undefined ? {} : { payload }),
        });
        const documented =
          path === '/api/webrtc/offer' || /UNAVAILABLE|CAMERA_NOT_CONNECTED/.test(answer.body);
        expect(answer.statusCode === 503 ? documented : answer.statusCode < 500).toBe(true);
        if (answer.statusCode >= 400) {
          expect(answer.json()).toMatchObject({ error: { code: expect.any(String) as string } });
          const { values } = store.snapshot();
          const different = Object.entries(values).filter(
            ([key, value]) => !isDeepStrictEqual(value, before.values[key as keyof typeof values]),
          );
          expect(different).toEqual([]);
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect({}).not.toHaveProperty('polluted');
  expect(Object.keys(Object.prototype)).toEqual([]);
});
