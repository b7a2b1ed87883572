// What the service manager hears of a server with video from its start to its end, and what its log says meanwhile.
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { RtspViewer } from '../support/RtspViewer.js';
import { freePorts } from '../support/ports.js';
import { ServiceManager } from '../support/ServiceManager.js';
import { dataFolder, endProcesses, processPassword, startProcess } from '../support/serverProcess.js';

let manager: ServiceManager | undefined;
afterAll(async () => {
  await endProcesses();
  await manager?.close();
});

const authorization = `Basic ${Buffer.from(`admin:${processPassword}`).toString('base64')}`;
const cameraPassword = 'Very-Secret-17';

it('a server with video reports to systemd as long as it lives, and keeps secrets out of its log', async () => {
  const folder = await dataFolder();
  const socket = join(folder, 'notify');
  const systemd = await ServiceManager.listen(socket);
  manager = systemd;
  const [rtspPort = 0, nobody = 0] = await freePorts(2);
  const server = await startProcess(join(folder, 'data'), {
    ...{ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000', OBSCURA_MEDIA: 'on', OBSCURA_DEVICES: folder },
    OBSCURA_RTSP_PORT: String(rtspPort),
    CAMERA_RTSP_URL: `rtsp://eye:${cameraPassword}@127.0.0.1:${String(nobody)}/`,
  });
  const wait = { timeout: 15_000 };
  const watch = (): RtspViewer =>
    new RtspViewer(`rtsp://admin:${processPassword}@127.0.0.1:${String(rtspPort)}/stream1`);
  await expect.poll(() => systemd.count('READY=1'), wait).toBe(1);
  // A camera that does not answer is told, and is no reason to end the server.
  const viewer = watch();
  await expect
    .poll(() => systemd.heard, wait)
    .toContainEqual(expect.stringMatching(/^STATUS=1 viewer, \d+\.\d Mbit\/s; camera\/primary: ./));
  const beats = (): number => systemd.count('WATCHDOG=1');
  const soFar = beats();
  expect(soFar).toBeGreaterThan(0);
  await expect.poll(beats).toBeGreaterThan(soFar + 1);

  const logs = async (query = ''): Promise<string> =>
    await (await fetch(`${server.url}/api/logs${query}`, { headers: { authorization } })).text();
  // GStreamer itself says more than its errors do, and it repeats the address.
  await expect.poll(() => logs('?level=warn'), wait).toContain('"category":"rtspsrc"');
  for (const text of [await logs(), server.output()]) expect(text).not.toContain(cameraPassword);

  // A media process that hangs is replaced, which the watchdog leaves to the supervisor.
  const pid = Number(/Video runs on .* in process (\d+)/.exec(server.output())?.[1]);
  process.kill(pid, 'SIGSTOP');
  await expect.poll(server.output, wait).toContain('hangs and is ended');
  const before = beats();
  await expect.poll(beats).toBeGreaterThan(before + 1);
  await viewer.close();

  server.child.kill('SIGTERM');
  expect(await server.exit()).toBe(0);
  await expect.poll(() => systemd.count('STOPPING=1')).toBe(1);
}, 40_000);
