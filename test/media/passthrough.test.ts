// A stream for which nothing has to be changed is what the camera has encoded; where pixels are needed it is encoded
// here, and viewers do not notice which.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { AppRegistry } from '../../src/observables/registry.js';
import type { Patch } from '../../src/store/store.js';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { RtspCamera } from '../support/RtspCamera.js';
import { RtspSocket } from '../support/RtspSocket.js';
import { adminPassword } from '../support/runningServer.js';
import { TimeViewer } from '../support/TimeViewer.js';

let camera: MediaServer;
let server: MediaServer;
const viewers: { close(): Promise<void> }[] = [];
/** Captured so far apart, in microseconds. */
const interval = 1e6 / 30;

const noOverlay = (of: MediaServer): Patch<AppRegistry> => ({
  timestampOverlay: { ...of.store.get('timestampOverlay'), enabled: false },
});

beforeAll(async () => {
  camera = await mediaServer();
  server = await mediaServer();
  // What the camera draws tells apart each of its pictures.
  await camera.change({ ...noOverlay(camera), timeBlock: true });
  const heads = server.store.get('cameraHeadSettings');
  const primary = {
    ...{ ...heads.primary, source: 'rtsp' as const, username: 'admin', password: adminPassword },
    url: `rtsp://127.0.0.1:${String(camera.rtspPort)}/stream1`,
  };
  expect(
    await server.change({ ...noOverlay(server), cameraHeadSettings: { ...heads, primary } }),
  ).toMatchObject({ ok: true });
});
afterAll(async () => {
  await server.stop();
  await camera.stop();
});
afterEach(async () => {
  for (const viewer of viewers.splice(0)) await viewer.close();
});

/** Takes another camera in place of the usual one, until the end of the test. */
async function useOther(launch: string): Promise<void> {
  const other = await RtspCamera.start(launch);
  viewers.push({ close: () => other.stop() });
  const heads = server.store.get('cameraHeadSettings');
  const { username: _name, password: _password, ...primary } = heads.primary;
  const change = { cameraHeadSettings: { ...heads, primary: { ...primary, url: other.url } } };
  expect(await server.change(change)).toMatchObject({ ok: true });
}

function watch(path?: string): TimeViewer {
  const viewer = new TimeViewer(server.rtsp(path), 'tcp');
  viewers.push(viewer);
  return viewer;
}

const state = (name: string) => server.pipelines().find((pipeline) => pipeline.name === name);
const passing = () => server.store.get('streamPassthroughStatus').stream1;
const untilItPasses = () =>
  expect
    .poll(() => state('encode/stream1')?.text, { timeout: 10_000 })
    .toMatch(/^hubsrc name=frames channel=coded/);

it('passes on what the camera sends, byte for byte, without a decoder or an encoder', async () => {
  const viewer = watch();
  await viewer.more(5);
  await untilItPasses();
  await expect.poll(passing).toEqual({ active: true });
  await expect.poll(() => state('decode/primary')?.state, { timeout: 10_000 }).toBe('idle');
  const running = server.pipelines().filter(({ state: now }) => now === 'running');
  expect(running.map(({ name }) => name).sort()).toEqual(['capture/primary', 'encode/stream1']);
  for (const { name } of running) {
    const graph = await server.media?.graph(name);
    const kinds = graph?.elements.map(({ factory }) => factory) ?? [];
    expect(kinds).toContain('h264parse');
    expect(kinds.filter((kind) => /enc|decode|avdec|scale|convert/.test(kind))).toEqual([]);
  }
  const pictures = async (of: MediaServer): Promise<string[]> => {
    const from = ['-v', 'error', '-rtsp_transport', 'tcp', '-i', of.rtsp()];
    const hashes = ['-c', 'copy', '-frames:v', '100', '-f', 'framemd5', '-'];
    const { code, out } = await run('ffmpeg', [...from, ...hashes]);
    expect(code).toBe(0);
    return out.split('\n').flatMap((line) => (line.startsWith('0,') ? [line.split(',')[5] ?? ''] : []));
  };
  const [sent, passed] = await Promise.all([pictures(camera), pictures(server)]);
  const known = new Set(sent);
  const both = passed.filter((each) => known.has(each));
  expect(both.length).toBeGreaterThan(30);
  // In one piece: what is strange stands before or after.
  const [first, last] = [passed.indexOf(both[0] ?? ''), passed.lastIndexOf(both.at(-1) ?? '')];
  expect(passed.slice(first, last + 1).filter((each) => !known.has(each))).toEqual([]);
});

it('is encoded while something has to be drawn or another size is asked for, and viewers miss nothing', async () => {
  const viewer = watch();
  await viewer.more(5);
  await untilItPasses();
  // Past what was before it came.
  await viewer.more(30);
  const overlay = server.store.get('timestampOverlay');
  const changes: readonly (readonly [Patch<AppRegistry>, RegExp, Patch<AppRegistry>])[] = [
    [{ timestampOverlay: { ...overlay, enabled: true } }, /time is drawn/, { timestampOverlay: overlay }],
    [{ streamFramerate: 25 }, /sends 30 frames/, { streamFramerate: 30 }],
    [{ pipEnabled: true }, /two cameras/, { pipEnabled: false }],
    [{ streamPassthrough: false }, /switched off/, { streamPassthrough: true }],
  ];
  for (const [there, reason, back] of changes) {
    const before = viewer.frames.length;
    expect(await server.change(there)).toMatchObject({ ok: true });
    expect(passing()).toEqual({ active: false, reason: expect.stringMatching(reason) as string });
    await viewer.more(20);
    expect(state('encode/stream1')?.text).toMatch(/x264enc/);
    expect(await server.change(back)).toMatchObject({ ok: true });
    await untilItPasses();
    await viewer.more(20);
    const times = viewer.frames.slice(before).map(({ captured }) => captured ?? 0);
    // One cannot be read at each of the two changes, at most.
    expect(times.filter((time) => time === 0).length).toBeLessThanOrEqual(2);
    const seen = times.filter((time) => time > 0);
    const steps = seen.slice(1).map((time, index) => (time - (seen[index] ?? 0)) / interval);
    // Never backwards. Where two cameras are put together their pictures wait for each other, and the one of before is
    // seen again in place of one that comes too late; where the rate is lower on purpose, every sixth picture is left out.
    const key = Object.keys(there)[0];
    const twice = steps.filter((step) => step < 0.5).length;
    const missed = steps.filter((step) => step > 1.5).length;
    expect({ key, steps }).toSatisfy(() => Math.min(...steps) >= 0 && Math.max(...steps) < 3.5);
    if (key !== 'pipEnabled') expect({ key, twice }).toEqual({ key, twice: 0 });
    if (!['pipEnabled', 'streamFramerate'].includes(key ?? ''))
      expect({ key, missed }).toSatisfy(() => missed <= 1);
  }
  expect(viewer.ended).toBe(undefined);
});

it('is decoded for those who want another size, and the stream passes all the same', async () => {
  const viewer = watch();
  await viewer.more(5);
  await untilItPasses();
  const other = await RtspSocket.play(server.rtspPort, '/stream2', `admin:${adminPassword}`);
  await other.until(({ pictures }) => pictures >= 10);
  expect(state('decode/primary')?.state).toBe('running');
  expect(state('encode/stream1')?.text).toMatch(/coded\/primary/);
  expect(passing()).toEqual({ active: true });
  await other.stop();
  await expect.poll(() => state('decode/primary')?.state, { timeout: 10_000 }).toBe('idle');
  const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
  const photo = await fetch(`${server.url}/camera.jpeg`, { headers: { authorization } });
  expect([photo.status, photo.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
  expect([state('encode/stream1')?.text, passing()]).toEqual([
    expect.stringMatching(/coded\/primary/),
    { active: true },
  ]);
  await viewer.more(5);
});

it('shows the card when the camera goes, and passes it on again when it returns', async () => {
  const viewer = watch();
  await viewer.more(5);
  await untilItPasses();
  await camera.change({ rtspEnabled: false });
  // The card has no time block.
  await expect
    .poll(() => viewer.frames.slice(-5).every(({ captured }) => captured === undefined), { timeout: 10_000 })
    .toBe(true);
  await expect.poll(() => server.store.get('cameraStatus').primary.state).toBe('no signal');
  await camera.change({ rtspEnabled: true });
  await expect
    .poll(() => viewer.frames.slice(-5).every(({ captured }) => captured !== undefined), { timeout: 20_000 })
    .toBe(true);
  expect(viewer.ended).toBe(undefined);
  expect(passing()).toEqual({ active: true });
});

it('keeps the order of pictures that are not sent in the order in which they are shown', async () => {
  await useOther(
    'videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! x264enc bframes=2 b-adapt=false key-int-max=30 speed-preset=ultrafast rc-lookahead=0 ! video/x-h264,profile=main ! rtph264pay name=pay0',
  );
  const viewer = watch();
  await viewer.more(5);
  await untilItPasses();
  const words = ['-show_entries', 'packet=pts_time', '-read_intervals', '%+#60', '-of', 'csv=p=0'];
  const { out } = await run('ffprobe', ['-v', 'error', '-rtsp_transport', 'tcp', ...words, server.rtsp()]);
  const sent = [...out.matchAll(/^[\d.]+/gm)].map(([time]) => Number(time));
  // The first may be those since the last keyframe, of which nobody knows the distance.
  const late = sent.slice(-40);
  const shown = [...late].sort((one, other) => one - other);
  expect(late).not.toEqual(shown);
  const gaps = shown.slice(1).map((time, index) => time - (shown[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(0.02);
  await viewer.more(5);
});

it('decodes what browsers do not understand', async () => {
  await useOther(
    'videotestsrc is-live=true ! video/x-raw,format=I420,width=640,height=360,framerate=10/1 ! x265enc speed-preset=ultrafast tune=zerolatency key-int-max=10 ! h265parse config-interval=-1 ! rtph265pay name=pay0',
  );
  const viewer = watch();
  await expect
    .poll(() => server.store.get('cameraFormats').primary, { timeout: 10_000 })
    .toEqual({
      codec: 'h265',
      width: 640,
      height: 360,
      framerate: 10,
      from: expect.stringMatching(/^rtsp rtsp:/) as string,
    });
  await expect
    .poll(passing)
    .toEqual({ active: false, reason: 'the camera sends h265, and h264 is asked for' });
  await viewer.more(10);
  expect(state('encode/stream1')?.text).toMatch(/x264enc/);
});
