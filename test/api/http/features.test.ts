import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../../src/store/actor.js';
import { HttpClient } from '../../../src/client/index.js';
import { person } from '../../support/people.js';
import { bearer, password, startWebServer, type WebServer } from '../../support/webServer.js';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
type Person = keyof WebServer['tokens'];

/** Whatever the server says, and the lists that tests look into. */
type Body = Record<string, unknown> & {
  readonly records: readonly {
    readonly seq: number;
    readonly by: string;
    readonly outcome: string;
    readonly changes?: readonly { readonly key: string; readonly new?: unknown }[];
  }[];
  readonly sessions: readonly { readonly id: string; readonly username: string }[];
  readonly events: readonly Record<string, unknown>[];
};

async function ask(
  method: Method,
  url: string,
  payload?: object,
  person: Person = 'administrator',
): Promise<{ status: number; body: Body; headers: Record<string, unknown> }> {
  const headers = bearer(server.tokens[person]);
  const answer = await server.app.inject({
    method,
    url,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  const body = answer.body === '' ? undefined : (JSON.parse(answer.body) as unknown);
  return { status: answer.statusCode, body: body as Body, headers: answer.headers };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function untilItEnds(reader: Reader): Promise<void> {
  while (!(await reader.read()).done);
}

describe('the state', () => {
  it('comes as plain values, with a revision by which an unchanged one is not sent again', async () => {
    const first = await ask('GET', '/api/state');
    expect(first.body).toMatchObject({ currentUser: 'administrator' });
    expect(Number(first.headers['x-obscura-revision'])).toBe(server.services.store.revision);
    const headers = {
      ...bearer(server.tokens.administrator),
      'if-none-match': String(first.headers['etag']),
    };
    expect((await server.app.inject({ url: '/api/state', headers })).statusCode).toBe(304);
    const some = await ask('GET', '/api/state?keys=streamB*,hue');
    expect(Object.keys(some.body)).toEqual(expect.arrayContaining(['streamBitrate', 'hue']));
    expect(Object.keys(some.body).every((key) => /^streamB|^hue$/.test(key))).toBe(true);
  });

  it('changes all together or not at all', async () => {
    const good = await ask('PATCH', '/api/state', { set: { brightness: 61, contrast: 62 } });
    expect(good).toMatchObject({ status: 200, body: { set: { brightness: 61, contrast: 62 } } });
    const bad = await ask('PATCH', '/api/state', { set: { brightness: 1, contrast: 1000 } });
    expect(bad.status).toBe(422);
    const { body } = await ask('GET', '/api/state/brightness');
    expect(body).toMatchObject({ key: 'brightness', value: 61, status: 'applied' });
  });

  it('says what would follow without doing it', async () => {
    const { body } = await ask('PATCH', '/api/state', { set: { brightness: 5 }, dryRun: true });
    expect(body['consequences']).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: 'imageSettings', effect: 'live' })]),
    );
    expect(server.services.store.get('brightness')).toBe(61);
  });

  it('answers a repeated request as the first time, and does it once', async () => {
    const change = { set: { brightness: 70 }, requestId: 'once' };
    const first = await ask('PATCH', '/api/state', change);
    await ask('PATCH', '/api/state', { set: { brightness: 71 } });
    const again = await ask('PATCH', '/api/state', change);
    expect(again.body['revision']).toBe(first.body['revision']);
    expect(server.services.store.get('brightness')).toBe(71);
  });

  it('takes back one’s own last change', async () => {
    await ask('PUT', '/api/state/hue', { value: 12 });
    await ask('PUT', '/api/state/hue', { value: 13 });
    const { body: shown } = await ask('GET', '/api/undo');
    expect(shown).toMatchObject({
      differences: [{ key: 'imageSettings', now: { hue: 13 }, then: { hue: 12 } }],
    });
    const revision = Number(shown['revision']);
    expect((await ask('POST', '/api/undo', { revision: revision - 1 })).status).toBe(409);
    expect((await ask('POST', '/api/undo', { revision })).status).toBe(200);
    expect(server.services.store.get('hue')).toBe(12);
    for (const method of ['GET', 'POST'] as const)
      expect((await ask(method, '/api/undo', undefined, 'viewer')).status).toBe(404);
  });

  it('keeps a change on trial only when another connection confirms it', async () => {
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: 0, httpsPort: null });
    const base = `http://127.0.0.1:${String(server.listeners.addresses.http?.port)}`;
    const { Agent, request } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (
      path: string,
      method: string,
      body: object,
      over?: typeof agent,
    ): Promise<[number, string]> =>
      new Promise((resolve, reject) => {
        const headers = { ...bearer(server.tokens.administrator), 'content-type': 'application/json' };
        const call = request(`${base}${path}`, { method, headers, agent: over ?? new Agent() }, (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
          answer.on('end', () => {
            resolve([answer.statusCode ?? 0, text]);
          });
        });
        call.on('error', reject);
        call.end(JSON.stringify(body));
      });
    const [status, text] = await send('/api/state', 'PATCH', { set: { hue: 44 }, confirmWithin: 60 }, agent);
    expect(status).toBe(200);
    const { revision, confirmBefore } = JSON.parse(text) as { revision: number; confirmBefore: number };
    expect(confirmBefore).toBeGreaterThan(Date.now());
    expect((await send('/api/state/confirm', 'POST', { revision }, agent))[0]).toBe(409);
    expect((await send('/api/state/confirm', 'POST', { revision }))[0]).toBe(200);
    expect((await send('/api/state/confirm', 'POST', { revision }))[0]).toBe(404);
    agent.destroy();
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: null, httpsPort: null });
  });
});

describe('sections of the configuration', () => {
  it('are the groups of settings, with only what may be read', async () => {
    const all = await ask('GET', '/api/config');
    expect(all.body).toMatchObject({ image: { brightness: expect.any(Number) as number } });
    const few = await ask('GET', '/api/config', undefined, 'viewer');
    expect(few.body).toMatchObject({ users: { currentUser: 'viewer' } });
    expect(few.body['users']).not.toHaveProperty('users');
    expect(await ask('GET', '/api/config/image')).toMatchObject({ status: 200, body: { hue: 44 } });
  });

  it('take members bare, wrapped in the name of the section, and under older names', async () => {
    for (const [method, body] of [
      ['PUT', { saturation: 21 }],
      ['PATCH', { image: { saturation: 22 } }],
    ] as const) {
      const { status, body: after } = await ask(method, '/api/config/image', body);
      expect(status).toBe(200);
      expect(after['saturation']).toBe(server.services.store.get('saturation'));
    }
    await ask('PUT', '/api/config/camera', { camera: { default_framerate: 25 } });
    expect(server.services.store.get('streamFramerate')).toBe(25);
    expect((await ask('PUT', '/api/config/image', { httpPort: 1 })).status).toBe(404);
    expect((await ask('PUT', '/api/config/image', { saturation: 3 }, 'viewer')).status).toBe(403);
  });

  it('tell a section from a setting of the same name', async () => {
    const { users } = server.services.store.snapshot().values;
    expect((await ask('PUT', '/api/config/users', { users })).status).toBe(200);
    expect((await ask('PUT', '/api/config/users', { users: { sessionIdleMinutes: 45 } })).status).toBe(200);
    expect(server.services.store.get('sessionIdleMinutes')).toBe(45);
  });
});

describe('accounts', () => {
  it('are made, changed and deleted under every address that clients use', async () => {
    for (const base of ['/api/users', '/api/auth/users', '/api/admin/users', '/api/v1/users']) {
      const made = await ask('POST', base, { username: 'nina', password, email: 'n@example.org' });
      expect(made).toMatchObject({ status: 201, body: { username: 'nina', role: 'viewer' } });
      const id = String(made.body['id']);
      expect(Number.isInteger(made.body['id'])).toBe(true);
      expect((await ask('GET', `${base}/${id}`)).body).toMatchObject({ username: 'nina' });
      const changed = await ask('PUT', `${base}/${id}`, { role: 'operator' });
      expect(changed).toMatchObject({ status: 200, body: { role: 'operator' } });
      expect((await ask('POST', base, { username: 'nina', password })).status).toBe(409);
      expect((await ask('DELETE', `${base}/nina`)).status).toBe(204);
      expect((await ask('GET', `${base}/nina`)).status).toBe(404);
    }
  });

  it('never show anything of a password', async () => {
    const { body } = await ask('GET', '/api/users');
    expect(JSON.stringify(body)).not.toMatch(/scrypt|hash|salt|digest|password/i);
  });

  it('change role and password together or not at all', async () => {
    await ask('POST', '/api/users', { username: 'olaf', password });
    expect((await ask('PUT', '/api/users/olaf', { role: 'operator', password: 'short' })).status).toBe(422);
    expect((await ask('GET', '/api/users/olaf')).body['role']).toBe('viewer');
    expect((await ask('PUT', '/api/users/olaf', { role: 'nonsense' })).status).toBe(422);
  });

  it('are nobody’s business but for who may read them, except one’s own', async () => {
    expect((await ask('GET', '/api/users', undefined, 'viewer')).status).toBe(403);
    expect((await ask('GET', '/api/users/olaf', undefined, 'viewer')).status).toBe(404);
    const own = await ask('GET', '/api/users/viewer/permissions', undefined, 'viewer');
    expect(own).toMatchObject({ status: 200, body: { role: 'viewer' } });
    expect((await ask('GET', '/api/user/profile', undefined, 'viewer')).body).toMatchObject({
      username: 'viewer',
    });
  });

  it('change their own password with the old one', async () => {
    await ask('POST', '/api/users', { username: 'vera', password });
    const { token } = await server.services.accounts.login('vera', password, { via: 'http' });
    const change = (payload: object) =>
      server.app.inject({ method: 'POST', url: '/api/users/vera/password', headers: bearer(token), payload });
    expect((await change({ password: 'another-Long-1' })).statusCode).toBe(401);
    expect((await change({ password: 'short', oldPassword: password })).statusCode).toBe(422);
    expect((await change({ password: 'another-Long-1', oldPassword: password })).statusCode).toBe(204);
    // The session that did it stays.
    expect((await server.app.inject({ url: '/api/sessions', headers: bearer(token) })).statusCode).toBe(200);
  });

  it('cannot be registered by strangers, whose weak passwords are refused first', async () => {
    const register = (word: string) =>
      server.app.inject({
        method: 'POST',
        url: '/api/auth/register',
        payload: { username: 'x', password: word, email: 'x@y' },
      });
    expect((await register('abc123')).statusCode).toBe(400);
    expect((await register(password)).statusCode).toBe(401);
  });

  it('may have roles of the owner’s making', async () => {
    const made = await ask('PUT', '/api/roles/cameraman', { permissions: ['Media_r', 3] });
    expect(made.body).toEqual({ name: 'cameraman', permissions: ['Media_r', 'Media_rw'], builtIn: false });
    expect((await ask('PUT', '/api/users/olaf', { role: 'cameraman' })).status).toBe(200);
    expect((await ask('DELETE', '/api/roles/cameraman')).status).toBe(422);
    expect((await ask('DELETE', '/api/users/olaf')).status).toBe(204);
    expect((await ask('DELETE', '/api/roles/cameraman')).status).toBe(204);
    expect((await ask('PUT', '/api/roles/viewer', { permissions: [] })).status).toBe(422);
  });
});

it('lists log-ins and ends them', async () => {
  const { token } = await server.services.accounts.login('viewer', password, { via: 'http' });
  const me = await server.app.inject({ url: '/api/me', headers: bearer(token) });
  const { sessionId } = me.json<{ sessionId: string }>();
  const mine = await ask('GET', '/api/sessions', undefined, 'viewer');
  expect(mine.body.sessions.every(({ username }) => username === 'viewer')).toBe(true);
  expect((await ask('DELETE', `/api/sessions/${sessionId}`, undefined, 'operator')).status).toBe(404);
  expect((await ask('DELETE', `/api/sessions/${sessionId}`, undefined, 'viewer')).status).toBe(204);
  expect((await server.app.inject({ url: '/api/state', headers: bearer(token) })).statusCode).toBe(401);
});

it('keeps values under a name, compares them and puts them in force', async () => {
  await ask('PATCH', '/api/state', { set: { lightIntensity: 10, pictureQuality: 11 } });
  const saved = await ask(
    'PUT',
    '/api/presets/night',
    { keys: ['lightIntensity', 'pictureQuality'] },
    'operator',
  );
  expect(saved.body).toMatchObject({ values: { lightIntensity: 10, pictureQuality: 11 }, by: 'operator' });
  await ask('PATCH', '/api/state', { set: { lightIntensity: 90 } });
  const { body } = await ask('GET', '/api/presets/night/diff');
  expect(body).toEqual({ differences: [{ key: 'lightIntensity', now: 90, preset: 10 }] });
  expect((await ask('POST', '/api/presets/night/apply', { dryRun: true })).status).toBe(200);
  expect(server.services.store.get('lightIntensity')).toBe(90);
  expect((await ask('POST', '/api/presets/night/apply', undefined, 'viewer')).status).toBe(403);
  expect((await ask('POST', '/api/presets/night/apply')).status).toBe(200);
  expect(server.services.store.get('lightIntensity')).toBe(10);
  await ask('PUT', '/api/presets/network', { keys: ['httpPort'] });
  // Neither the value nor the audit tells an operator what is in it.
  const seen = await ask('GET', '/api/state/presets', undefined, 'operator');
  expect(seen.body).toMatchObject({ value: { network: { values: {}, by: 'administrator' } } });
  const trail = await ask('GET', '/api/audit?key=presets&limit=1', undefined, 'administrator');
  expect(JSON.stringify(trail.body)).toContain('"network":{"values":{}');
  const rename = (from: string, name: string, person?: Person) =>
    ask('POST', `/api/presets/${from}/rename`, { name }, person);
  expect((await rename('network', 'ours', 'operator')).status).toBe(403);
  expect((await rename('night', 'network')).status).toBe(409);
  expect((await rename('night', 'not a name')).status).toBe(422);
  expect((await rename('nothing', 'something')).status).toBe(404);
  expect(await rename('night', 'evening', 'operator')).toMatchObject({
    status: 200,
    body: { values: { lightIntensity: 10, pictureQuality: 11 }, by: 'operator' },
  });
  expect((await ask('DELETE', '/api/presets/evening')).status).toBe(204);
  expect((await ask('GET', '/api/presets/night')).status).toBe(404);
});

it('lets somebody keep a key for a while', async () => {
  const held = await ask('POST', '/api/locks', { keys: ['brightness'], seconds: 60 }, 'operator');
  expect(held.status).toBe(200);
  expect((await ask('PUT', '/api/state/brightness', { value: 1 })).status).toBe(409);
  expect((await ask('GET', '/api/locks')).body).toMatchObject({ locks: { brightness: { by: 'operator' } } });
  expect((await ask('POST', '/api/locks', { keys: ['brightness'], seconds: 60 }, 'viewer')).status).toBe(403);
  expect((await ask('POST', '/api/locks', { keys: ['httpPort'], seconds: 60 }, 'operator')).status).toBe(404);
  expect((await ask('DELETE', '/api/locks', undefined, 'operator')).status).toBe(204);
  expect((await ask('PUT', '/api/state/brightness', { value: 1 })).status).toBe(200);
});

describe('the audit', () => {
  it('tells who did what, refused attempts too, newest first and in pages', async () => {
    await ask('PUT', '/api/state/pictureQuality', { value: 77 }, 'operator');
    await ask('PUT', '/api/state/pictureQuality', { value: 78 }, 'viewer');
    const refused = await ask('GET', '/api/audit?user=viewer&outcome=refused&limit=1');
    expect(refused.body.records).toMatchObject([{ by: 'viewer', outcome: 'refused' }]);
    const found = await ask('GET', '/api/audit?user=operator&key=pictureQuality&limit=1');
    expect(found.body.records[0]?.changes).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: 'pictureQuality', new: 77 })]),
    );
    const all = await ask('GET', '/api/audit?limit=2');
    const last = all.body.records.at(-1)?.seq ?? 0;
    const next = await ask('GET', `/api/audit?limit=2&before=${String(last)}`);
    expect(next.body.records[0]?.seq).toBeLessThan(last);
    expect((await ask('GET', '/api/audit?limit=nonsense')).status).toBe(400);
  });

  it('says where the next page begins, also where a page holds nothing for its reader', async () => {
    for (const sessionIdleMinutes of [21, 22, 23])
      await ask('PATCH', '/api/state', { set: { sessionIdleMinutes } });
    const found: string[] = [];
    let path = '/api/audit?user=administrator&outcome=done&limit=2';
    for (let pages = 0; pages < 100; pages += 1) {
      const { body } = await ask('GET', path, undefined, 'viewer');
      if (pages === 0) expect(body).toMatchObject({ records: [], next: expect.any(Number) as number });
      found.push(...body.records.flatMap(({ changes = [] }) => changes.map(({ key }) => key)));
      const { next } = body as unknown as { readonly next?: number };
      if (next === undefined) break;
      path = `/api/audit?user=administrator&outcome=done&limit=2&before=${String(next)}`;
    }
    expect(found).toContain('pictureQuality');
    expect(found).not.toContain('sessionIdleMinutes');
  });

  it('holds back what its reader may not know', async () => {
    await server.services.store.transact(systemActor(), { sessionIdleMinutes: 33, lightIntensity: 7 });
    const { body } = await ask('GET', '/api/audit?limit=50', undefined, 'viewer');
    const keys = body.records.flatMap(({ changes }) => (changes ?? []).map(({ key }) => key));
    expect(keys).toContain('lightIntensity');
    expect(keys).not.toContain('sessionIdleMinutes');
    expect(keys).not.toContain('users');
    // Neither an empty shell nor a search tells that there was something.
    await server.services.store.transact(systemActor(), { sessionIdleMinutes: 34 });
    const searched = await ask('GET', '/api/audit?key=sessionIdleMinutes', undefined, 'viewer');
    expect(searched.body.records).toEqual([]);
    for (const { outcome, changes } of body.records) if (outcome === 'done') expect(changes).not.toEqual([]);
    expect((await ask('GET', '/api/audit', undefined, 'guest')).status).toBe(403);
  });

  it('finds a setting by the name of a part of it', async () => {
    await ask('PUT', '/api/state/saturation', { value: 17 }, 'operator');
    const { body } = await ask('GET', '/api/audit?key=saturation&limit=1');
    expect(body.records).toMatchObject([{ by: 'operator', changes: [{ key: 'imageSettings' }] }]);
  });

  it('never holds a secret', async () => {
    const { body } = await ask('GET', '/api/audit?limit=1000');
    expect(JSON.stringify(body)).not.toContain(password);
  });

  it('comes in the form of the reference product too', async () => {
    const { body } = await ask('GET', '/api/audit/events?type=LOG_IN&limit=3');
    expect(body.events.length).toBeGreaterThan(0);
    expect(body.events[0]).toMatchObject({
      event_type: 'LOG_IN',
      timestamp: expect.stringMatching(/T.*Z$/) as string,
    });
  });

  it('can be followed line by line, until one may not any more', async () => {
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: 0, httpsPort: null });
    const url = `http://127.0.0.1:${String(server.listeners.addresses.http?.port)}/api/audit/follow`;
    await ask('POST', '/api/users', { username: 'watcher', password });
    const { token } = await server.services.accounts.login('watcher', password, { via: 'http' });
    const answer = await fetch(url, { headers: bearer(token) });
    expect(answer.headers.get('content-type')).toContain('ndjson');
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        const part = await reader?.read();
        if (part?.done !== false) throw new Error('the stream ended');
        text += part.value;
      }
    };
    await until(/\n/);
    await ask('PUT', '/api/state/lightIntensity', { value: 31 });
    await until(/"key":"lightIntensity"[^\n]*\n/);
    await ask('DELETE', '/api/users/watcher');
    await ask('PUT', '/api/state/lightIntensity', { value: 32 });
    await expect(until(/"new":32/)).rejects.toThrow('the stream ended');
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: null, httpsPort: null });
  });
});

describe('a backup', () => {
  it('restores every setting, all or nothing, and holds no secret', async () => {
    await ask('PATCH', '/api/state', { set: { brightness: 64, contrast: 65 } });
    const { body: backup, headers } = await ask('GET', '/api/backup');
    expect(headers['content-disposition']).toMatch(/^attachment; filename="obscura-backup-/);
    expect(JSON.stringify(backup)).not.toMatch(/scrypt|credentials|"hash"/);
    await ask('PATCH', '/api/state', { set: { brightness: 1, contrast: 2 } });
    const { body: tried } = await ask('POST', '/api/restore', { backup, dryRun: true });
    const { differences } = tried as unknown as { differences: { key: string }[] };
    expect(differences.find(({ key }) => key === 'imageSettings')).toMatchObject({
      now: { brightness: 1, contrast: 2 },
      then: { brightness: 64, contrast: 65 },
    });
    expect(server.services.store.get('brightness')).toBe(1);
    expect((await ask('POST', '/api/restore', backup)).status).toBe(200);
    expect(server.services.store.get('brightness')).toBe(64);
    const settings = { ...(backup['settings'] as object), contrast: 1000, brightness: 2 };
    expect((await ask('POST', '/api/restore', { ...backup, settings })).status).toBe(422);
    expect(server.services.store.get('brightness')).toBe(64);
  });

  it('asks for nothing that is so already, and so for nothing that cannot be', async () => {
    const { body: backup } = await ask('GET', '/api/backup');
    server.services.locks.lock(person('somebody', []), ['httpPort'], 60, {});
    await ask('PATCH', '/api/state', { set: { brightness: 3 } });
    expect(await ask('POST', '/api/restore', backup)).toMatchObject({
      status: 200,
      body: { set: { brightness: 64 } },
    });
    const settings = { ...(backup['settings'] as object), httpPort: 8888 };
    expect((await ask('POST', '/api/restore', { ...backup, settings })).status).toBe(409);
    server.services.locks.unlock(person('somebody', []));
  });

  it('comes as the reference asks for it, and nothing else is taken for one', async () => {
    const made = await ask('POST', '/api/admin/backup/config');
    expect(made).toMatchObject({
      status: 200,
      body: { success: true, backup_file: expect.any(String) as string },
    });
    expect((await ask('POST', '/api/restore', { nonsense: 1 })).body).toMatchObject({
      error: { code: 'INVALID_FORMAT' },
    });
    expect((await ask('POST', '/api/restore', {}, 'operator')).status).toBe(403);
  });
});

describe('health', () => {
  it('says ready, or why not', async () => {
    expect((await server.app.inject({ url: '/readyz' })).json()).toEqual({
      ready: true,
      checks: [{ name: 'store', ok: true }],
    });
    server.readiness.push({ name: 'media', ok: false, reason: 'no frames' });
    const answer = await server.app.inject({ url: '/readyz' });
    expect(answer.statusCode).toBe(503);
    expect(answer.body).toContain('no frames');
    const health = await server.app.inject({ url: '/health' });
    expect(health.json()).toMatchObject({ status: 'degraded', checks: { camera: 'unavailable' } });
    server.readiness.pop();
  });

  it('calls no camera connected while no picture comes', async () => {
    const { body } = await ask('GET', '/api/camera/status');
    expect(body).toMatchObject({ streaming: false, cameras: [{ id: 0, connected: false }, { id: 1 }] });
  });

  it('has figures for who may read them, and for the machine itself', async () => {
    await ask('PUT', '/api/state/hue', { value: 9 });
    await server.app.inject({ url: '/api/me', headers: bearer('wrong') });
    const answer = await server.app.inject({ url: '/metrics' });
    expect(answer.headers['content-type']).toContain('text/plain');
    for (const name of [
      'obscura_build_info{version="0.0.0"',
      'obscura_setting_changes_total{key="hue",source="http",result="done"}',
      'obscura_ws_connections{role="operator"} 0',
      'obscura_http_request_duration_seconds_count',
      'obscura_auth_failures_total{protocol="http"}',
      'obscura_ready 1',
    ])
      expect(answer.body).toContain(name);
    const far = { remoteAddress: '192.0.2.77' };
    expect((await server.app.inject({ url: '/metrics', ...far })).statusCode).toBe(401);
    const viewer = bearer(server.tokens.viewer);
    expect((await server.app.inject({ url: '/metrics', headers: viewer, ...far })).statusCode).toBe(200);
    const guest = bearer(server.tokens.guest);
    expect((await server.app.inject({ url: '/metrics', headers: guest, ...far })).statusCode).toBe(403);
  });
});

it('exchanges the certificate for one that can be served, and for nothing else', async () => {
  const { body: before } = await ask('GET', '/api/certificate');
  expect(JSON.stringify(before)).not.toContain('PRIVATE KEY');
  const own = server.services.certificate();
  expect((await ask('PUT', '/api/certificate', { cert: 'nonsense', key: own.key })).status).toBe(422);
  expect((await ask('PUT', '/api/certificate', { cert: own.cert, key: 'nonsense' })).status).toBe(422);
  expect((await ask('PUT', '/api/certificate', { cert: own.cert, key: own.key }, 'operator')).status).toBe(
    403,
  );
  expect((await ask('GET', '/api/certificate')).body).toEqual(before);
  expect((await ask('POST', '/api/certificate/self-signed', {}, 'operator')).status).toBe(403);
  const made = await ask('POST', '/api/certificate/self-signed');
  expect(made).toMatchObject({ status: 200, body: { selfSigned: true, subject: before['subject'] } });
  expect(made.body['names']).toEqual(expect.arrayContaining(['localhost', '127.0.0.1']));
  expect(made.body['fingerprint']).not.toBe(before['fingerprint']);
  expect(JSON.stringify(made.body)).not.toContain('PRIVATE KEY');
  expect((await ask('GET', '/api/certificate')).body).toEqual(made.body);
  const same = await ask('PUT', '/api/certificate', { cert: own.cert, key: own.key });
  expect(same).toMatchObject({ status: 200, body: { fingerprint: own.fingerprint } });
});

describe('the log', () => {
  it('is for who may read the system, by level, time, words and number', async () => {
    const { recentLog } = server.services;
    const line = (level: number, time: number, msg: string): void => {
      recentLog.add(JSON.stringify({ level, time, msg, part: 'media' }));
    };
    line(30, 1000, 'begins');
    line(40, 2000, 'is slow');
    line(50, 3000, 'breaks');
    const lines = async (query = ''): Promise<unknown> => {
      const { body } = await ask('GET', `/api/logs${query}`);
      return (body as unknown as { lines: { message: string }[] }).lines.map(({ message }) => message);
    };
    expect(await lines()).toEqual(['begins', 'is slow', 'breaks']);
    expect(await lines('?level=warn')).toEqual(['is slow', 'breaks']);
    expect(await lines('?since=2500')).toEqual(['breaks']);
    expect(await lines('?limit=1')).toEqual(['breaks']);
    expect(await lines('?contains=slow')).toEqual(['is slow']);
    expect((await ask('GET', '/api/logs?level=loud')).status).toBe(400);
    expect((await ask('GET', '/api/logs', undefined, 'viewer')).status).toBe(200);
    for (const url of ['/api/logs', '/api/logs/follow'])
      expect((await ask('GET', url, undefined, 'guest')).status).toBe(403);
  });

  it('can be followed, with what came before, by level and words', async () => {
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: 0, httpsPort: null });
    const url = `http://127.0.0.1:${String(server.listeners.addresses.http?.port)}`;
    const client = new HttpClient(url, { credentials: { token: server.tokens.viewer } });
    const { recentLog } = server.services;
    const line = (level: number, msg: string): void => {
      recentLog.add(JSON.stringify({ level, time: 4000, msg }));
    };
    line(50, 'cable is out');
    line(50, 'something else');
    // More than fits in the backlog of somebody who is behind.
    for (let at = 0; at < 1000; at += 1) line(40, `${'much '.repeat(80)} cable ${String(at)}`);
    const heard: string[] = [];
    const reading = client.lines('/api/logs/follow?level=warn&contains=cable&backlog=1001');
    for await (const told of reading) {
      heard.push((told as { readonly message: string }).message.slice(0, 20));
      if (heard.length === 1001) {
        line(30, 'cable is looked for');
        line(50, 'cable is back');
      }
      if (heard.length === 1002) break;
    }
    expect([heard[0], heard.at(-1)]).toEqual(['cable is out', 'cable is back']);
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: null, httpsPort: null });
  });

  it('leaves others their place, however often one account follows it', async () => {
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: 0, httpsPort: null });
    const url = `http://127.0.0.1:${String(server.listeners.addresses.http?.port)}/api/logs/follow`;
    const follow = async (token: string): Promise<Reader> => {
      const response = await fetch(url, { headers: bearer(token) });
      expect(response.status).toBe(200);
      if (response.body === null) throw new Error('no body');
      return response.body.getReader();
    };
    const other = await follow(server.tokens.operator);
    await other.read();
    const greedy: Reader[] = [];
    for (let count = 0; count < 55; count += 1) greedy.push(await follow(server.tokens.viewer));
    // All but its newest five have ended.
    await Promise.all(greedy.slice(0, 50).map((reader) => expect(untilItEnds(reader)).rejects.toThrow()));
    server.services.recentLog.add(JSON.stringify({ level: 50, time: 4000, msg: 'still heard' }));
    for (const reader of [other, ...greedy.slice(50)]) {
      let text = '';
      while (!text.includes('still heard')) {
        const { value, done } = await reader.read();
        expect(done).toBe(false);
        text += Buffer.from(value ?? []).toString();
      }
      await reader.cancel();
    }
    await server.listeners.apply({ bind: '127.0.0.1', httpPort: null, httpsPort: null });
  });
});

it('tells who looks after the machine what runs there', async () => {
  const { body } = await ask('GET', '/api/about', undefined, 'viewer');
  expect(body).toMatchObject({
    version: '0.0.0',
    license: 'MIT',
    node: process.version,
    addresses: ['http://camera.example'],
    processes: [{ name: 'server', pid: process.pid }],
  });
  const [{ memory }] = body['processes'] as [{ memory: number }];
  expect(memory).toBeGreaterThan(10_000_000);
  expect((await ask('GET', '/api/about', undefined, 'guest')).status).toBe(403);
});
