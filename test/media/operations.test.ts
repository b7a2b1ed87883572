// Health and figures of a server whose camera goes, whose viewers come, and whose media process ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HookReceiver } from '../support/HookReceiver.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { freePorts } from '../support/ports.js';
import { RtspViewer } from '../support/RtspViewer.js';

let server: MediaServer;
let receiver: HookReceiver;
let cameraPort = 0;
const children: ChildProcess[] = [];
beforeAll(async () => {
  server = await mediaServer();
  receiver = await HookReceiver.open();
  [cameraPort = 0] = await freePorts(1);
});
afterAll(async () => {
  for (const child of children) await end(child);
  await server.stop();
  await receiver.close();
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Gives H.264 to whoever connects first, and ends with that connection. */
function camera(): ChildProcess {
  const child = spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'color=red:size=320x180:rate=25'],
      ...['-c:v', 'libx264', '-tune', 'zerolatency', '-g', '25', '-f', 'h264'],
      `tcp://127.0.0.1:${String(cameraPort)}?listen=1`,
    ],
    { stdio: 'ignore' },
  );
  children.push(child);
  return child;
}

interface Ready {
  readonly status: number;
  readonly failing: readonly string[];
}
async function readiness(query = ''): Promise<Ready> {
  const answer = await fetch(`${server.url}/readyz${query}`);
  const { checks } = (await answer.json()) as { checks: { name: string; ok: boolean; reason?: string }[] };
  return {
    status: answer.status,
    failing: checks.filter(({ ok }) => !ok).map(({ name, reason = '' }) => `${name} ${reason}`),
  };
}

async function figures(): Promise<Map<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}
const figure = async (name: string): Promise<number> => (await figures()).get(name) ?? -1;

it('is ready without a viewer, and says which GStreamer runs', async () => {
  await expect.poll(readiness).toEqual({ status: 200, failing: [] });
  const build = [...(await figures()).keys()].find((name) => name.startsWith('obscura_build_info'));
  expect(build).toMatch(/gstreamer="\d+\.\d+\.\d+"/);
  await expect.poll(() => figure('obscura_native_loop_lag_seconds')).toBeGreaterThanOrEqual(0);
});

it('is not ready while somebody watches and the camera gives nothing, and is again when it does', async () => {
  const hook = { name: 'nvr', url: receiver.url, enabled: true };
  const events = ['client-connected', 'client-disconnected', 'source-lost', 'source-back'] as const;
  await server.change({ webhooks: [{ ...hook, events: [...events] }] });
  const heads = server.store.get('cameraHeadSettings');
  const address = `tcp://127.0.0.1:${String(cameraPort)}`;
  const first = camera();
  await server.change({
    cameraHeadSettings: { ...heads, primary: { ...heads.primary, source: 'tcp', url: address } },
  });
  const viewer = new RtspViewer(server.rtsp());
  await viewer.more(2);
  await expect.poll(() => server.store.get('cameraStatus').primary.state, { timeout: 10_000 }).toBe('live');
  await expect.poll(readiness).toEqual({ status: 200, failing: [] });
  await expect.poll(() => figure('obscura_clients{protocol="rtsp",stream="stream1"}')).toBe(1);
  // Nobody who watches may be told from the figures.
  for (const name of (await figures()).keys()) expect(name).not.toMatch(/"admin"|127\.0\.0\.1|rtsp-\d/);

  // On its way to the first picture the camera may have been missed for a moment.
  await expect.poll(() => receiver.events()).toContain('client-connected');
  const already = receiver.events().length;
  await end(first);
  await expect.poll(async () => (await readiness()).status, { timeout: 10_000 }).toBe(503);
  expect((await readiness()).failing).toEqual([expect.stringMatching(/^camera\/primary .{5}/)]);
  // Whoever is served well by the card says so.
  expect((await readiness('?exclude=camera')).status).toBe(200);
  expect((await readiness('?exclude=cam')).status).toBe(503);
  expect(await figure('obscura_ready')).toBe(0);
  expect(await figure('obscura_camera_state{camera="primary",state="no signal"}')).toBe(1);
  await viewer.more(2);

  camera();
  await expect.poll(readiness, { timeout: 15_000 }).toEqual({ status: 200, failing: [] });
  await viewer.close();
  await expect
    .poll(() => receiver.events().slice(already))
    .toEqual(['source-lost', 'source-back', 'client-disconnected']);
  expect(receiver.heard.find(({ event }) => event === 'client-connected')?.data).toMatchObject({
    protocol: 'rtsp',
    stream: 'stream1',
    user: 'admin',
  });
  await server.change({ webhooks: [], cameraHeadSettings: heads });
});

it('counts on when the media process starts anew', async () => {
  const names = [
    'obscura_frames_total{stream="stream1",result="encoded"}',
    'obscura_sent_bytes_total{stream="stream1",protocol="rtsp"}',
  ] as const;
  const watch = async (): Promise<RtspViewer> => {
    const viewer = new RtspViewer(server.rtsp());
    await viewer.more(5);
    return viewer;
  };
  const first = await watch();
  // As the beats tell it, not as the viewer sees it.
  for (const name of names) await expect.poll(() => figure(name)).toBeGreaterThan(0);
  const before = await figures();
  const { pid } = server.mediaState();
  process.kill(pid, 'SIGKILL');
  await first.whenEnded();
  await expect.poll(async () => (await readiness()).failing.join(), { timeout: 5000 }).toContain('media');
  expect((await figures()).get(names[0])).toBeGreaterThanOrEqual(before.get(names[0]) ?? Infinity);
  await expect.poll(readiness, { timeout: 15_000 }).toEqual({ status: 200, failing: [] });
  const second = await watch();
  for (const name of names)
    await expect.poll(() => figure(name)).toBeGreaterThan(before.get(name) ?? Infinity);
  expect(await figure('obscura_media_restarts_total')).toBe(1);
  await second.close();
});

it('counts what is made anew for other settings, and how long that takes', async () => {
  const viewer = new RtspViewer(server.rtsp());
  await viewer.more(2);
  expect(await server.change({ encoderPreset: 'fast' })).toMatchObject({ ok: true });
  await expect
    .poll(() => figure('obscura_pipeline_rebuilds_total{pipeline="encode/stream1",reason="settings"}'))
    .toBe(1);
  expect(await figure('obscura_pipeline_rebuild_duration_seconds_count{pipeline="encode/stream1"}')).toBe(1);
  expect(await figure('obscura_pipeline_state{pipeline="encode/stream1",state="running"}')).toBe(1);
  await viewer.close();
});
