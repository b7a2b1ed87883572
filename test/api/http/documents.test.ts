import { afterAll, beforeAll, expect, it } from 'vitest';
import { pushes, requests } from '../../../src/protocol/v2.js';
import { startWebServer, type WebServer } from '../../support/webServer.js';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly responses?: Record<string, unknown>;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

/** The router's own word on what it serves: `path (METHOD, METHOD)` per line of its tree. */
function servedRoutes(): Set<string> {
  const served = new Set<string>();
  const trail: string[] = [];
  for (const line of server.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', part = '', methods = ''] =
      /^([│├└─\s]*)(.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    const depth = Math.floor(indent.length / 4);
    trail.length = Math.max(0, depth - 1);
    trail.push(part);
    for (const method of methods.split(', ').filter((each) => each !== '' && each !== 'HEAD'))
      // The rest of an address has a name in the documents.
      served.add(`${method} ${trail.join('').replace(/\/?\*$/, '/:path')}`);
  }
  // The tree leaves out what comes before the rest of an address where that is no route itself.
  served.delete('GET /api/:path');
  for (const place of ['/download', '/api/thumbnails'])
    if (server.app.hasRoute({ method: 'GET', url: `${place}/*` })) served.add(`GET ${place}/:path`);
  return served;
}

it('describes every route of the API, and none that is not there', async () => {
  const document = (await server.app.inject({ url: '/api/openapi.json' })).json<OpenApi>();
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries(document.paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .map((each) => each.replaceAll(/\{(\w+)\}/g, ':$1'));
  // What is fetched by hand of the page or by a socket is no part of the API.
  const hidden =
    /^(?:OPTIONS |GET (?:\/|\/assets\/:path|\/api|\/ws|\/api\/v1|\/api\/v1\/ws|\/api\/v2|\/docs.*)$)/;
  const served = [...servedRoutes()].filter((each) => !hidden.test(each));
  expect(served.length).toBeGreaterThan(60);
  expect(described.sort()).toEqual(served.sort());
});

it('says of every route what it is for, who may use it, what it answers, and its parameters', async () => {
  const { paths } = (await server.app.inject({ url: '/api/openapi.json' })).json<OpenApi>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      expect([where, operation.summary?.length ?? 0]).not.toEqual([where, 0]);
      expect([where, operation.description]).toEqual([
        where,
        expect.stringMatching(/Takes|log-in|logged in|For whoever/),
      ]);
      expect([where, operation.tags?.length]).toEqual([where, 1]);
      expect([where, Object.keys(operation.responses ?? {}).some((status) => /^2/.test(status))]).toEqual([
        where,
        true,
      ]);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? [])
        .filter((each) => each.in === 'path')
        .map(({ name }) => name);
      expect([where, declared]).toEqual([where, named]);
    }
});

it('describes every message of the WebSocket protocol', async () => {
  const document = (await server.app.inject({ url: '/api/asyncapi.json' })).json<{
    asyncapi: string;
    channels: Record<string, { address: string; messages: Record<string, { $ref: string }> }>;
    operations: Record<string, { messages: { $ref: string }[] }>;
    components: { messages: Record<string, { payload: object }> };
  }>();
  expect(document.asyncapi).toBe('3.0.0');
  const expected = [
    ...Object.keys(requests).map((op) => `${op}Request`),
    'answer',
    'error',
    ...Object.keys(pushes),
  ];
  expect(Object.keys(document.channels['v2']?.messages ?? {}).sort()).toEqual(expected.sort());
  expect(Object.values(document.channels).map(({ address }) => address)).toEqual(['/api/v2', '/api/v1']);
  const known = new Set(
    Object.keys(document.components.messages).map((name) => `#/components/messages/${name}`),
  );
  for (const { messages } of Object.values(document.channels))
    for (const { $ref } of Object.values(messages)) expect(known).toContain($ref);
  for (const [op, schema] of Object.entries(requests))
    expect(document.components.messages[`${op}Request`]?.payload).toMatchObject({
      required: schema.required,
      additionalProperties: false,
    });
});

it('shows the documents in a page that needs nothing from elsewhere', async () => {
  const page = await server.app.inject({ url: '/docs/' });
  const landing = page.statusCode === 200 ? page : await server.app.inject({ url: '/docs' });
  expect(landing.statusCode).toBe(200);
  const resources = [...landing.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
  expect(resources.length).toBeGreaterThan(3);
  for (const url of resources) {
    expect(url).toMatch(/^(?:\/docs\/|\.\/)/);
    expect((await server.app.inject({ url: url.replace(/^\.\//, '/docs/') })).statusCode).toBe(200);
  }
  // Everything the page runs is a file of ours: the policy allows no script within the page.
  expect(landing.body).not.toMatch(/<script(?![^>]*src=)/);
  expect(landing.headers['content-security-policy']).toContain("default-src 'self'");
  const initializer = await server.app.inject({ url: '/docs/static/swagger-initializer.js' });
  expect(initializer.body.replaceAll(/\/\/ .*/g, '')).not.toMatch(/https?:\/\//);
});

it('is careful on plain HTTP: no upgrade, no HSTS, nothing that a local device could not keep', async () => {
  const { headers } = await server.app.inject({ url: '/livez' });
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  });
  expect(headers['strict-transport-security']).toBeUndefined();
  expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
  expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
});
