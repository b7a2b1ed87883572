// What people see of how the streams fare, and the law of the reference product, with ffmpeg behind a network that loses
// what it is told to.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ValueOf } from '../../src/observables/define.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import type { Outcome } from '../../src/store/outcome.js';
import { DatagramRelay } from '../support/DatagramRelay.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { freePorts } from '../support/ports.js';
import { RtspCamera } from '../support/RtspCamera.js';
import { RtspViewer } from '../support/RtspViewer.js';
import { adminPassword, basic, peoplePassword } from '../support/runningServer.js';

const soon = { timeout: 20_000, interval: 100 };
const wish = 2_000_000;
const floor = 1_000_000;
let server: MediaServer;
let relay: DatagramRelay;
let viewer: RtspViewer;

function value<K extends keyof AppRegistry>(key: K): ValueOf<AppRegistry[K]> {
  return server.store.get(key as never);
}

function ask(path: string, who = basic('admin', adminPassword)): Promise<Response> {
  return fetch(`${server.url}${path}`, { headers: { authorization: who } });
}

async function adapt(mode: 'off' | 'rotoclear' | 'auto', min = floor): Promise<void> {
  const outcome = await server.change({ adaptiveBitrate: { mode, min, max: 12_000_000 } });
  expect(outcome.ok).toBe(true);
}

beforeAll(async () => {
  server = await mediaServer();
  const heads = server.store.get('cameraHeadSettings');
  await server.change({
    // What cannot be compressed needs all the bits it is given.
    cameraHeadSettings: { ...heads, primary: { ...heads.primary, device: 'snow', resolution: '320x180' } },
    ...{ streamResolution: '320x180', streamBitrate: wish },
  });
  await adapt('off');
  relay = await DatagramRelay.before(server.rtspPort);
  relay.delay = 20;
  const url = server.rtsp().replace(`:${String(server.rtspPort)}/`, `:${String(relay.port)}/`);
  viewer = new RtspViewer(url, 'udp');
}, 60_000);
afterAll(async () => {
  await viewer.close();
  await relay.stop();
  await server.stop();
});

describe('statistics', () => {
  it('count the viewers, what they got, and for how long', async () => {
    await expect.poll(() => value('streamStats').currentBitrate, soon).toBeGreaterThan(wish / 2);
    const { uptime, totalBytesStreamed } = value('streamStats');
    await expect.poll(() => value('streamStats').uptime, soon).toBeGreaterThan(uptime + 1);
    expect(value('streamStats').totalBytesStreamed).toBeGreaterThan(totalBytesStreamed + wish / 16);
    expect(value('streamStats').clientCount).toBe(1);
    expect(value('streamHealth')).toEqual({ healthy: true, reasons: [] });
  });

  it('tell the load of both processes, to whoever asks about the server as well', async () => {
    const loadOf = async (which: string): Promise<number | undefined> => {
      const { processes } = (await (await ask('/api/about')).json()) as {
        readonly processes: readonly { readonly name: string; readonly load?: number }[];
      };
      return processes.find(({ name }) => name === which)?.load;
    };
    for (const name of ['server', 'media']) await expect.poll(() => loadOf(name), soon).toBeGreaterThan(0);
  });

  it('tell the loss, the round trip and the jitter that the viewers report', async () => {
    relay.loses = (serial) => serial % 10 === 0;
    relay.wobble = 10;
    await expect.poll(() => value('networkStats').packetLoss, soon).toBeCloseTo(0.1, 1);
    expect(value('networkStats').rtt).toBeGreaterThanOrEqual(40);
    expect(value('networkStats').jitter).toBeGreaterThan(0);
    const clients = async (): Promise<unknown> =>
      ((await (await ask('/api/clients')).json()) as { clients: unknown }).clients;
    await expect
      .poll(clients, soon)
      .toMatchObject([
        { transport: 'udp', adaptive: { stream: 'stream1', loss: expect.closeTo(0.1, 1) as number } },
      ]);
    relay.loses = () => false;
    relay.wobble = 0;
    await expect.poll(() => value('networkStats').packetLoss, soon).toBe(0);
  });

  it('are kept second by second, for whoever may see streams', async () => {
    const { columns } = (await (await ask('/api/statistics/history?seconds=3')).json()) as {
      columns: Record<string, number[]>;
    };
    const { at = [], 'stream1.fps': rates = [], 'stream1.target': targets = [] } = columns;
    expect(at).toHaveLength(3);
    expect(at[2]).toBeGreaterThan((at[0] ?? 0) + 1500);
    for (const rate of rates) expect(rate).toBeGreaterThan(20);
    expect(targets).toEqual([wish, wish, wish]);
    for (const column of Object.values(columns)) expect(column).toHaveLength(3);
    expect((await ask('/api/statistics/history?seconds=0')).status).toBe(400);
    expect((await ask('/api/statistics/history', basic('guest', peoplePassword))).status).toBe(403);
  });
});

it('do not mind when somebody sets the clock', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    vi.setSystemTime(Date.now() - 3_600_000);
    const { uptime } = value('streamStats');
    await expect.poll(() => value('streamStats').uptime, soon).toBeGreaterThan(uptime + 1);
    expect(value('statistics').stream1.fps).toBeLessThan(60);
    expect(value('statistics').at).toBeLessThan(Date.now() + 5000);
  } finally {
    vi.useRealTimers();
  }
});

describe('mode rotoclear', () => {
  it('lowers the wish itself by a fifth a second while much is lost, but not below the floor', async () => {
    relay.loses = (serial) => serial % 8 === 0;
    const seen: number[] = [];
    const watching = server.store.observe('streamBitrate').subscribe((bitrate) => seen.push(bitrate));
    await expect.poll(() => value('networkStats').packetLoss, soon).toBeGreaterThan(0.1);
    await adapt('rotoclear');
    await expect.poll(() => value('streamBitrate'), soon).toBe(floor);
    // Nothing is known of what is available, and little enough is lost at the beginning that it may rise first.
    const lowered = seen.slice(seen.indexOf(Math.max(...seen)));
    expect(lowered.length).toBeGreaterThan(2);
    for (const [index, next] of lowered.slice(1).entries())
      expect(next).toBe(Math.max(floor, Math.trunc((lowered[index] ?? 0) * 0.8)));
    await expect.poll(() => value('streamBitrateEffective'), soon).toBe(floor);
    watching.unsubscribe();
  });

  it('raises it by a fifth once nothing is lost, and saves nothing of it', async () => {
    relay.loses = () => false;
    const raised = Math.trunc(floor * 1.2);
    const seen: number[] = [];
    const watching = server.store.observe('streamBitrate').subscribe((bitrate) => seen.push(bitrate));
    await expect.poll(() => value('streamBitrate'), soon).toBeGreaterThan(raised);
    watching.unsubscribe();
    expect(seen).toContain(raised);
    expect(server.store.cell('streamBitrate')?.durable?.value).toBe(wish);
  });

  it('gives back what was saved when it is left', async () => {
    await adapt('auto');
    await expect.poll(() => value('streamBitrate'), soon).toBe(wish);
    expect(server.store.cell('streamBitrate')?.durable).toBeUndefined();
  });

  it('counts what somebody sets meanwhile', async () => {
    await adapt('rotoclear');
    const mine = 1_500_000;
    await server.change({ streamBitrate: mine });
    await adapt('off');
    await expect.poll(() => value('streamBitrate'), soon).toBe(mine);
  });
});

describe('mode auto', () => {
  it(
    'stays below the wish while much is lost in queues, says why, and comes back',
    { timeout: 120_000 },
    async () => {
      await server.change({ streamBitrate: wish });
      await adapt('auto', 500_000);
      relay.loses = (serial) => serial % 5 === 0;
      await expect.poll(() => value('streamBitrateEffective'), soon).toBeLessThan(0.8 * wish);
      expect(value('streamBitrate')).toBe(wish);
      await expect
        .poll(() => value('adaptiveState'), soon)
        .toMatchObject({
          streams: {
            stream1: {
              limitedBy: expect.stringMatching(/^rtsp-\d+$/) as string,
              reason: expect.stringContaining('loss') as string,
            },
          },
        });
      expect(Object.values(value('adaptiveState').viewers)).toMatchObject([
        { stream: 'stream1', votes: true },
      ]);
      relay.loses = () => false;
      // A busy machine makes delays of its own, for which the loop waits.
      await expect
        .poll(() => value('streamBitrateEffective'), { ...soon, timeout: 60_000 })
        .toBeGreaterThan(0.9 * wish);
    },
  );
});

describe('a viewer over UDP with a narrow way beside one with a good way', () => {
  it('misses whole pictures and decodes the rest, and the other gets all of the bitrate', async () => {
    await adapt('auto', 300_000);
    const good = new RtspViewer(server.rtsp(), 'udp');
    try {
      await good.more(10);
      relay.capacity = 700_000;
      const lostOver = async (pictures: number): Promise<number> => {
        const before = relay.overflown;
        await viewer.more(pictures);
        return relay.overflown - before;
      };
      await lostOver(10);
      await expect.poll(() => lostOver(20), { ...soon, timeout: 40_000 }).toBe(0);
      const { length } = viewer.complaints;
      expect(await lostOver(10)).toBe(0);
      expect(viewer.complaints.slice(length)).toBe('');
      const votes = Object.values(value('adaptiveState').viewers).map((each) => each.votes);
      expect(votes.sort()).toEqual([false, true]);
      expect(value('streamBitrateEffective')).toBeGreaterThan(0.9 * wish);
      expect(good.complaints).toBe('');
      // It is told, and nobody else is to blame.
      expect(value('streamStats').frameDrops).toBeGreaterThan(30);
      const metrics = await (await ask('/metrics')).text();
      const dropped = /^obscura_frames_total{stream="stream1",result="dropped"} (\d+)$/m.exec(metrics)?.[1];
      expect(Number(dropped)).toBeGreaterThan(30);
      expect(value('streamHealth')).toEqual({ healthy: true, reasons: [] });
    } finally {
      relay.capacity = Infinity;
      await good.close();
    }
  });
});

describe('health', () => {
  it('is bad while somebody watches a camera that is gone, with the reason, and good again after it', async () => {
    const launch =
      'videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=15/1 ! x264enc tune=zerolatency ! rtph264pay name=pay0';
    const [port = 0] = await freePorts(1);
    const heads = server.store.get('cameraHeadSettings');
    const from = (url: string): Promise<Outcome> =>
      server.change({
        cameraHeadSettings: { ...heads, primary: { ...heads.primary, source: 'rtsp' as const, url } },
      });
    await from(`rtsp://127.0.0.1:${String(port)}/stream1`);
    await expect.poll(() => value('streamHealth').healthy, soon).toBe(false);
    expect(value('streamHealth').reasons.join()).toMatch(
      /stream1 has stalled while 1 client watches: .*primary/,
    );
    const camera = await RtspCamera.start(launch);
    try {
      await from(camera.url);
      await expect.poll(() => value('streamHealth'), soon).toEqual({ healthy: true, reasons: [] });
    } finally {
      await camera.stop();
      await server.change({ cameraHeadSettings: heads });
    }
  });
});
