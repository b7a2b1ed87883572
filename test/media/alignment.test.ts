// Two cameras whose pictures take different times to come are put together by when they were taken; and clients that
// fetch two streams can do the same.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DelayRelay } from '../support/DelayRelay.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { RawVideo } from '../support/RawVideo.js';
import { RtcListener } from '../support/RtcListener.js';
import { RtspSocket } from '../support/RtspSocket.js';
import { adminPassword } from '../support/runningServer.js';
import { TakenTimes } from '../support/TakenTimes.js';
import { readTimeRow } from '../support/timeBlock.js';

let camera: MediaServer;
beforeAll(async () => {
  camera = await mediaServer();
  const timestampOverlay = { ...camera.store.get('timestampOverlay'), enabled: false };
  await camera.change({ timestampOverlay, timeBlock: true });
});
afterAll(() => camera.stop());

describe('two cameras in one picture', () => {
  let server: MediaServer;
  let relay: DelayRelay;
  let viewer: RawVideo;
  /** Of each picture, by how many milliseconds its two halves differ. */
  const skews: number[] = [];
  const width = 1280;
  const cell = 8;

  beforeAll(async () => {
    server = await mediaServer();
    relay = await DelayRelay.before(camera.rtspPort);
    const heads = server.store.get('cameraHeadSettings');
    const head = (port: number) => ({
      ...{
        ...heads.primary,
        source: 'rtsp' as const,
        username: 'admin',
        password: adminPassword,
        latencyMs: 50,
      },
      url: `rtsp://127.0.0.1:${String(port)}/stream1`,
    });
    expect(
      await server.change({
        timestampOverlay: { ...server.store.get('timestampOverlay'), enabled: false },
        streamResolution: '1280x720',
        streamBitrate: 4_000_000,
        cameraHeadSettings: { primary: head(camera.rtspPort), secondary: head(relay.port) },
        pipEnabled: true,
        pipLayout: { ...server.store.get('pipLayout'), arrangement: 'side-by-side' },
      }),
    ).toMatchObject({ ok: true });
    // Each half is 640x360 in the middle of its height, and its block is as the camera drew it.
    const filters = `format=gray,crop=iw:1:0:${String(180 + Math.floor(2.5 * cell))}`;
    viewer = new RawVideo(server.rtsp(), { filters, pixelFormat: 'gray', size: width }, (row) => {
      const [left, right] = [row.subarray(0, width / 2), row.subarray(width / 2)].map((half) =>
        readTimeRow(half, cell),
      );
      if (left !== undefined && right !== undefined) skews.push(Math.abs(left - right) / 1000);
    });
  });
  afterAll(async () => {
    await viewer.close();
    await server.stop();
    await relay.stop();
  });

  async function align(patch: object): Promise<void> {
    const streamAlignment = { ...server.store.get('streamAlignment'), ...patch };
    expect(await server.change({ streamAlignment })).toMatchObject({ ok: true });
    skews.length = 0;
  }
  const status = () => server.store.get('alignmentStatus');
  /** Half a second of pictures, when as many have come since the last change. */
  const lately = () => (skews.length < 30 ? [] : skews.slice(-15));
  const all = (fits: (skew: number) => boolean) => lately().length > 0 && lately().every(fits);
  const tolerance = 34;

  it.each([0, 40, 120, 250])('%i ms apart are shown together by when they were taken', async (delay) => {
    relay.delay = delay;
    relay.jitter = 20;
    await align({ enabled: true, method: 'timestamp', maxLatencyMs: 600 });
    await expect.poll(() => all((skew) => skew <= tolerance), { timeout: 20_000 }).toBe(true);
    await expect.poll(status, { timeout: 5000 }).toMatchObject({ state: 'aligned' });
    expect(status().skewMs.median).toBeLessThanOrEqual(33);
    if (delay < 100) return;

    await align({ enabled: false });
    await expect.poll(() => all((skew) => skew > delay / 2), { timeout: 10_000 }).toBe(true);
    await expect
      .poll(status, { timeout: 5000 })
      .toMatchObject({ state: 'off', reason: expect.any(String) as string });
    expect(status().skewMs.median).toBeGreaterThan(delay / 2);
  });

  it.each(['hardware', 'software'])('by the method %s keep what the network did to them', async (method) => {
    relay.delay = 250;
    await align({ enabled: true, method, maxLatencyMs: 600 });
    await expect.poll(() => all((skew) => skew > 100), { timeout: 10_000 }).toBe(true);
    await expect.poll(status, { timeout: 5000 }).toMatchObject({
      state: 'out of tolerance',
      reason: `By the method ${method} nobody looks at when the pictures were taken; timestamp does`,
    });
  });

  it('are shown all the same where nobody wants to wait for so long, and that is told', async () => {
    relay.delay = 250;
    await align({ enabled: true, method: 'timestamp', maxLatencyMs: 100 });
    await expect.poll(() => all((skew) => skew > tolerance), { timeout: 10_000 }).toBe(true);
    await expect
      .poll(status, { timeout: 5000 })
      .toMatchObject({ state: 'out of tolerance', reason: expect.stringMatching(/maxLatencyMs/) as string });
    // Both go on.
    const seen = skews.length;
    await expect.poll(() => skews.length - seen).toBeGreaterThan(15);
  });
});

it('streams of one server say when their pictures were taken, by one clock, over RTSP and WebRTC', async () => {
  const { store } = camera;
  await camera.change({
    webrtcEnabled: true,
    // Long between being taken and being sent, and far from each other: the times of both are told apart.
    streamLatencyMode: 'normal',
    encoderPreset: 'fast',
    streamFramerate: 10,
    stream2: { ...store.get('stream2'), resolution: '320x180', framerate: 10 },
  });
  const overRtsp = await Promise.all(
    ['/stream1', '/stream2'].map(async (path) => {
      const times = new TakenTimes();
      const player = await RtspSocket.play(camera.rtspPort, path, `admin:${adminPassword}`, {
        onPacket: (channel, packet) => {
          if (channel === 0) {
            if (((packet[1] ?? 0) & 0x80) !== 0) times.picture(packet.readUInt32BE(4));
          } else if (packet[1] === 200)
            times.told(packet.readUInt32BE(8), packet.readUInt32BE(12), packet.readUInt32BE(16));
        },
      });
      return { player, times };
    }),
  );
  const overWebRtc = await RtcListener.play(camera);
  const all = [...overRtsp.map(({ times }) => times), overWebRtc.times];
  await overWebRtc.until(() => overWebRtc.times.taken().length >= 25);
  for (const { player, times } of overRtsp) await player.until(() => times.taken().length >= 25);
  const [first = [], ...others] = all.map((times) => times.taken());
  const last = Math.min(...[first, ...others].map((times) => times.at(-1) ?? 0));
  // The same pictures, each in all streams.
  const shared = first.filter((time) => time <= last).slice(-15);
  for (const other of others) {
    const apart = shared.map((time) => Math.min(...other.map((each) => Math.abs(each - time))));
    const sorted = apart.toSorted((one, another) => one - another);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(3);
  }
  // And by the clock on the wall.
  const age = Date.now() - last;
  expect([age > -5, age < 2000]).toEqual([true, true]);
  for (const { player } of overRtsp) await player.stop();
  await overWebRtc.stop();
});
