import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInRoles, maskOf } from '../../../src/observables/permissions.js';
import { systemActor } from '../../../src/store/actor.js';
import { isReadable } from '../../../src/store/store.js';
import { basic, bearer, password, roles, startWebServer, type WebServer } from '../../support/webServer.js';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

interface LogIn {
  readonly token: string;
}

function cookieOf(answer: { readonly cookies: readonly { name: string; value: string }[] }): string {
  const found = answer.cookies.find(({ name }) => name === 'obscura_session');
  return `obscura_session=${found?.value ?? ''}`;
}

async function logIn(username = 'operator') {
  return await server.app.inject({ method: 'POST', url: '/api/login', payload: { username, password } });
}

describe('logging in', () => {
  it('answers in the words of all client generations and sets a cookie that scripts and other sites cannot use', async () => {
    const answer = await logIn();
    expect(answer.statusCode).toBe(200);
    const body = answer.json<LogIn & Record<string, unknown>>();
    expect(body).toMatchObject({
      access_token: body.token,
      refresh_token: body.token,
      token_type: 'Bearer',
      role: 'operator',
      user: { username: 'operator', role: 'operator', permissions: builtInRoles.operator },
    });
    expect(answer.headers['set-cookie']).toMatch(
      /^obscura_session=[^;]+; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });

  it('works by GET with a Basic header', async () => {
    const answer = await server.app.inject({ url: '/api/login', headers: basic('viewer') });
    expect(answer.json()).toMatchObject({ username: 'viewer' });
  });

  it('says 400 where name or password is missing, 401 where one is wrong', async () => {
    for (const payload of [{}, { username: 'viewer' }])
      expect((await server.app.inject({ method: 'POST', url: '/api/login', payload })).statusCode).toBe(400);
    const payload = { username: "' OR 1=1 --", password: 'x' };
    const wrong = await server.app.inject({
      ...{ method: 'POST', url: '/api/login', payload },
      remoteAddress: '198.51.100.50',
    });
    expect(wrong.statusCode).toBe(401);
  });

  it('gives no cookie to the page of another site', async () => {
    const answer = await server.app.inject({
      method: 'POST',
      url: '/api/login',
      headers: { origin: 'https://evil.example', host: 'device' },
      payload: { username: 'viewer', password },
    });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('ends with logging out: the token opens nothing any more', async () => {
    const { token } = (await logIn()).json<LogIn>();
    const refreshed = await server.app.inject({
      method: 'POST',
      url: '/api/auth/refresh',
      payload: { refresh_token: token },
    });
    expect(refreshed.json()).toMatchObject({ access_token: token, token_type: 'Bearer' });
    const out = await server.app.inject({ method: 'POST', url: '/api/auth/logout', headers: bearer(token) });
    expect(out.statusCode).toBe(200);
    expect((await server.app.inject({ url: '/api/state', headers: bearer(token) })).statusCode).toBe(401);
    const again = await server.app.inject({
      method: 'POST',
      url: '/api/auth/refresh',
      payload: { refresh_token: token },
    });
    expect(again.statusCode).toBe(401);
  });
});

describe('a session cookie', () => {
  const write = (headers: Record<string, string>) =>
    server.app.inject({
      method: 'PUT',
      url: '/api/state/brightness',
      headers: { host: 'device:8080', ...headers },
      payload: { value: 20 },
    });

  it('reads without more ado', async () => {
    const cookie = cookieOf(await logIn());
    const answer = await server.app.inject({ url: '/api/me', headers: { cookie } });
    expect(answer.json()).toMatchObject({ username: 'operator' });
  });

  it('writes only from the own page or an allowed one', async () => {
    const cookie = cookieOf(await logIn());
    expect((await write({ cookie })).statusCode).toBe(403);
    expect((await write({ cookie, origin: 'null' })).statusCode).toBe(403);
    expect((await write({ cookie, origin: 'http://device:9090' })).statusCode).toBe(403);
    expect((await write({ cookie, origin: 'http://device:8080' })).statusCode).toBe(200);
    const panel = 'https://panel.example';
    expect((await write({ cookie, origin: panel })).statusCode).toBe(403);
    await server.services.store.transact(systemActor(), { allowedOrigins: [panel] });
    const allowed = await write({ cookie, origin: panel });
    expect(allowed.statusCode).toBe(200);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': panel,
      'access-control-allow-credentials': 'true',
    });
    await server.services.store.transact(systemActor(), { allowedOrigins: [] });
  });

  it('does not stand in the way of the log-in page once its session has ended', async () => {
    const cookie = 'obscura_session=long-gone';
    const answer = await server.app.inject({ url: '/api/me', headers: { cookie } });
    expect(answer.json()).toMatchObject({ authenticated: false });
  });

  it('is marked for HTTPS where it was given over HTTPS', async () => {
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: null, httpsPort: 0 });
    const { Agent, request } = await import('node:https');
    const header = await new Promise<string>((resolve, reject) => {
      const call = request(
        {
          port: server.listeners.addresses.https?.port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/api/login',
          agent: new Agent({ rejectUnauthorized: false }),
        },
        (answer) => {
          answer.resume();
          resolve(String(answer.headers['set-cookie']));
        },
      );
      call.on('error', reject);
      call.end(JSON.stringify({ username: 'viewer', password }));
    });
    expect(header).toContain('Secure');
  });
});

describe('the other ways to say who one is', () => {
  it('an API token in every place, never with more than its part of the rights', async () => {
    const made = await server.app.inject({
      method: 'POST',
      url: '/api/tokens',
      headers: bearer(server.tokens.operator),
      payload: { name: 'script', permissions: ['Media_r'], expiresInDays: 1 },
    });
    expect(made.statusCode).toBe(201);
    const { token, id } = made.json<{ token: string; id: string }>();
    for (const at of [{ headers: bearer(token) }, { headers: { 'x-api-key': token } }, { query: { token } }])
      expect((await server.app.inject({ url: '/api/me', ...at })).json()).toMatchObject({
        username: 'operator',
        permissions: ['Media_r'],
      });
    const write = await server.app.inject({
      method: 'PUT',
      url: '/api/state/streamBitrate',
      headers: bearer(token),
      payload: { value: 1_000_000 },
    });
    expect(write.statusCode).toBe(403);
    const listed = await server.app.inject({ url: '/api/tokens', headers: bearer(server.tokens.operator) });
    expect(listed.body).toContain(id);
    expect(listed.body).not.toContain('hash');
    const others = await server.app.inject({ url: '/api/tokens', headers: bearer(server.tokens.viewer) });
    expect(others.json()).toEqual({ tokens: [] });
    const url = `/api/tokens/${id}`;
    const stranger = await server.app.inject({
      method: 'DELETE',
      url,
      headers: bearer(server.tokens.viewer),
    });
    expect(stranger.statusCode).toBe(404);
    const gone = await server.app.inject({ method: 'DELETE', url, headers: bearer(server.tokens.operator) });
    expect(gone.statusCode).toBe(204);
    expect((await server.app.inject({ url: '/api/me', headers: bearer(token) })).statusCode).toBe(401);
  });

  it('a token in the address only for reading', async () => {
    const url = `/api/state/brightness?token=${server.tokens.operator}`;
    expect((await server.app.inject({ url })).statusCode).toBe(200);
    const write = await server.app.inject({ method: 'PUT', url, payload: { value: 1 } });
    expect(write.statusCode).toBe(401);
  });

  it('Basic, which a changed password ends at once', async () => {
    const { accounts } = server.services;
    await accounts.createUser(systemActor(), { username: 'brief', password });
    expect((await server.app.inject({ url: '/api/state', headers: basic('brief') })).statusCode).toBe(200);
    expect((await server.app.inject({ url: '/api/state', headers: basic('brief') })).statusCode).toBe(200);
    await server.services.store.transact(systemActor(), { userPasswords: { brief: 'another-Long-1' } });
    expect((await server.app.inject({ url: '/api/state', headers: basic('brief') })).statusCode).toBe(401);
    const next = await server.app.inject({ url: '/api/state', headers: basic('brief', 'another-Long-1') });
    expect(next.statusCode).toBe(200);
    await accounts.deleteUser(systemActor(), 'brief');
    const after = await server.app.inject({ url: '/api/state', headers: basic('brief', 'another-Long-1') });
    expect(after.statusCode).toBe(401);
  });
});

describe.each(roles)('%s', (role) => {
  it('reads exactly the settings that the declarations allow', async () => {
    const headers = bearer(server.tokens[role]);
    const { identity } = {
      identity: server.services.accounts.withToken(server.tokens[role], { via: 'http' }),
    };
    const readable = server.services.store.cells.filter((cell) => isReadable(cell, identity));
    const state = await server.app.inject({ url: '/api/state', headers });
    expect(Object.keys(state.json<object>()).sort()).toEqual(readable.map(({ key }) => key).sort());
    for (const cell of server.services.store.cells) {
      const { statusCode } = await server.app.inject({ url: `/api/state/${cell.key}`, headers });
      const known = (identity.mask & (cell.readMask | cell.writeMask)) !== 0;
      expect([cell.key, statusCode]).toEqual([cell.key, readable.includes(cell) ? 200 : known ? 403 : 404]);
    }
  });

  it('may try to write exactly the settings that the declarations allow', async () => {
    const headers = bearer(server.tokens[role]);
    const { mask } = server.services.accounts.withToken(server.tokens[role], { via: 'http' });
    for (const cell of server.services.store.cells) {
      const { statusCode } = await server.app.inject({
        method: 'PUT',
        url: `/api/state/${cell.key}`,
        headers,
        payload: { value: [null], dryRun: true },
      });
      const known = (mask & (cell.readMask | cell.writeMask)) !== 0;
      const allowed = (mask & cell.writeMask) !== 0;
      expect([cell.key, statusCode]).toEqual([cell.key, allowed ? 422 : known ? 403 : 404]);
    }
  });

  it('finds in the schema what may be read or written, and nothing else', async () => {
    const headers = bearer(server.tokens[role]);
    const { mask } = server.services.accounts.withToken(server.tokens[role], { via: 'http' });
    const answer = await server.app.inject({ url: '/api/schema', headers });
    const { properties } = answer.json<{ properties: Record<string, { readOnly: boolean }> }>();
    const known = server.services.store.cells.filter(
      (cell) => (mask & (cell.readMask | cell.writeMask)) !== 0,
    );
    expect(Object.keys(properties).sort()).toEqual(known.map(({ key }) => key).sort());
    for (const cell of known) expect(properties[cell.key]?.readOnly).toBe((mask & cell.writeMask) === 0);
    const etag = String(answer.headers.etag);
    const again = await server.app.inject({
      url: '/api/schema',
      headers: { ...headers, 'if-none-match': etag },
    });
    expect(again.statusCode).toBe(304);
  });

  it('gets into every route that its permissions open, and into no other', async () => {
    const { mask } = server.services.accounts.withToken(server.tokens[role], { via: 'http' });
    const { paths } = server.app.swagger() as unknown as {
      paths: Record<string, Record<string, { description: string }>>;
    };
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { description }] of Object.entries(methods)) {
        const [, listed] = /Takes ([\w ]+)\.$/.exec(description) ?? [];
        if (listed === undefined || path.endsWith('/follow')) continue;
        const needed = maskOf(listed.split(' or ') as never);
        const answer = await server.app.inject({
          method: method.toUpperCase() as 'GET',
          url: path.replaceAll(/\{\w+\}/g, 'nothing'),
          headers: bearer(server.tokens[role]),
          ...(method === 'get'
            ? {}
            : {
                payload: 'nonsense',
                headers: { ...bearer(server.tokens[role]), 'content-type': 'application/json' },
              }),
        });
        const refused = answer.statusCode === 403;
        expect([method, path, refused]).toEqual([method, path, (mask & needed) === 0]);
        const anonymous = await server.app.inject({
          method: method.toUpperCase() as 'GET',
          url: path.replaceAll(/\{\w+\}/g, 'nothing'),
        });
        expect([method, path, anonymous.statusCode]).toEqual([method, path, 401]);
      }
  });
});

it('lets those in who have not logged in, as far as anonymousPermissions says', async () => {
  const { store } = server.services;
  await store.transact(systemActor(), { anonymousPermissions: ['Media_r'] });
  const open = await server.app.inject({ url: '/api/state/streamBitrate' });
  expect(open.statusCode).toBe(200);
  const write = await server.app.inject({
    method: 'PUT',
    url: '/api/state/streamBitrate',
    payload: { value: 1_000_000 },
  });
  expect(write.statusCode).toBe(401);
  await store.transact(systemActor(), { anonymousPermissions: [] });
  expect((await server.app.inject({ url: '/api/state/streamBitrate' })).statusCode).toBe(401);
});

it('tells strangers that it works, and nothing about what it is', async () => {
  const status = await server.app.inject({ url: '/api/status' });
  expect(Object.keys(status.json<object>()).sort()).toEqual(['status', 'timestamp']);
  const full = await server.app.inject({ url: '/api/status', headers: bearer(server.tokens.administrator) });
  expect(full.json()).toMatchObject({
    version: '0.0.0',
    uptime: expect.any(Number) as number,
    system: { memory: { total: expect.any(Number) as number }, temperature: expect.any(Number) as number },
    camera: { connected: false },
    network: { hostname: expect.any(String) as string },
  });
});
