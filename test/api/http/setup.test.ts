import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../../support/cli.js';
import { basic, runningServer, type TestServer } from '../../support/runningServer.js';

const password = 'Sealed-envelope-3';
let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-setup-'));
  server = await fresh();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function fresh(): Promise<TestServer> {
  return runningServer({ folder, environment: { adminPassword: undefined } });
}

function codeOf({ setupCode }: TestServer): string {
  if (setupCode === undefined) throw new Error('no set-up is due');
  return setupCode;
}

async function setUp(body: object): Promise<Response> {
  return await fetch(`${server.url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: server.url },
    body: JSON.stringify({ username: 'paula', password, ...body }),
  });
}

async function isDue(): Promise<boolean> {
  return ((await (await fetch(`${server.url}/api/setup`)).json()) as { readonly due: boolean }).due;
}

async function logIn(username: string, word: string): Promise<number> {
  return (await fetch(`${server.url}/api/me`, { headers: { authorization: basic(username, word) } })).status;
}

describe('a server without accounts', () => {
  it('lets nobody in, and says that it is to be set up', async () => {
    expect(await isDue()).toBe(true);
    expect(codeOf(server)).toMatch(/^[A-Z\d]{4}-[A-Z\d]{4}$/);
    expect(codeOf(server)).not.toMatch(/[01258BILOSZ]/);
    expect(await logIn('admin', 'admin')).toBe(401);
    expect(server.store.get('users')).toEqual({});
  });

  it('refuses a password or a name that will not do, and the code stays good', async () => {
    const code = codeOf(server);
    const weak = await setUp({ code, password: 'short' });
    expect(weak.status).toBe(422);
    expect(await weak.json()).toMatchObject({ error: { key: 'userPasswords' } });
    for (const username of ['<b>', 'Jürgen Müller', '-a', 'a'.repeat(33)]) {
      const odd = await setUp({ code, username });
      expect(odd.status).toBe(422);
      expect(await odd.json()).toMatchObject({
        error: { key: 'users', message: expect.stringContaining('A name is up to 32 letters') as unknown },
      });
    }
    expect(await setUp({ code, role: 'guest' })).toMatchObject({ status: 400 });
    expect(server.store.get('users')).toEqual({});
    expect(await isDue()).toBe(true);
  });

  it('lets nobody guess for long, and then takes not even the right code', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1)
      statuses.push((await setUp({ code: 'AAAA-AAAA' })).status);
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    const late = await setUp({ code: codeOf(server) });
    expect(late.status).toBe(429);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(server.store.get('users')).toEqual({});
  });

  it('shows another code at the next start, by which one of two makes the administrator and is logged in', async () => {
    const old = codeOf(server);
    await server.stop();
    server = await fresh();
    expect(codeOf(server)).not.toBe(old);
    expect((await setUp({ code: old })).status).toBe(401);
    const typed = ` ${codeOf(server).toLowerCase().replace('-', ' ')}`;
    const both = await Promise.all([setUp({ code: typed }), setUp({ code: typed, username: 'rival' })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const [made] = both.filter(({ status }) => status === 201);
    const cookie = /obscura_session=[^;]+/.exec(made?.headers.get('set-cookie') ?? '')?.[0] ?? '';
    expect(await made?.json()).toMatchObject({ role: 'administrator' });
    const me = await fetch(`${server.url}/api/me`, { headers: { cookie } });
    expect(await me.json()).toMatchObject({ authenticated: true, role: 'administrator' });
    expect(Object.keys(server.store.get('users'))).toHaveLength(1);
  });

  it('is set up once and for all, and keeps a record of it', async () => {
    expect(await isDue()).toBe(false);
    expect((await setUp({ code: codeOf(server) })).status).toBe(409);
    const [name = ''] = Object.keys(server.store.get('users'));
    const audit = await fetch(`${server.url}/api/audit?limit=50`, {
      headers: { authorization: basic(name, password) },
    });
    const text = await audit.text();
    expect(text).toContain('"set-up"');
    expect(text).toContain('"set-up refused"');
    await server.stop();
    server = await fresh();
    expect(server.setupCode).toBeUndefined();
    expect(await logIn(name, password)).toBe(200);
  });

  it('whose passwords were lost is set up again, with everything else as it was', async () => {
    const [name = ''] = Object.keys(server.store.get('users'));
    const { created } = server.store.get('users')[name] ?? {};
    await server.stop();
    await writeFile(join(folder, 'device.key'), '');
    server = await fresh();
    expect(await logIn(name, password)).toBe(401);
    expect((await setUp({ code: codeOf(server), username: name })).status).toBe(201);
    expect(server.store.get('users')[name]).toMatchObject({ role: 'administrator', created });
    expect(await logIn(name, password)).toBe(200);
  });

  it('can be set up from the command line', async () => {
    await server.stop();
    await rm(folder, { recursive: true });
    server = await fresh();
    const environment = { OBSCURA_URL: server.url, XDG_CONFIG_HOME: join(folder, 'cli') };
    const wrong = await cli(['login', '--user', 'paula', '--code', 'nonsense'], environment, {
      input: password,
    });
    expect(wrong).toMatchObject({ exitCode: 4 });
    const right = await cli(['login', '--user', 'paula', '--code', codeOf(server)], environment, {
      input: password,
    });
    expect(right).toMatchObject({ exitCode: 0 });
    expect((await cli(['get', 'hue'], environment)).out).toBe('0\n');
  });
});
