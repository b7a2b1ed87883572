// Many real sockets watch while settings change without pause, and one of them reads nothing.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemActor } from '../../src/store/actor.js';
import { adminPassword, runningServer, type TestServer } from '../support/runningServer.js';

const watchers = 300;
const transactions = 400;
let server: TestServer;

beforeAll(async () => {
  const most = watchers + 10;
  server = await runningServer({ limits: { perAddress: most, perUser: most, total: most } });
});
afterAll(() => server.stop());

interface Message {
  readonly revision?: number;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly state?: Readonly<Record<string, unknown>>;
}

/** Keeps a state, as a client does, and remembers whether it ever went backwards. */
class Watcher {
  readonly ws: WebSocket;
  readonly state = new Map<string, unknown>();
  revision = -1;
  bytes = 0;
  readonly backward: string[] = [];
  #awaited: { readonly fits: () => boolean; readonly met: () => void } | undefined;

  private constructor(url: string, token: string) {
    this.ws = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    this.ws.on('message', (data: Buffer) => {
      this.bytes += data.length;
      this.#hear(JSON.parse(data.toString()) as Message);
    });
  }

  static async open(url: string, token: string): Promise<Watcher> {
    const watcher = new Watcher(url, token);
    await new Promise((resolve, reject) => {
      watcher.ws.once('open', resolve);
      watcher.ws.once('error', reject);
    });
    watcher.ws.send('{"id":1,"op":"watch","keys":["*"]}');
    await watcher.until(() => watcher.revision >= 0);
    return watcher;
  }

  until(fits: () => boolean): Promise<void> {
    if (fits()) return Promise.resolve();
    return new Promise((met, failed) => {
      this.#awaited = { fits, met };
      this.ws.once('close', (code) => {
        failed(new Error(`closed with ${String(code)}`));
      });
    });
  }

  #hear({ revision = -1, set, state }: Message): void {
    if (revision < this.revision) this.backward.push(`${String(revision)} after ${String(this.revision)}`);
    this.revision = revision;
    for (const [key, value] of Object.entries(set ?? state ?? {})) this.state.set(key, value);
    if (this.#awaited?.fits() === true) this.#awaited.met();
  }
}

it('all hold the last value in the end, and the one that reads nothing costs the others nothing', async () => {
  const { store } = server;
  const answer = await fetch(`${server.url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: adminPassword }),
  });
  const { token } = (await answer.json()) as { token: string };
  const url = `${server.socketUrl}/api/v2`;
  const crowd = await Promise.all(Array.from({ length: watchers }, () => Watcher.open(url, token)));
  const [stalled, ...others] = crowd;
  if (stalled === undefined) throw new Error('nobody watches');
  stalled.ws.pause();

  // Big values, so that the stalled one's window fills; small ones, whose last value all must have.
  const reason = 'r'.repeat(200);
  const change = async (count: number): Promise<void> => {
    store.write({
      adaptiveState: {
        active: true,
        streams: {},
        viewers: Object.fromEntries(
          Array.from({ length: 16 }, (_, index) => [`v${String(index)}`, { target: count, reason }]),
        ),
      },
    });
    const outcome = await store.transact(systemActor(), {
      streamBitrate: 1_000_000 + count,
      imageSettings: { ...store.get('imageSettings'), hue: count % 180 },
    });
    expect(outcome.ok).toBe(true);
  };
  for (let count = 1; count <= transactions; count += 1) await change(count);
  const last = 1_000_000 + transactions;
  await Promise.all(others.map((each) => each.until(() => each.state.get('streamBitrate') === last)));

  // Whoever reads has it all while the stalled one still reads nothing, and costs a set of keys.
  expect(stalled.state.get('streamBitrate')).not.toBe(last);
  const metrics = await (
    await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  ).text();
  expect(metrics).toMatch(/^obscura_ws_readers_behind 1$/m);
  for (let count = transactions + 1; count <= transactions + 50; count += 1) await change(count);
  const final = last + 50;
  await Promise.all(others.map((each) => each.until(() => each.state.get('streamBitrate') === final)));

  const before = stalled.bytes;
  stalled.ws.resume();
  await stalled.until(() => stalled.state.get('streamBitrate') === final);
  // What was under way when it stopped, and then the newest values at once; not the megabytes in between.
  expect(stalled.bytes - before).toBeLessThan(100_000);

  for (const watcher of crowd) {
    expect(watcher.backward).toEqual([]);
    for (const key of ['streamBitrate', 'adaptiveState', 'imageSettings', 'hue'] as const)
      expect(watcher.state.get(key)).toEqual(store.get(key));
    watcher.ws.terminate();
  }
}, 60_000);
