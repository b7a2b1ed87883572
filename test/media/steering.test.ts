// Encoders that are steered while they run: the bitrate follows, and nobody who watches notices anything else.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChannelReport, PipelineReport, Steering } from '../../src/media/messages.js';
import { MediaLab } from '../support/MediaLab.js';

let lab: MediaLab;
beforeAll(async () => {
  lab = await MediaLab.open({ streamPreload: { stream1: 'on', stream2: 'off' } });
});
afterAll(() => lab.close());

const framerate = 30;
/** By the clock of the encoder, in pictures. */
const keyframeEvery = 60;
type Figures = Pick<ChannelReport, 'frames' | 'bytes' | 'keyframes' | 'changes' | 'dropped'>;
const nothing: Figures = { frames: 0, bytes: 0, keyframes: 0, changes: 0, dropped: 0 };
const channel = (name = 'stream1'): Figures => lab.beat.channels[name] ?? nothing;
const encoder = (name = 'encode/stream1'): PipelineReport | undefined =>
  lab.beat.pipelines.find((each) => each.name === name);
const steer = (steering: Steering): Promise<unknown> => lab.supervisor.order('steer', steering);

/** So many more pictures, and what the hub counted of them. */
async function pictures(count: number): Promise<Pick<Figures, 'frames' | 'bytes'>> {
  const before = channel();
  await expect
    .poll(() => channel().frames, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(before.frames + count);
  const after = channel();
  return { frames: after.frames - before.frames, bytes: after.bytes - before.bytes };
}

/** Bits a second of the stream's own time, not of the clock on the wall. */
async function bitrate(): Promise<number> {
  // The encoder is given a moment to follow, and a keyframe its place in the mean.
  await pictures(15);
  const { frames, bytes } = await pictures(keyframeEvery);
  return (bytes * 8 * framerate) / frames;
}

it('follows, and stays where it is told', async () => {
  await pictures(5);
  expect(encoder()).toMatchObject({ encoderBitrate: 1_500_000 });
  const free = await bitrate();
  await steer({ stream1: 400_000 });
  const held = await bitrate();
  expect(encoder()).toMatchObject({ encoderBitrate: 400_000 });
  expect(free).toBeGreaterThan(1_000_000);
  expect(held).toBeLessThan(480_000);
  expect(held).toBeGreaterThan(240_000);
});

it('fifty times: no picture is lost, no keyframe forced, and nothing begins anew', async () => {
  await pictures(1);
  const since = encoder()?.since;
  const behind = (): number => {
    // What a busy machine has not come to encode is dropped before the encoder, and counted.
    const { frames, dropped } = channel('raw/primary');
    return frames - dropped - channel().frames;
  };
  const [before, behindBefore] = [channel(), behind()];
  for (let turn = 0; turn < 50; turn += 1) {
    const { frames } = channel();
    await steer({ stream1: 300_000 + 20_000 * ((turn * 37) % 50) });
    if (turn % 10 === 0) await expect.poll(() => channel().frames).toBeGreaterThan(frames);
  }
  await pictures(30);
  const after = channel();
  expect(encoder()).toMatchObject({ state: 'running', restarts: 0, since });
  expect(after.changes).toBe(before.changes);
  const keyframes = after.keyframes - before.keyframes;
  expect(keyframes).toBeLessThanOrEqual(Math.ceil((after.frames - before.frames) / keyframeEvery));
  // Each picture of the camera became one of the stream; two may wait, and one be under way.
  expect(Math.abs(behind() - behindBefore)).toBeLessThanOrEqual(3);
});

it('outlives a new pipeline, never exceeds what the plan asks for, and ends', async () => {
  await steer({ stream1: 400_000 });
  await lab.change({ encoderPreset: 'fast' });
  expect(await bitrate()).toBeLessThan(480_000);
  await lab.change({ streamBitrate: 300_000 });
  await expect.poll(() => encoder()?.encoderBitrate).toBe(300_000);
  await lab.change({ streamBitrate: 1_000_000 });
  await expect.poll(() => encoder()?.encoderBitrate).toBe(400_000);
  await steer({ stream1: null });
  await expect.poll(() => encoder()?.encoderBitrate).toBe(1_000_000);
  expect(encoder()?.text).toContain('bitrate="1000"');
  // Of a stream that nobody looks at it is known when somebody does.
  await steer({ stream2: 200_000, 'no-such-channel': 1 });
  await expect.poll(() => encoder('encode/stream2')?.encoderBitrate).toBe(200_000);
});

it('holds for the process that takes the place of another', async () => {
  await steer({ stream1: 400_000 });
  const { state } = lab.supervisor;
  if (state.phase !== 'running') throw new Error('It does not run');
  process.kill(state.pid, 'SIGKILL');
  await expect
    .poll(() => lab.supervisor.state, { timeout: 20_000 })
    .toMatchObject({ phase: 'running', pid: expect.not.toBeOneOf([state.pid]) as number });
  await expect.poll(() => encoder()?.encoderBitrate, { timeout: 20_000 }).toBe(400_000);
});

it('leaves alone what is passed on as the camera sends it', async () => {
  const { primary, secondary } = lab.settings.cameraHeadSettings;
  await lab.change({
    ...{ streamPreload: { stream1: 'off', stream2: 'off' }, videoEncoder: 'h264' },
    cameraHeadSettings: {
      primary: { ...primary, source: 'rtsp', url: 'rtsp://127.0.0.1:9/none' },
      secondary,
    },
    cameraFormats: {
      primary: {
        codec: 'h264',
        width: 640,
        height: 360,
        framerate: 30,
        from: 'rtsp rtsp://127.0.0.1:9/none',
      },
    },
    timestampOverlay: { ...lab.settings.timestampOverlay, enabled: false },
  });
  await steer({ stream1: 200_000 });
  await expect.poll(() => encoder()?.text).toMatch(/^hubsrc name=frames channel=coded\/primary/);
  expect(encoder()?.encoderBitrate).toBeUndefined();
});
