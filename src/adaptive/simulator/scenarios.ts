// The scenarios that the controllers are judged by: the cases of RFC 8867 that fit one sender, steps of capacity, loss,
// shapers, and several viewers at once.
import type { AdaptiveSettings, StreamWish } from '../decisions.js';
import type { EncoderSpec } from './encoder.js';
import type { LinkSpec, Trace } from './link.js';
import { chance } from './random.js';
import type { FeedbackSpec, Scenario, ViewerSpec } from './scenario.js';

const megabit = 1_000_000;

export const settings: AdaptiveSettings = {
  mode: 'auto',
  min: 500_000,
  max: 12 * megabit,
  policy: 'percentile',
  ladder: false,
};

/** As the server runs x264, it gives up to three more pictures of the old size. */
const usualLagMs = 60;

export const encoder: EncoderSpec = {
  ...{ framerate: 30, keyframeSeconds: 2, keyframeRatio: 2.5 },
  lagMs: usualLagMs,
};

export const transport: FeedbackSpec = { kind: 'transport', everyMs: 100 };

const wish1: StreamWish = { bitrate: 8 * megabit, width: 1920, height: 1080, framerate: 30 };
const wish2: StreamWish = { bitrate: 2 * megabit, width: 640, height: 360, framerate: 30 };

export interface SingleSpec extends Partial<Omit<LinkSpec, 'capacity'>> {
  readonly name: string;
  readonly seconds: number;
  readonly capacity: Trace;
  readonly seed?: number;
  readonly most?: number;
  readonly min?: number;
  readonly start?: number;
  readonly feedback?: FeedbackSpec;
  readonly encoder?: Partial<EncoderSpec>;
  readonly competitors?: Scenario['competitors'];
  readonly paused?: ViewerSpec['paused'];
  readonly ladder?: boolean;
}

/** One viewer on one link. */
export function single(spec: SingleSpec): Scenario {
  const { name, seconds, seed = 1, most = wish1.bitrate, min = settings.min, start = 2 * megabit } = spec;
  const { capacity, delayMs = 25, queueMs = 300, jitterMs, loss, bucketBytes, bunchMs } = spec;
  const framerate = spec.encoder?.framerate ?? encoder.framerate;
  return {
    name,
    seconds,
    seed,
    settings: { ...settings, min, ladder: spec.ladder ?? false },
    streams: {
      stream1: {
        wish: { ...wish1, bitrate: most, framerate },
        encoder: { ...encoder, ...spec.encoder },
      },
    },
    start,
    links: [
      {
        capacity,
        delayMs,
        queueMs,
        ...(jitterMs === undefined ? {} : { jitterMs }),
        ...(loss === undefined ? {} : { loss }),
        ...(bucketBytes === undefined ? {} : { bucketBytes }),
        ...(bunchMs === undefined ? {} : { bunchMs }),
      },
    ],
    viewers: [
      {
        id: 'viewer',
        link: 0,
        feedback: spec.feedback ?? transport,
        wished: 'stream1',
        movable: spec.feedback?.kind !== 'report',
        ...(spec.paused === undefined ? {} : { paused: spec.paused }),
      },
    ],
    ...(spec.competitors === undefined ? {} : { competitors: spec.competitors }),
  };
}

/** Several viewers of one camera, each on a link of its own unless they name one. */
export function crowd(
  name: string,
  seconds: number,
  links: readonly LinkSpec[],
  viewers: readonly (Partial<ViewerSpec> & Pick<ViewerSpec, 'id'>)[],
  seed = 1,
): Scenario {
  return {
    name,
    seconds,
    seed,
    settings,
    streams: {
      stream1: { wish: wish1, encoder: { ...encoder, keyframeSeconds: 1, keyframeRatio: 2 } },
      stream2: { wish: wish2, encoder: { ...encoder, keyframeSeconds: 1, keyframeRatio: 2 } },
    },
    start: 4 * megabit,
    links,
    viewers: viewers.map((viewer, index) => ({
      link: Math.min(index, links.length - 1),
      feedback: transport,
      wished: 'stream1',
      movable: true,
      ...viewer,
    })),
  };
}

const mbit = (...steps: readonly (readonly [number, number])[]): Trace =>
  steps.map(([second, mbps]) => [second, mbps * megabit]);

const downAndUp = mbit([0, 8], [30, 2], [60, 8]);

export const cameraStep = single({ name: '8-2-8 Mbit/s', seconds: 90, capacity: downAndUp });

/** RFC 8867, 5.1, with the figures of the authors' own test suite. */
export const variableCapacity = single({
  name: 'RFC 8867 5.1',
  seconds: 100,
  capacity: mbit([0, 1], [40, 2.5], [60, 0.6], [80, 1]),
  delayMs: 50,
  jitterMs: 30,
  most: 2.5 * megabit,
  min: 150_000,
  start: 300_000,
});

const four = { seconds: 60, capacity: mbit([0, 4]) } as const;
const stepped = { seconds: 90, capacity: downAndUp } as const;

/** A quarter of the time in bursts in which half of the packets are lost. */
function bursts(seed: number): (second: number) => number {
  const { next } = chance(seed);
  let bad = false;
  return () => {
    if (next() < (bad ? 0.3 : 0.003)) bad = !bad;
    return bad ? 0.5 : 0;
  };
}

function wifi(seconds: number): Trace {
  return Array.from({ length: seconds * 2 }, (_, step) => {
    const usual = 6 + 3 * Math.sin(step * 0.35) * Math.cos(step * 0.113);
    return [step / 2, usual * megabit * ((step * 7919) % 13 === 0 ? 0.4 : 1)] as const;
  });
}

/** What the controllers were tuned with. */
export const tuning: readonly Scenario[] = [
  cameraStep,
  variableCapacity,
  single({
    name: 'RFC 8867 5.1, four times as wide',
    seconds: 100,
    capacity: mbit([0, 4], [40, 10], [60, 2.4], [80, 4]),
    delayMs: 50,
    jitterMs: 30,
    most: 10 * megabit,
  }),
  single({
    name: 'RFC 8867 5.3, congested feedback',
    seconds: 100,
    capacity: mbit([0, 2], [20, 1], [40, 0.5], [60, 2]),
    delayMs: 50,
    most: 2 * megabit,
    min: 150_000,
    start: 300_000,
    feedback: {
      kind: 'transport',
      everyMs: 100,
      loss: 0.1,
      delayMs: (second) => (second > 35 && second < 70 ? 150 : 0),
    },
  }),
  single({
    name: 'RFC 8867 5.6, beside a long TCP flow',
    seconds: 120,
    capacity: mbit([0, 2]),
    delayMs: 50,
    most: 2 * megabit,
    min: 150_000,
    start: 300_000,
    competitors: [{ link: 0, from: 5, until: 120 }],
  }),
  single({
    name: 'RFC 8867 5.7, beside short TCP flows',
    seconds: 120,
    capacity: mbit([0, 2]),
    delayMs: 50,
    most: 2 * megabit,
    min: 150_000,
    start: 300_000,
    competitors: Array.from({ length: 10 }, (_, index) => ({
      ...{ link: 0, from: 10 + index * 10, until: 120, bytes: 30_000 + index * 2000 },
    })),
  }),
  single({ name: 'steady 4 Mbit/s', ...four }),
  single({ name: 'steady 4 Mbit/s, 30 ms of jitter', ...four, jitterMs: 30 }),
  single({ name: '1 % random loss', ...four, loss: 0.01 }),
  single({ name: '5 % random loss', ...four, loss: 0.05 }),
  single({ name: '6 % random loss', ...four, loss: 0.06 }),
  single({ name: 'loss in bursts', ...four, loss: bursts(5) }),
  single({ name: 'a queue of a second, 8-2-8 Mbit/s', ...stepped, queueMs: 1000 }),
  single({ name: 'a queue of 50 ms', ...four, queueMs: 50 }),
  single({
    name: 'beside a TCP flow, 4 Mbit/s',
    seconds: 120,
    capacity: mbit([0, 4]),
    competitors: [{ link: 0, from: 20, until: 100 }],
  }),
  single({
    name: 'Wi-Fi, 3 to 9 Mbit/s',
    seconds: 120,
    capacity: wifi(120),
    delayMs: 15,
    jitterMs: 10,
    loss: 0.003,
  }),
  single({ name: 'Wi-Fi, bunches of 10 ms, 8-2-8 Mbit/s', ...stepped, bunchMs: 10 }),
  single({ name: 'Wi-Fi, bunches of 20 ms, 8-2-8 Mbit/s', ...stepped, bunchMs: 20 }),
  single({ name: 'token bucket of 16 kB, 8-2-8 Mbit/s', ...stepped, bucketBytes: 16_000 }),
  single({ name: 'token bucket of 64 kB, 8-2-8 Mbit/s', ...stepped, bucketBytes: 64_000 }),
  single({
    name: 'a fifth of the feedback lost, 8-2-8 Mbit/s',
    ...stepped,
    feedback: { kind: 'transport', everyMs: 100, loss: 0.2 },
  }),
  single({
    name: 'feedback late by 300 ms at times',
    ...stepped,
    feedback: {
      kind: 'transport',
      everyMs: 100,
      delayMs: (second) => (Math.floor(second) % 5 === 0 ? 300 : 0),
    },
  }),
  single({ name: 'an encoder that follows late, 8-2-8 Mbit/s', ...stepped, encoder: { lagMs: 150 } }),
  single({ name: '15 frames a second, 8-2-8 Mbit/s', ...stepped, encoder: { framerate: 15 } }),
  single({ name: '60 frames a second, 8-2-8 Mbit/s', ...stepped, encoder: { framerate: 60 } }),
  single({ name: 'way of 100 ms, 8-2-8 Mbit/s', ...stepped, delayMs: 100 }),
  single({ name: 'way of 5 ms, 8-2-8 Mbit/s', ...stepped, delayMs: 5 }),
  single({
    name: 'nothing moves for 20 s',
    ...four,
    encoder: { content: (second) => (second > 20 && second < 40 ? 800_000 : Infinity) },
  }),
  single({ name: 'paused for 5 s', ...stepped, paused: [20, 25] }),
  single({
    name: '6 and 3 Mbit/s in turn',
    seconds: 90,
    capacity: mbit(...Array.from({ length: 30 }, (_, step) => [step * 3, step % 2 === 0 ? 6 : 3] as const)),
  }),
  single({ name: 'begins at 8 Mbit/s on 1 Mbit/s', seconds: 60, capacity: mbit([0, 1]), start: 8 * megabit }),
];

const reported = { seconds: 150, capacity: mbit([0, 8], [50, 2], [100, 8]) } as const;

/** Other kinds of viewers. */
export const otherViewers: readonly Scenario[] = [
  single({
    name: 'reports every 5 s, 8-2-8 Mbit/s',
    ...reported,
    feedback: { kind: 'report', everyMs: 5000 },
  }),
  single({
    name: 'reports every second, 8-2-8 Mbit/s',
    ...reported,
    feedback: { kind: 'report', everyMs: 1000 },
  }),
  single({
    name: 'reports as ffmpeg does, 8-2-8 Mbit/s',
    ...reported,
    feedback: { kind: 'report', everyBytes: 280_000 },
  }),
  single({ name: 'over TCP, 8-2-8 Mbit/s', ...reported, feedback: { kind: 'socket' } }),
];

/** Capacity that changes at random, and ways of every kind. */
function random(count: number, firstSeed: number): readonly Scenario[] {
  return Array.from({ length: count }, (_, index) =>
    single({
      name: `random ${String(firstSeed + index)}`,
      seconds: 120,
      seed: index + 1,
      capacity: randomTrace(firstSeed + index, 120),
      delayMs: 10 + ((index * 13) % 70),
      queueMs: [100, 300, 600][index % 3] ?? 300,
      jitterMs: [0, 5, 20][index % 3] ?? 0,
      loss: [0, 0.002, 0.01][(index * 2) % 3] ?? 0,
    }),
  );
}

/** Used for tuning. */
export const practice = random(20, 501);

/** Never used for tuning. */
export const heldOut = random(20, 101);

function randomTrace(seed: number, seconds: number): Trace {
  const { next } = chance(seed * 7919 + 3);
  const trace: (readonly [number, number])[] = [];
  for (let second = 0; second < seconds; second += 5 + next() * 20)
    trace.push([second, Math.exp(Math.log(0.8 * megabit) + next() * Math.log(12))]);
  return trace;
}

const way = (capacity: Trace, more: Partial<LinkSpec> = {}): LinkSpec => ({
  capacity,
  delayMs: 20,
  queueMs: 300,
  ...more,
});

const good = (count: number, mbps: number): readonly LinkSpec[] =>
  Array.from({ length: count }, () => way(mbit([0, mbps])));

const named = (count: number): readonly { readonly id: string }[] =>
  Array.from({ length: count }, (_, index) => ({ id: `viewer-${String(index + 1)}` }));

export const fiveAlone = crowd('five viewers on 20 Mbit/s', 90, good(5, 20), named(5));

export const fiveBesideOne = crowd(
  'five on 20 Mbit/s, one on 1 Mbit/s',
  90,
  [...good(5, 20), way(mbit([0, 1]), { loss: 0.02, delayMs: 60 })],
  named(6),
);

export const crowds: readonly Scenario[] = [
  fiveBesideOne,
  crowd(
    'five on 10 Mbit/s, one 10-1.5-10',
    120,
    [...good(5, 10), way(mbit([0, 10], [30, 1.5], [60, 10]))],
    named(6),
  ),
  crowd('two on 10 and 2.5 Mbit/s', 90, [...good(1, 10), ...good(1, 2.5)], named(2)),
  crowd(
    'eight from 1 to 12 Mbit/s',
    90,
    [1, 1.5, 2.5, 4, 6, 8, 10, 12].map((mbps) => way(mbit([0, mbps]))),
    named(8),
  ),
  crowd(
    'four that dip together',
    90,
    Array.from({ length: 4 }, () => way(mbit([0, 10], [30, 2], [60, 10]))),
    named(4),
  ),
  crowd(
    'RFC 8867 5.2, two viewers behind one link',
    125,
    [way(mbit([0, 4], [25, 2], [50, 3.5], [75, 1], [100, 2]), { delayMs: 50 })],
    named(2),
  ),
  crowd(
    'RFC 8867 5.4, three viewers behind one link',
    120,
    [way(mbit([0, 3.5]), { delayMs: 50 })],
    [{ id: 'viewer-1' }, { id: 'viewer-2', from: 20 }, { id: 'viewer-3', from: 40 }],
  ),
  crowd(
    'RFC 8867 5.8, one of three pauses',
    100,
    [way(mbit([0, 3.5]), { delayMs: 50 })],
    [{ id: 'viewer-1', paused: [40, 60] }, { id: 'viewer-2' }, { id: 'viewer-3' }],
  ),
];
