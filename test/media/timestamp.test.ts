// The time in the picture, read back from decoded pictures.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadGStreamer } from '../../src/media/gstreamer.js';
import { readTimeBlock } from '../support/timeBlock.js';

const gst = loadGStreamer();
const width = 1280;
const height = 720;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-time-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let serial = 0;
/** Brightness of the pictures that come out of the launch text's middle part. */
async function pictures(middle: string, count = 5): Promise<Buffer[]> {
  serial += 1;
  const path = join(folder, `${String(serial)}.yuv`);
  const owner = `time#${String(serial)}`;
  const ended = new Promise<void>((resolve, reject) => {
    gst.addon.listen((json) => {
      const event = JSON.parse(json) as { event: string; pipeline?: string; message?: string };
      if (event.pipeline !== owner) return;
      if (event.event === 'ended') resolve();
      if (event.event === 'error') reject(new Error(event.message));
    });
  });
  // The hub's end is there for its word on errors and the end; the file holds what is looked at.
  const pipeline = new gst.Pipeline(
    `videotestsrc is-live=true num-buffers=${String(count)} pattern=black ! video/x-raw,format=NV12,width=${String(width)},height=${String(height)},framerate=30/1 ! ${middle} ! video/x-raw,format=NV12 ! tee name=t ! queue ! filesink location=${path} t. ! queue ! hubsink channel=${owner} owner=${owner}`,
  );
  pipeline.play();
  await ended;
  gst.addon.release(owner);
  const bytes = await readFile(path);
  const size = (width * height * 3) / 2;
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, index * size + width * height),
  );
}

/** The part of the picture that is not black, as left, top, right and bottom. */
function drawn(picture: Buffer): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if ((picture[y * width + x] ?? 0) > 128) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
  return [left, top, right, bottom];
}

describe('the block for programs', () => {
  it('holds the time of capture, evenly spaced, in every picture', async () => {
    const before = Date.now();
    const times = (await pictures('nv12timestamp text=false block=8')).map((each) =>
      readTimeBlock(each, width, 8),
    );
    const after = Date.now();
    expect(times).toHaveLength(5);
    for (const time of times) {
      expect(time).toBeGreaterThan(before * 1000 - 1_000_000);
      expect(time).toBeLessThan(after * 1000 + 1_000_000);
    }
    const gaps = times.slice(1).map((time, index) => (time ?? 0) - (times[index] ?? 0));
    for (const gap of gaps) expect(Math.abs(gap - 1_000_000 / 30)).toBeLessThan(2000);
  });

  it('survives an encoder', async () => {
    const middle =
      'nv12timestamp text=false block=8 ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 ! h264parse ! openh264dec ! videoconvert';
    for (const picture of await pictures(middle)) expect(readTimeBlock(picture, width, 8)).toBeDefined();
  });

  it('is not seen where there is none', async () => {
    const [picture] = await pictures('identity', 1);
    expect(readTimeBlock(picture ?? Buffer.alloc(0), width, 8)).toBeUndefined();
  });
});

describe('the text for people', () => {
  it.each([
    ['top-left', true, true],
    ['top-right', false, true],
    ['bottom-left', true, false],
    ['bottom-right', false, false],
  ])('stands %s', async (position, isLeft, isTop) => {
    const [picture = Buffer.alloc(0)] = await pictures(`nv12timestamp position=${position} size=28`, 1);
    const [left, top, right, bottom] = drawn(picture);
    expect(right - left).toBeGreaterThan(300);
    // Seven dots of four pixels.
    expect(bottom - top + 1).toBe(28);
    expect(left < width / 4).toBe(isLeft);
    expect(bottom < height / 4).toBe(isTop);
  });

  it('is longer with the offset of a time zone than with the Z of UTC, and can be switched off', async () => {
    const widthOf = async (middle: string): Promise<number> => {
      const [left, , right] = drawn((await pictures(middle, 1))[0] ?? Buffer.alloc(0));
      return right - left;
    };
    // +02:00 or +01:00 in place of Z.
    expect(await widthOf('nv12timestamp size=14 time-zone=Europe/Berlin')).toBeGreaterThan(
      (await widthOf('nv12timestamp size=14')) + 4 * 12,
    );
    expect(await widthOf('nv12timestamp text=false')).toBeLessThan(0);
  });

  it('is cut off where the picture is too small for it', async () => {
    const small =
      'videoscale ! video/x-raw,width=160,height=120 ! nv12timestamp position=top-left size=100 block=32';
    const [picture = Buffer.alloc(0)] = await pictures(
      `${small} ! videoscale ! video/x-raw,width=${String(width)},height=${String(height)} ! identity`,
      1,
    );
    expect(drawn(picture)[2]).toBeGreaterThan(0);
  });
});
