// Hundreds of rebuilds and of viewers that come and go: what the media process holds must not grow with them.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
  expect(after.megabytes).toBeLessThan(before.megabytes + 60);
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
  expect(after.megabytes).toBeLessThan(before.megabytes + 60);
  expect(stays.closed).toBe(false);
  await stays.stop();
}, 120_000);
