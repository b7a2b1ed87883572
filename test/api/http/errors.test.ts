import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../../src/store/actor.js';
import { bearer, basic, startWebServer, type WebServer } from '../../support/webServer.js';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly key?: string;
    readonly details?: unknown;
    readonly timestamp: string;
  };
}
const json = { 'content-type': 'application/json' };

describe('every refusal has one shape and the right status', () => {
  const cases = [
    ['400 for a body that is no JSON', 'PATCH', '/api/state', '{"set":', 400, 'INVALID_REQUEST'],
    ['400 for a body that misses what is needed', 'PATCH', '/api/state', '{}', 400, 'INVALID_REQUEST'],
    ['400 for a member that nobody knows', 'PATCH', '/api/state', '{"set":{},"x":1}', 400, 'INVALID_REQUEST'],
    ['400 for 1 in place of true', 'PATCH', '/api/state', '{"set":{},"dryRun":1}', 400, 'INVALID_REQUEST'],
    [
      '400 for a body that touches prototypes',
      'PATCH',
      '/api/state',
      '{"set":{"__proto__":{"a":1}}}',
      400,
      'INVALID_REQUEST',
    ],
    [
      '400 for a body nested beyond reason',
      'PUT',
      '/api/settings/brightness',
      '['.repeat(5000),
      400,
      'INVALID_REQUEST',
    ],
    ['404 for a path that is not there', 'GET', '/api/nothing', undefined, 404, 'NOT_FOUND'],
    ['404 for a key that is not there', 'PUT', '/api/state/nothing', '{"value":1}', 404, 'UNKNOWN_KEY'],
    [
      '404 for a key named as a method of objects',
      'GET',
      '/api/state/toString',
      undefined,
      404,
      'UNKNOWN_KEY',
    ],
    ['404 for a section that is not there', 'GET', '/api/config/nothing', undefined, 404, 'NOT_FOUND'],
    [
      '409 for a revision that is overtaken',
      'PATCH',
      '/api/state',
      '{"set":{"contrast":3},"ifRevision":0}',
      409,
      'CONFLICT',
    ],
    ['413 for a body that is too large', 'PATCH', '/api/state', `"${'x'.repeat(300_000)}"`, 413, 'TOO_LARGE'],
    ['422 for a value out of range', 'PUT', '/api/state/brightness', '{"value":101}', 422, 'INVALID_VALUE'],
    [
      '422 for true where a number belongs',
      'PUT',
      '/api/state/brightness',
      '{"value":true}',
      422,
      'INVALID_VALUE',
    ],
    [
      '503 for WebRTC while it is off',
      'POST',
      '/api/webrtc/offer',
      '{"type":"offer","sdp":"v=0"}',
      503,
      'WEBRTC_DISABLED',
    ],
  ] as const;
  it.each(cases)('%s', async (_name, method, url, payload, status, code) => {
    await server.services.store.transact(systemActor(), { contrast: 41 });
    await server.services.store.transact(systemActor(), { contrast: 42 });
    const before = server.services.store.revision;
    const answer = await server.app.inject({
      method,
      url,
      headers: { ...bearer(server.tokens.administrator), ...(payload === undefined ? {} : json) },
      ...(payload === undefined ? {} : { payload }),
    });
    expect(answer.statusCode).toBe(status);
    const { error } = answer.json<ErrorBody>();
    expect(error).toMatchObject({ code, message: expect.any(String) as string });
    expect(Date.parse(error.timestamp)).not.toBeNaN();
    expect(server.services.store.revision).toBe(before);
  });

  it('415 for a content type that says nothing the API takes', async () => {
    const answer = await server.app.inject({
      method: 'PATCH',
      url: '/api/state',
      headers: { ...bearer(server.tokens.administrator), 'content-type': 'image/png' },
      payload: 'x',
    });
    expect(answer.statusCode).toBe(415);
    expect(answer.json<ErrorBody>().error.code).toBe('UNSUPPORTED_MEDIA_TYPE');
  });

  it('names the key, and all that is wrong where it is more than one thing', async () => {
    const answer = await server.app.inject({
      method: 'PATCH',
      url: '/api/state',
      headers: bearer(server.tokens.administrator),
      payload: { set: { brightness: 200, contrast: -1 } },
    });
    expect(answer.statusCode).toBe(422);
    const { error } = answer.json<ErrorBody>();
    expect(error.key).toBe('brightness');
    expect(error.message).toContain('100');
    expect(error.details).toMatchObject({ errors: [{ key: 'brightness' }, { key: 'contrast' }] });
  });

  it('says 429 with the time to wait, in the words of all clients', async () => {
    const { store } = server.services;
    const before = store.get('rateLimits');
    await store.transact(systemActor(), { rateLimits: { ...before, apiPerSecond: 2 } });
    try {
      const answers = [];
      for (let round = 0; round < 6; round += 1)
        answers.push(await server.app.inject({ url: '/api/state', remoteAddress: '198.51.100.7' }));
      const refused = answers.find(({ statusCode }) => statusCode === 429);
      expect(refused?.headers).toMatchObject({ 'retry-after': '1', 'x-ratelimit-limit': '2' });
      expect(refused?.headers['x-ratelimit-remaining']).toBe('0');
      expect(Number(refused?.headers['x-ratelimit-reset'])).toBeGreaterThan(1_700_000_000);
      expect(refused?.json()).toMatchObject({ error: { code: 'RATE_LIMITED' }, limit: 2, retry_after: 1 });
      const other = await server.app.inject({ url: '/api/me', remoteAddress: '198.51.100.8' });
      expect(other.statusCode).toBe(200);
      for (let round = 0; round < 6; round += 1)
        for (const url of ['/livez', '/readyz', '/health'])
          expect((await server.app.inject({ url, remoteAddress: '198.51.100.7' })).statusCode).toBe(200);
    } finally {
      await store.transact(systemActor(), { rateLimits: before });
    }
  });
});

describe('who asks without rights', () => {
  it('is asked to log in where nobody knows them, by Basic and by Digest', async () => {
    const answer = await server.app.inject({ url: '/api/state' });
    expect(answer.statusCode).toBe(401);
    expect(answer.json<ErrorBody>().error.code).toBe('INVALID_CREDENTIALS');
    const challenges = [answer.headers['www-authenticate']].flat().join('\n');
    expect(challenges).toMatch(/^Basic /);
    expect(challenges).toMatch(/^Digest .*algorithm=MD5/m);
  });

  it.each([{ 'x-requested-with': 'fetch' }, { 'sec-fetch-mode': 'cors' }])(
    'gets no window from the browser when a page asks (%o)',
    async (headers) => {
      const answer = await server.app.inject({ url: '/api/state', headers });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBeUndefined();
    },
  );

  it('gets 401 for wrong credentials, never the rights of nobody', async () => {
    for (const headers of [
      bearer('nonsense'),
      basic('viewer', 'wrong'),
      { 'x-api-key': 'nonsense' },
      { authorization: 'Basic !!!' },
      { authorization: 'Digest nonsense' },
      { authorization: 'Negotiate abc' },
    ]) {
      const answer = await server.app.inject({
        url: '/api/me',
        headers,
        remoteAddress: `203.0.113.${String(Object.values(headers)[0]?.length)}`,
      });
      expect(answer.statusCode).toBe(401);
    }
  });

  it('gets 403 where they are known and may not', async () => {
    const answer = await server.app.inject({
      method: 'PUT',
      url: '/api/state/brightness',
      headers: bearer(server.tokens.viewer),
      payload: { value: 10 },
    });
    expect(answer.statusCode).toBe(403);
    expect(answer.json<ErrorBody>().error).toMatchObject({ code: 'PERMISSION_DENIED', key: 'brightness' });
  });

  it('is slowed down when guessing', async () => {
    const statuses = [];
    for (let round = 0; round < 20; round += 1) {
      const answer = await server.app.inject({
        method: 'POST',
        url: '/api/auth/login',
        payload: { username: 'viewer', password: `guess ${String(round)}` },
        remoteAddress: '198.51.100.99',
      });
      statuses.push(answer.statusCode);
      if (answer.statusCode === 429) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(statuses.slice(0, 4)).toEqual([401, 401, 401, 401]);
    expect(statuses.at(-1)).toBe(429);
  });
});

it('keeps tokens out of the log', async () => {
  const { token } = await server.services.accounts.login('viewer', 'a-Long-Passw0rd', { via: 'http' });
  await server.app.inject({ url: `/api/state?token=${token}` });
  await server.app.inject({
    url: `/api/nothing?token=${token}`,
    headers: { ...bearer(token), cookie: `obscura_session=${token}` },
  });
  expect(server.logged()).toContain('/api/nothing');
  expect(server.logged()).not.toContain(token);
});
