import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { Client, connect, type Changes, type ConnectionState, type Status } from '../../src/client/index.js';
import { freePorts } from '../support/ports.js';
import { adminPassword, peoplePassword, runningServer, type TestServer } from '../support/runningServer.js';

let server: TestServer;
const clients: Client[] = [];

beforeAll(async () => {
  server = await runningServer({ people: true });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function open(username = 'admin', url = server.url): Promise<Client> {
  const client = await connect(url, {
    credentials: { username, password: username === 'admin' ? adminPassword : peoplePassword },
    retry: { first: 20, longest: 100 },
  });
  clients.push(client);
  return client;
}

describe('the client', () => {
  it('knows the types of keys and values', () => {
    const client = new Client('ws://127.0.0.1:1');
    expectTypeOf(client.get('streamBitrate')).resolves.toEqualTypeOf<number>();
    expectTypeOf(client.get('videoEncoder')).resolves.toEqualTypeOf<'h264' | 'h265' | 'mjpeg'>();
    const wrongs = [
      // @ts-expect-error a key that does not exist
      () => client.get('streamBitrat'),
      // @ts-expect-error a value of another type
      () => client.set('streamBitrate', '4'),
      // @ts-expect-error a literal that is not allowed
      () => client.transact({ rtspAuth: 'maybe' }),
    ];
    expect(wrongs).toHaveLength(3);
  });

  it('gets, sets and observes', async () => {
    const [mine, other] = [await open(), await open('operator')];
    const seen: number[] = [];
    const subscription = other.observe('gain').subscribe((value) => seen.push(value));
    await expect.poll(() => seen).toHaveLength(1);
    await mine.set('gain', 33);
    await expect.poll(() => seen).toEqual([50, 33]);
    subscription.unsubscribe();
    expect(await mine.get('gain')).toBe(33);
    expect(mine.session).toMatchObject({ user: 'admin' });
  });

  it('tells refusals apart', async () => {
    const client = await open('viewer');
    await expect(client.set('gain', 1)).rejects.toMatchObject({ code: 'forbidden', key: 'gain' });
    await expect(client.submit({ nonsense: 1 })).rejects.toMatchObject({ code: 'unknown', key: 'nonsense' });
    await expect(connect(server.url, { credentials: { token: 'no' } })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await expect(connect('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('gives up when it is told to', async () => {
    const client = await open();
    await expect(client.submit({ hue: 1 }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('forgets what may not be read any more', async () => {
    const client = await open('operator');
    await client.watch(['hue', 'gain']);
    expect(client.peek('hue')).toBeTypeOf('number');
    const chief = await open();
    const users = await chief.get('users');
    await chief.set('users', { ...users, operator: { role: 'guest' } });
    await expect.poll(() => client.peek('hue')).toBeUndefined();
    expect(client.session.permissions).toEqual([]);
    await chief.set('users', users);
    await expect.poll(() => client.peek('hue')).toBeTypeOf('number');
  });

  it('is told how a change fares that something must carry out', async () => {
    const client = await open();
    const statuses: Status[] = [];
    client.statuses.subscribe((status) => statuses.push(status));
    await client.watch(['httpsServerEnabled']);
    await client.set('httpsServerEnabled', false, { wait: 'applied' });
    // What happens within one tick is told by its end, so `pending` may not be seen.
    await expect.poll(() => statuses.at(-1)).toMatchObject({ key: 'httpsServerEnabled', status: 'applied' });
    await client.set('httpsServerEnabled', true, { wait: 'applied' });
  });
});

it('comes back after the server was away, and learns what changed meanwhile, and only that', async () => {
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'obscura-client-'));
  const first = await runningServer({ folder, environment: { httpPort: port } });
  const client = await open('admin', first.url);
  const states: ConnectionState['state'][] = [];
  const changes: Changes[] = [];
  client.connection.subscribe(({ state }) => states.push(state));
  await client.watch(['gain', 'hue', 'streamBitrate'], (change) => changes.push(change));
  await client.set('gain', 12);
  await expect.poll(() => client.peek('gain')).toBe(12);
  await first.stop();
  await expect.poll(() => states).toContain('lost');
  changes.length = 0;
  // Asked while the connection is away: answered when it is back.
  const asked = client.set('hue', 9);
  const second = await runningServer({ folder, environment: { httpPort: port } });
  try {
    await asked;
    await expect.poll(() => client.peek('hue')).toBe(9);
    expect(states.at(-1)).toBe('open');
    expect(changes.every(({ complete }) => !complete)).toBe(true);
    expect(changes.some(({ set }) => 'gain' in set || 'streamBitrate' in set)).toBe(false);
  } finally {
    await second.stop();
    await rm(folder, { recursive: true });
  }
});
