// The adaptive loop against a real link: the whole server and a browser with a bottleneck between them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ValueOf } from '../../src/observables/define.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import { adminPassword, basic } from '../support/runningServer.js';
import { Link } from '../support/Link.js';
import { LinkedServer } from '../support/LinkedServer.js';
import { WebPlayer } from '../support/WebPlayer.js';

const possible = await Link.isPossible();
const link = new Link({ delayMs: 20, queueMs: 300 });
const wide = 6_000_000;
const narrow = 1_500_000;
const settles = { timeout: 20_000, interval: 250 };
let server: LinkedServer;
let player: WebPlayer;

type State = ValueOf<AppRegistry['adaptiveState']>;

/** Of the last second: what even the luckiest packets waited for. */
function standingQueueMs(): number {
  return Math.max(...link.reports.slice(-10).map(({ queueMs: [least = 0] }) => least));
}

async function inForce(): Promise<number> {
  return await server.get<number>('streamBitrateEffective');
}

describe.runIf(possible)('a browser behind a link that shrinks (needs network namespaces)', () => {
  beforeAll(async () => {
    await link.open();
    link.setCapacity(wide);
    server = await LinkedServer.start(link, {
      cameraHeadSettings: {
        // What cannot be compressed needs all the bits it is given.
        primary: { source: 'test', device: 'snow', format: 'NV12', resolution: '480x270', fps: 30 },
        secondary: { source: 'test', device: '', format: 'NV12', resolution: '480x270', fps: 30 },
      },
      ...{ streamResolution: '480x270', streamFramerate: 30, streamBitrate: 5_000_000 },
      ...{ encoderPreset: 'ultrafast', webrtcEnabled: true },
      adaptiveBitrate: { mode: 'auto', min: 500_000, max: 12_000_000, policy: 'percentile', ladder: false },
    });
    player = await WebPlayer.open(await server.browser(), server.url, {
      way: 'whep',
      authorization: basic('admin', adminPassword),
    });
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await link.close();
  });

  it('gets what people asked for while there is room', async () => {
    await expect.poll(async () => (await player.inbound()).frames, settles).toBeGreaterThan(30);
    await expect.poll(inForce, settles).toBeGreaterThan(4_500_000);
    const { active, viewers } = await server.get<State>('adaptiveState');
    expect(active).toBe(true);
    expect(Object.keys(viewers)).toEqual([expect.stringMatching(/^webrtc-\d+$/)]);
  });

  it('gets what the link carries, without a queue, and goes on playing', async () => {
    link.setCapacity(narrow);
    await expect.poll(inForce, settles).toBeLessThan(narrow);
    await expect.poll(standingQueueMs, settles).toBeLessThan(100);
    const { frames } = await player.inbound();
    await expect.poll(async () => (await player.inbound()).frames, settles).toBeGreaterThan(frames + 60);
    const { streams } = await server.get<State>('adaptiveState');
    expect(streams['stream1']?.reason).toMatch(/webrtc-\d+/);
    const { rtt, availableBandwidth } =
      await server.get<ValueOf<AppRegistry['networkStats']>>('networkStats');
    expect(rtt).toBeGreaterThan(39);
    expect(availableBandwidth).toBeLessThan(2 * narrow);
  });

  it('gets all of it again once the link is wide', async () => {
    link.setCapacity(wide);
    await expect.poll(inForce, settles).toBeGreaterThan(4_500_000);
    expect(await player.state()).toBe('connected');
  });

  it('is held to nothing once the loop is switched off, and to the bounds once it is on again', async () => {
    await server.set({ adaptiveBitrate: { mode: 'off', min: 500_000, max: 12_000_000 } });
    link.setCapacity(narrow);
    await expect.poll(standingQueueMs, settles).toBeGreaterThan(200);
    await expect.poll(inForce, settles).toBe(5_000_000);
    await server.set({ adaptiveBitrate: { mode: 'auto', min: 500_000, max: 1_000_000 } });
    await expect.poll(inForce, settles).toBeLessThanOrEqual(1_000_000);
    await expect.poll(standingQueueMs, settles).toBeLessThan(100);
  });
});
