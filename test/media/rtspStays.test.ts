// What viewers over RTSP see of changes that they are to stay through.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { freePorts, listeningSomewhere } from '../support/ports.js';
import { longestGap, RtspAudience } from '../support/RtspAudience.js';
import type { SeenFrame } from '../support/RtspViewer.js';

let server: MediaServer;
const audience = new RtspAudience();
const watch = (url = server.rtsp(), transport?: 'tcp' | 'udp') => audience.watch(url, transport);

beforeAll(async () => {
  server = await mediaServer();
});
afterAll(() => server.stop());
afterEach(() => audience.leave());

function isEven(frames: readonly SeenFrame[], rate: number): boolean {
  return frames
    .slice(1)
    .every(({ time }, index) => Math.abs((time - (frames[index]?.time ?? 0)) * rate - 1) < 0.1);
}

describe('a viewer stays', () => {
  it('whatever is changed about the picture, and misses no more than it must', async () => {
    const both = [await watch(server.rtsp(), 'tcp'), await watch(server.rtsp(), 'udp')];
    // Past what was before they came.
    for (const viewer of both)
      await viewer.until((frames) => frames.length > 3 && isEven(frames.slice(-3), 30));
    for (const [patch, rate, mayMiss, width] of [
      [{ streamBitrate: 2_000_000 }, 30, 0, 640],
      [{ streamResolution: '1280x720' }, 30, 0, 1280],
      [{ streamResolution: '640x360' }, 30, 0, 640],
      [{ encoderPreset: 'fast' }, 30, 3, 640],
      [{ encoderProfile: 'baseline' }, 30, 3, 640],
      [{ streamLatencyMode: 'normal' }, 30, 3, 640],
      [{ streamFramerate: 15 }, 15, 3, 640],
      [
        { streamFramerate: 30, encoderPreset: 'ultrafast', encoderProfile: 'high', streamLatencyMode: 'low' },
        15,
        3,
        640,
      ],
    ] as const) {
      const before = both.map(({ frames }) => frames.length);
      expect(await server.change(patch)).toMatchObject({ ok: true });
      for (const [index, viewer] of both.entries()) {
        await viewer.until(
          (frames) => frames.length > (before[index] ?? 0) + 25 && frames.at(-1)?.width === width,
        );
        const gap = longestGap(viewer.frames.slice((before[index] ?? 1) - 1), rate);
        expect([patch, gap < mayMiss + 1.5], `${String(gap)} pictures`).toEqual([patch, true]);
        expect(viewer.ended).toBeUndefined();
      }
    }
    expect(both.map(({ complaints }) => complaints)).toEqual(['', '']);
    expect(server.pipelines().map(({ name, restarts }) => [name, restarts])).toEqual([
      ['capture/primary', 0],
      ['encode/stream1', 0],
      ['encode/stream2', 0],
    ]);
  });

  it('when the server moves to another port, which new ones use', async () => {
    const old = await watch();
    const before = server.rtsp();
    const [next = 0] = await freePorts(1);
    expect(await server.change({ rtspPort: next })).toMatchObject({ ok: true });
    await old.more(10);
    await watch(server.rtsp());
    expect((await run('ffprobe', ['-v', 'error', before])).code).not.toBe(0);
  });

  it('when the port that was wished is taken: the setting goes back, and says why', async () => {
    const viewer = await watch();
    const somebody = await listeningSomewhere();
    const { port } = somebody.address() as { port: number };
    const before = server.store.get('rtspPort');
    const outcome = await server.change({ rtspPort: port });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'failed', key: 'rtspPort' } });
    expect(JSON.stringify(outcome)).toContain(`Port ${String(port)} cannot be used`);
    await expect.poll(() => server.store.get('rtspPort')).toBe(before);
    await viewer.more(5);
    await watch(server.rtsp());
    await new Promise((resolve) => somebody.close(resolve));
  });

  it('when an encoder is wished that the machine does not have, with those that it has', async () => {
    const viewer = await watch();
    expect(await server.change({ encoderElement: 'nvh264enc' })).toMatchObject({
      ok: false,
      error: {
        code: 'failed',
        key: 'encoderElement',
        message: expect.stringMatching(/no nvh264enc, but .*x264enc.* for h264/) as string,
      },
    });
    await expect.poll(() => server.store.get('encoderElement')).toBe('auto');
    await viewer.more(10);
  });

  it('when an encoder is wished that this machine does not have: what ran goes on', async () => {
    const viewer = await watch();
    const outcome = await server.change({ encoderElement: 'v4l2h264enc' });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'failed', key: 'encoderElement' } });
    await expect.poll(() => server.store.get('encoderElement')).toBe('auto');
    await viewer.more(10);
  });
});
