// Hundreds of rebuilds and of viewers that come and go: what the media process holds must not grow with them.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { RtspSocket } from '../support/RtspSocket.js';
import { adminPassword } from '../support/runningServer.js';

let server: MediaServer;
beforeAll(async () => {
  server = await mediaServer();
});
afterAll(() => server.stop());

interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly megabytes: number;
}

function held(pid: number): Held {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return {
    descriptors: readdirSync(`/proc/${String(pid)}/fd`).length,
    threads: readdirSync(`/proc/${String(pid)}/task`).length,
    megabytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024,
  };
}

const credentials = `admin:${adminPassword}`;
const play = (): Promise<RtspSocket> => RtspSocket.play(server.rtspPort, '/stream1', credentials);

it('300 rebuilds while somebody watches leave nothing behind', async () => {
  const { pid } = server.mediaState();
  const viewer = await play();
  await viewer.until(({ packets }) => packets > 20);
  const rebuild = async (times: number): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      const encoderPreset = count % 2 === 0 ? 'fast' : 'ultrafast';
      expect(await server.change({ encoderPreset })).toMatchObject({ ok: true });
    }
  };
  // What is loaded and cached at first is not growth.
  await rebuild(20);
  const before = held(pid);
  await rebuild(300);
  const { packets } = viewer;
  await viewer.until((player) => player.packets > packets + 50);
  expect(viewer.closed).toBe(false);
  await expect.poll(() => held(pid).threads, { timeout: 10_000 }).toBeLessThanOrEqual(before.threads + 3);
  const after = held(pid);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 5);
  expect(after.megabytes).toBeLessThan(before.megabytes + 30);
  expect(server.mediaState().pid).toBe(pid);
  await viewer.stop();
}, 120_000);

it('300 viewers that come and go leave nothing behind', async () => {
  const { pid } = server.mediaState();
  const stays = await play();
  const comeAndGo = async (times: number): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      const viewer = await play();
      await viewer.until(({ packets }) => packets > 3);
      await viewer.stop();
    }
  };
  await comeAndGo(20);
  const before = held(pid);
  await comeAndGo(300);
  await expect
    .poll(() => held(pid).descriptors, { timeout: 10_000 })
    .toBeLessThanOrEqual(before.descriptors + 5);
  const after = held(pid);
  expect(after.threads).toBeLessThanOrEqual(before.threads + 3);
  expect(after.megabytes).toBeLessThan(before.megabytes + 30);
  expect(stays.closed).toBe(false);
  await stays.stop();
}, 120_000);

it('browsers that come and go, and those that only knock, leave nothing behind', async () => {
  const { pid } = server.mediaState();
  await server.change({ webrtcEnabled: true });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/livez`);
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const comeAndGo = (times: number): Promise<unknown> =>
      page.evaluate(`(async () => {
        const headers = { authorization: ${JSON.stringify(authorization)}, 'content-type': 'application/sdp' };
        for (let count = 0; count < ${String(times)}; count += 1) {
          const pc = new RTCPeerConnection();
          pc.addTransceiver('video', { direction: 'recvonly' });
          await pc.setLocalDescription(await pc.createOffer());
          const response = await fetch('/api/whep/stream1', { method: 'POST', headers, body: pc.localDescription.sdp });
          if (!response.ok) throw new Error(await response.text());
          const sdp = await response.text();
          // Every third goes before anything is agreed on.
          if (count % 3 !== 0) {
            await pc.setRemoteDescription({ type: 'answer', sdp });
            while (pc.connectionState !== 'connected') await new Promise((resolve) => setTimeout(resolve, 5));
          }
          const { status } = await fetch(response.headers.get('location'), { method: 'DELETE', headers });
          if (status !== 200) throw new Error('DELETE: ' + status);
          pc.close();
        }
      })()`);
    await comeAndGo(15);
    await expect.poll(() => server.media?.webrtc.list().length).toBe(0);
    const before = held(pid);
    await comeAndGo(300);
    const patience = { timeout: 20_000 };
    await expect.poll(() => held(pid).threads, patience).toBeLessThanOrEqual(before.threads + 3);
    await expect.poll(() => held(pid).descriptors, patience).toBeLessThanOrEqual(before.descriptors + 5);
    console.log(before, held(pid));
    expect(held(pid).megabytes).toBeLessThan(before.megabytes + 30);
    expect(server.mediaState().pid).toBe(pid);
  } finally {
    await browser.close();
  }
}, 120_000);
