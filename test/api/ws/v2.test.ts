import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, listeningSomewhere } from '../../support/ports.js';
import { JsonSocket, type Json } from '../../support/JsonSocket.js';
import {
  adminPassword,
  basic,
  peoplePassword,
  runningServer,
  type TestServer,
} from '../../support/runningServer.js';

let server: TestServer;
const sockets: JsonSocket[] = [];

beforeAll(async () => {
  server = await runningServer({ people: true });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

async function open(username?: string, password = peoplePassword): Promise<JsonSocket> {
  const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
  sockets.push(socket);
  if (username !== undefined) {
    const secret = username === 'admin' ? adminPassword : password;
    expect(await socket.ask({ op: 'auth', username, password: secret })).toMatchObject({
      ok: true,
      user: username,
    });
  }
  return socket;
}

function isChangeOf(key: string): (message: Json) => boolean {
  return ({ op, set }) => op === 'change' && typeof set === 'object' && set !== null && key in set;
}

describe('watching', () => {
  it('gives the readable state, then every change once, with who made it for those who may know', async () => {
    const [watcher, stranger, writer] = [await open('admin'), await open('viewer'), await open('operator')];
    const answer = await watcher.ask({ op: 'watch', keys: ['*'] });
    expect(answer['state']).toMatchObject({ streamBitrate: 8_000_000, currentUser: 'admin' });
    expect(answer['state']).not.toHaveProperty('credentials');
    expect(answer['epoch']).toEqual(expect.any(String));
    const seen = await stranger.ask({ op: 'watch', keys: ['stream*', 'users'] });
    expect(Object.keys(seen['state'] as Json)).not.toContain('users');
    const { revision } = await writer.ask({ op: 'set', set: { streamBitrate: 5_000_000 } });
    expect(await watcher.next(isChangeOf('streamBitrate'))).toMatchObject({
      revision,
      set: { streamBitrate: 5_000_000 },
      by: 'operator',
    });
    const told = await stranger.next(isChangeOf('streamBitrate'));
    expect(told).not.toHaveProperty('by');
  });

  it('with the revision one had gives only what has changed since', async () => {
    const socket = await open('admin');
    const { revision, epoch } = await socket.ask({ op: 'watch', keys: ['image*', 'gain'] });
    await socket.ask({ op: 'unwatch' });
    await socket.ask({ op: 'set', set: { gain: 12 } });
    const again = await socket.ask({ op: 'watch', keys: ['image*', 'gain'], since: revision, epoch });
    expect(again).toMatchObject({ changes: { gain: 12 } });
    expect(Object.keys(again['changes'] as Json)).toEqual(['gain']);
    expect(again).not.toHaveProperty('state');
    const other = await socket.ask({ op: 'watch', keys: ['gain'], since: revision, epoch: 'another life' });
    expect(other).toMatchObject({ state: { gain: 12 } });
  });

  it('shows a secret to nobody, and a redacted one without its secret', async () => {
    const socket = await open('admin');
    const servers = [{ urls: 'turn:t.example', username: 'u', credential: 'canary-1' }];
    expect(await socket.ask({ op: 'set', set: { webrtcIceServers: servers } })).toMatchObject({ ok: true });
    const { state } = await socket.ask({ op: 'watch', keys: ['*'] });
    expect(state).toMatchObject({
      webrtcIceServers: [{ urls: ['turn:t.example'], username: 'u', credentialSet: true }],
    });
    expect(JSON.stringify(socket.heard)).not.toContain('canary');
  });
});

describe('setting', () => {
  it('answers refusals with code, key and reason, all of them', async () => {
    const socket = await open('operator');
    const refused = async (set: Json) => (await socket.ask({ op: 'set', set }))['error'];
    expect(await refused({ streamBitrate: 1 })).toMatchObject({ code: 'invalid', key: 'streamBitrate' });
    expect(await refused({ streamStats: {} })).toMatchObject({ code: 'forbidden', key: 'streamStats' });
    expect(await refused({ nonsense: 1 })).toMatchObject({ code: 'unknown', key: 'nonsense' });
    const both = (await refused({ hue: 999, gain: 999 })) as { errors: unknown[] };
    expect(both.errors).toHaveLength(2);
    expect(JSON.stringify(await refused({ hostname: 'x' }))).toBe(
      JSON.stringify(await refused({ hostnamX: 'x' })).replaceAll('hostnamX', 'hostname'),
    );
  });

  it('knows conflicts, dry runs and repeated requests', async () => {
    const socket = await open('admin');
    const { revision } = await socket.ask({ op: 'set', set: { sharpness: 33 }, requestId: 'once' });
    expect(await socket.ask({ op: 'set', set: { sharpness: 33 }, requestId: 'once' })).toMatchObject({
      revision,
    });
    await socket.ask({ op: 'set', set: { sharpness: 34 } });
    expect(await socket.ask({ op: 'set', set: { sharpness: 35 }, ifRevision: revision })).toMatchObject({
      error: { code: 'conflict', key: 'sharpness' },
    });
    expect(await socket.ask({ op: 'set', set: { rtspPort: 9000 }, dryRun: true })).toMatchObject({
      ok: true,
      consequences: [{ key: 'rtspPort', effect: 'live' }],
    });
    expect(server.store.get('rtspPort')).toBe(8554);
  });

  it('can be undone by who did it, unless somebody has changed the same since', async () => {
    const [mine, other] = [await open('admin'), await open('operator')];
    await mine.ask({ op: 'set', set: { lightIntensity: 40 } });
    await mine.ask({ op: 'set', set: { lightIntensity: 50 } });
    expect(await mine.ask({ op: 'undo' })).toMatchObject({ ok: true });
    expect(server.store.get('lightIntensity')).toBe(40);
    expect(await mine.ask({ op: 'undo' })).toMatchObject({ ok: true });
    expect(server.store.get('lightIntensity')).toBe(100);
    await mine.ask({ op: 'set', set: { lightIntensity: 60 } });
    await other.ask({ op: 'set', set: { lightIntensity: 61 } });
    expect(await mine.ask({ op: 'undo' })).toMatchObject({
      error: { code: 'conflict', key: 'lightIntensity' },
    });
  });

  it('on trial stays only when another connection confirms it', async () => {
    const [first, second] = [await open('admin'), await open('admin')];
    const { revision, confirmBefore } = await first.ask({
      op: 'set',
      set: { timezone: 'Asia/Tokyo' },
      confirmWithin: 600,
    });
    expect(confirmBefore).toEqual(expect.any(Number));
    expect(await first.ask({ op: 'confirm', revision })).toMatchObject({ error: { code: 'conflict' } });
    expect(await second.ask({ op: 'confirm', revision })).toMatchObject({ ok: true });
    expect(await second.ask({ op: 'confirm', revision })).toMatchObject({ error: { code: 'unknown' } });
    expect(server.store.cell('timezone')?.durable).toBeUndefined();
  });

  it('that is only shown is kept once it is meant, or when its connection ends in the middle', async () => {
    const lines = async (): Promise<unknown> => {
      const response = await fetch(`${server.url}/api/audit?key=redGain&outcome=done`, {
        headers: { authorization: basic('admin', adminPassword) },
      });
      const { records } = (await response.json()) as {
        readonly records: readonly { readonly by: string; readonly changes: unknown }[];
      };
      return records.map(({ by, changes }) => [by, changes]);
    };
    const before = server.store.get('redGain');
    const dragging = await open('operator');
    for (const redGain of [11, 12, 13]) await dragging.ask({ op: 'set', set: { redGain }, transient: true });
    expect(server.store.get('redGain')).toBe(13);
    expect(await lines()).toEqual([]);
    await dragging.ask({ op: 'set', set: { redGain: 13 } });
    const first = ['operator', [{ key: 'redGain', old: before, new: 13 }]];
    expect(await lines()).toEqual([first]);
    await dragging.ask({ op: 'set', set: { redGain: 14 }, transient: true });
    dragging.close();
    await expect.poll(lines).toEqual([['operator', [{ key: 'redGain', old: 13, new: 14 }]], first]);
    expect(server.store.cell('redGain')?.durable).toBeUndefined();
  });

  it('is kept from others by a lock, which ends with its connection', async () => {
    const [holder, other] = [await open('admin'), await open('operator')];
    expect(await holder.ask({ op: 'lock', keys: ['blueGain'], seconds: 600 })).toMatchObject({ ok: true });
    expect(await other.ask({ op: 'set', set: { blueGain: 1 } })).toMatchObject({
      error: {
        code: 'conflict',
        key: 'blueGain',
        message: expect.stringContaining('locked by admin until') as string,
      },
    });
    await other.ask({ op: 'watch', keys: ['locks'] });
    holder.close();
    await other.next(isChangeOf('locks'));
    expect(await other.ask({ op: 'set', set: { blueGain: 1 } })).toMatchObject({ ok: true });
  });

  it('of a port that is taken fails, says why, and the old value returns', async () => {
    const occupant = await listeningSomewhere();
    const taken = (occupant.address() as AddressInfo).port;
    const [httpPort, httpsPort] = await freePorts(2);
    const folder = await mkdtemp(join(tmpdir(), 'obscura-test-'));
    const factoryFile = join(folder, 'factory.json');
    await writeFile(factoryFile, JSON.stringify({ settings: { httpPort, httpsPort } }));
    const fresh = await runningServer({
      folder,
      environment: { httpPort: undefined, httpsPort: undefined, factoryFile },
    });
    try {
      const socket = await JsonSocket.open(`${fresh.socketUrl}/api/v2`);
      sockets.push(socket);
      await socket.ask({ op: 'auth', username: 'admin', password: adminPassword });
      const before = fresh.store.get('httpPort');
      await socket.ask({ op: 'watch', keys: ['http*'] });
      expect(await socket.ask({ op: 'set', set: { httpPort: taken }, wait: 'applied' })).toMatchObject({
        ok: false,
        error: { code: 'failed', key: 'httpPort', message: expect.stringContaining(String(taken)) as string },
      });
      expect(await socket.next(({ op, status }) => op === 'status' && status === 'failed')).toMatchObject({
        key: 'httpPort',
      });
      await socket.next(
        (message) => isChangeOf('httpPort')(message) && (message['set'] as Json)['httpPort'] === before,
      );
    } finally {
      await fresh.stop();
      occupant.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('rights', () => {
  it('that are withdrawn act on open connections: values go, and the socket is told', async () => {
    const [watcher, chief] = [await open('operator'), await open('admin')];
    await watcher.ask({ op: 'watch', keys: ['lightIntensity', 'storageSpace', 'recordingMode'] });
    const setRole = (role: string) =>
      fetch(`${server.url}/api/users/operator`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', authorization: basic('admin', adminPassword) },
        body: JSON.stringify({ role }),
      });
    expect((await setRole('guest')).status).toBe(200);
    const withdrawn = await watcher.next(({ gone }) => gone !== undefined);
    expect((withdrawn['gone'] as string[]).toSorted()).toEqual([
      'lightIntensity',
      'recordingMode',
      'storageSpace',
    ]);
    expect(await watcher.next(({ op }) => op === 'notice')).toMatchObject({
      code: 'permissions',
      permissions: [],
    });
    await chief.ask({ op: 'set', set: { lightIntensity: 3 } });
    expect(await watcher.ask({ op: 'get', keys: ['lightIntensity'] })).toMatchObject({
      error: { code: 'unknown' },
    });
    expect((await setRole('operator')).status).toBe(200);
    expect(await watcher.next(isChangeOf('lightIntensity'))).toMatchObject({ set: { lightIntensity: 3 } });
  });

  it('end with the password they were gained by', async () => {
    const [guest, chief] = [await open('guest'), await open('admin')];
    await chief.ask({ op: 'set', set: { userPasswords: { guest: 'Fresh-password-1' } } });
    expect(await guest.next(({ op }) => op === 'notice')).toMatchObject({ code: 'session-ended' });
    expect(await guest.whenClosed()).toMatchObject({ code: 4503 });
    await chief.ask({ op: 'set', set: { userPasswords: { guest: peoplePassword } } });
  });
});

describe('describing', () => {
  it('tells type, range, default, permissions and effect of what one may know', async () => {
    const socket = await open('viewer');
    const { descriptions } = await socket.ask({ op: 'describe', keys: ['streamBitrate'] });
    expect((descriptions as Json)['streamBitrate']).toMatchObject({
      schema: { type: 'integer', minimum: 100_000, maximum: 50_000_000 },
      default: 8_000_000,
      unit: 'bit/s',
      effect: 'live',
      readable: true,
      writable: false,
    });
    const all = await socket.ask({ op: 'describe' });
    expect(Object.keys(all['descriptions'] as Json)).not.toContain('users');
  });
});

describe('a client that misbehaves', () => {
  it.each([
    ['not JSON', '{', null],
    ['no op', '{"id":7}', 7],
    ['an unknown op', '{"id":7,"op":"fly"}', 7],
    ['a wrong type', '{"id":7,"op":"get","keys":"x"}', 7],
    ['an unknown member', '{"id":7,"op":"ping","x":1}', 7],
    ['a list', '[]', null],
    ['a poisoned object', '{"id":7,"op":"set","set":{"__proto__":{"x":1}}}', 7],
  ])('with %s gets a clear error', async (_name, text, id) => {
    const socket = await open();
    socket.send(text);
    expect(await socket.next()).toMatchObject({
      id,
      ok: false,
      error: { message: expect.any(String) as string },
    });
    expect(await socket.ask({ op: 'ping' })).toMatchObject({ ok: true });
  });

  it('with binary or deeply nested messages does no harm', async () => {
    const socket = await open();
    socket.ws.send(Buffer.from([1, 2, 3]));
    expect(await socket.next()).toMatchObject({ ok: false });
    socket.send('['.repeat(20_000) + ']'.repeat(20_000));
    expect(await socket.next()).toMatchObject({ ok: false });
  });

  it('with a huge message is cut off, and with nonsense after nonsense as well', async () => {
    const huge = await open();
    huge.send({ id: 1, op: 'set', set: { x: 'x'.repeat(100_000) } });
    expect(await huge.whenClosed()).toMatchObject({ code: 1009 });
    const babbler = await open();
    for (let count = 0; count < 5; count += 1) babbler.send('{');
    expect(await babbler.whenClosed()).toMatchObject({ code: 1008 });
    expect(await (await open()).ask({ op: 'ping' })).toMatchObject({ ok: true });
  });
});
