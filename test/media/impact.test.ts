// Every setting in turn, with somebody watching over each transport: what a change costs them is what is declared.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../src/store/actor.js';
import { registry, type AppRegistry } from '../../src/observables/registry.js';
import type { Patch } from '../../src/store/store.js';
import { JsonSocket } from '../support/JsonSocket.js';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { freePorts } from '../support/ports.js';
import { adminPassword } from '../support/runningServer.js';
import { TimeViewer, type TimedFrame } from '../support/TimeViewer.js';
import { WebPlayer } from '../support/WebPlayer.js';

let server: MediaServer;
let browser: Browser;
let watchers: readonly Watcher[] = [];

interface Watcher {
  readonly over: string;
  count(): Promise<number>;
  /** The pictures from the `from`th on, as soon as there are so many. */
  since(from: number, atLeast: number): Promise<readonly TimedFrame[]>;
  close(): Promise<void>;
}

function overRtsp(transport: 'tcp' | 'udp'): Watcher {
  const viewer = new TimeViewer(server.rtsp(), transport);
  return {
    over: `RTSP/${transport}`,
    count: () => Promise.resolve(viewer.frames.length),
    since: async (from, atLeast) => {
      await viewer.more(Math.max(0, from + atLeast - viewer.frames.length));
      return viewer.frames.slice(from);
    },
    close: () => viewer.close(),
  };
}

async function overWebRtc(): Promise<Watcher> {
  const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
  const player = await WebPlayer.open(browser, server.url, { way: 'whep', authorization, readTimes: true });
  return {
    over: 'WebRTC',
    count: () => player.timedCount(),
    since: async (from, atLeast) => {
      return await player.timed(from, atLeast);
    },
    close: () => player.page.close(),
  };
}

async function everybodyWatches(): Promise<void> {
  watchers = [overRtsp('tcp'), overRtsp('udp'), await overWebRtc()];
  for (const watcher of watchers) await watcher.since(0, 30);
}

async function nobodyWatches(): Promise<void> {
  for (const watcher of watchers) await watcher.close();
}

beforeAll(async () => {
  server = await mediaServer();
  expect(await server.change({ webrtcEnabled: true, timeBlock: true, netStoragePath: '/srv' })).toMatchObject(
    { ok: true },
  );
  browser = await launchBrowser();
  await everybodyWatches();
});
afterAll(async () => {
  await nobodyWatches();
  await browser.close();
  await server.stop();
});

type Key = keyof AppRegistry;
type Change = Patch<AppRegistry>;

/** Settings whose very purpose is to let somebody in or out; what they do to viewers is tested beside the access. */
const aboutAccess: readonly Key[] = [
  ...(['rtspAuth', 'rtspEnabled', 'webrtcEnabled', 'anonymousPermissions', 'customRoles'] as const),
  ...(['users', 'userPasswords', 'credentials', 'apiTokens'] as const),
  // The codec is agreed with each viewer when it comes.
  'videoEncoder',
  // It is what the pictures are read by here.
  'timeBlock',
];

/** Values that a schema alone does not lead to. */
const special: Readonly<Partial<Record<Key, (value: never) => unknown>>> = {
  streamResolution: () => '1280x720',
  streamFramerate: () => 15,
  encoderElement: () => 'openh264enc',
  cameraHeadSettings: (heads: { readonly primary: object }) => ({
    ...heads,
    primary: { ...heads.primary, resolution: '640x360' },
  }),
  stream2: (stream: object) => ({ ...stream, resolution: '640x360' }),
  timestampOverlay: (overlay: object) => ({ ...overlay, position: 'top-right', color: '#ffcc00' }),
  webrtcIceServers: () => [{ urls: ['stun:127.0.0.1:3478'] }],
  timezone: () => 'Europe/Berlin',
  allowedOrigins: () => ['https://example.org'],
  dnsServers: () => ['127.0.0.53'],
  ipAddress: () => '192.0.2.10',
  gateway: () => '192.0.2.1',
  subnetMask: () => '255.255.0.0',
  ntpServers: () => ['ntp.example.org'],
  pipLayout: (layout: object) => ({ ...layout, pipScale: 0.5 }),
  videoRecordingSettings: (recording: object) => ({ ...recording, fps: 30 }),
  webhooks: () => [
    { name: 'nobody', url: 'http://127.0.0.1:8099/', events: ['source-lost'], enabled: false },
  ],
  schedules: () => ({ night: { cron: '0 22 * * *', set: { light0: true }, enabled: true } }),
};

/** Another value than this one, by what the schema allows; undefined where there is nothing obvious. */
function other(schema: Schema, value: unknown): unknown {
  const { enum: choices, type, minimum = 0, maximum = Number.MAX_SAFE_INTEGER, properties } = schema;
  if (choices !== undefined) return choices[(choices.indexOf(value) + 1) % choices.length];
  if (type === 'boolean') return value !== true;
  if (type === 'integer' && typeof value === 'number') return value < maximum ? value + 1 : value - 1;
  if (type === 'number' && typeof value === 'number')
    return value > minimum ? (value + minimum) / 2 : maximum;
  if (type === 'string') return 'other';
  if (type === 'object' && properties !== undefined) {
    const members = value as Readonly<Record<string, unknown>>;
    const [name, member] = Object.entries(properties)[0] ?? ['', {}];
    return { ...members, [name]: other(member, members[name]) };
  }
  return undefined;
}

interface Schema {
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const keys = (Object.keys(registry) as Key[]).filter((key) => {
  const definition = registry[key];
  return definition.kind === 'setting' && definition.write.length > 0 && !aboutAccess.includes(key);
});

/** Missed pictures that each class of effect may cost, beside half a picture for the grid of the rates. */
const mayMiss: Readonly<Record<string, number>> = { none: 0, live: 0, renegotiate: 3, rebuild: 3 };

/** What each watcher missed while the change was made, in pictures. */
async function missedDuring(change: Change, rate: number, look: number): Promise<Map<string, number>> {
  const before = await Promise.all(watchers.map((watcher) => watcher.count()));
  const outcome = await server.change(change);
  if (!outcome.ok) throw new Error(outcome.error.message);
  const missed = new Map<string, number>();
  for (const [index, watcher] of watchers.entries()) {
    const frames = await watcher.since((before[index] ?? 1) - 1, look);
    // A picture that cannot be read counts as missed.
    const times = frames.flatMap(({ captured }) => (captured === undefined ? [] : [captured]));
    expect(times.length, 'pictures that can be read').toBeGreaterThan(look / 2);
    const gaps = times.slice(1).map((time, at) => ((time - (times[at] ?? 0)) * rate) / 1e6 - 1);
    missed.set(watcher.over, Math.max(...gaps));
  }
  return missed;
}

it('when the media process is killed, control clients stay and viewers can come back', async () => {
  const sockets = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
      await socket.ask({ op: 'auth', username: 'admin', password: adminPassword });
      await socket.ask({ op: 'watch', keys: ['streamBitrate'] });
      return socket;
    }),
  );
  const { pid } = server.mediaState();
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => [0, pid].includes(server.mediaState().pid), { timeout: 15_000 }).toBe(false);
  await nobodyWatches();
  await everybodyWatches();
  const streamBitrate = server.store.get('streamBitrate') + 50_000;
  expect(await sockets[0]?.ask({ op: 'set', set: { streamBitrate } })).toMatchObject({ ok: true });
  await expect.poll(() => server.store.status('streamBitrate').status).toBe('applied');
  for (const socket of sockets) {
    expect(await socket.ask({ op: 'get', keys: ['streamBitrate'] })).toMatchObject({
      state: { streamBitrate },
    });
    expect(socket.closed).toBeUndefined();
    socket.close();
  }
});

describe('nobody who watches is disconnected, and nobody misses more than is declared, when somebody changes', () => {
  it.each(keys)('%s', async (key) => {
    const { store } = server;
    const definition = registry[key];
    const before = store.get(key);
    const special_ = special[key];
    const [freePort] = /Port$/.test(key) ? await freePorts(1) : [];
    const after = freePort ?? special_?.(before as never) ?? other(definition.schema as Schema, before);
    expect(after, 'a value to change to').not.toEqual(before);
    expect(after).toBeDefined();
    const rate = key === 'streamFramerate' ? 15 : 30;
    const effect = definition.kind === 'setting' ? definition.effect : 'none';
    // What comes later is seen with the next setting.
    const look = effect === 'none' || effect === 'live' ? 6 : 20;
    for (const value of [after, before]) {
      // What the change costs it costs each time; what a busy machine costs it does not.
      let missed = await missedDuring({ [key]: value }, rate, look);
      if (Math.max(...missed.values()) > (mayMiss[effect] ?? 0) + 0.5) {
        await store.transact(systemActor(), { [key]: value === after ? before : after }, { wait: 'applied' });
        missed = await missedDuring({ [key]: value }, rate, look);
      }
      for (const [over, count] of missed)
        expect([over, count <= (mayMiss[effect] ?? 0) + 0.5], `${String(count)} pictures`).toEqual([
          over,
          true,
        ]);
    }
  });
});
