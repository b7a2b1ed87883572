// The estimator for viewers whose feedback covers every packet. It keeps the standing queue empty: when one grows it goes
// below what the narrowest link was just seen to carry, lets the queue drain, and returns to nearly that rate. While the
// way is clear it grows, quickly where the spread of trains shows room.
import { unknownPath, within, type Estimator, type PathContext, type PathEstimate } from './estimate.js';
import type { TransportSample } from './samples.js';
import { mean, upperMedian, valuesSince, withPoint, type Series } from './series.js';
import { noTrains, readWay, withTrains, type TrainLog, type WayReading } from './trains.js';
import { inMegabits, inMilliseconds, inPercent } from './words.js';

/** Milliseconds of standing queue, each beside what the way's own jitter adds. */
const queue = { empty: 12, growing: 25, tooLong: 60 } as const;
const risesBy = 15;
const lossThatCounts = { withQueue: 0.02, alone: 0.1, besideOthers: 0.004 } as const;
/** Of the capacity that was measured. */
const keptOfCapacity = 0.911;
/** With headers, and with what is sent again after loss. */
const keptWithRepeats = 0.98;
const returnsToShare = 0.88;
const leastOfCapacity = 0.2;
const drainsWithinMs = 300;
const longestDrainMs = 3000;
/** A drain that takes longer is somebody else's queue. */
const patientDrainMs = 1500;
/** From a new target until the encoder gives it. */
const encoderLagMs = 150;
/** What packets are larger than their payload. */
const headers = 1.03;
const settlesMs = 100;
/** Growth per second. */
const growth = {
  usual: 0.2,
  nearCapacity: 0.03,
  besideOthers: 0.05,
  leap: 1.5,
  leapBack: 3,
  withoutTrains: 0.08,
} as const;
const capacityKeptMs = 20_000;
const leapNeeds = 1.2;
/** A dip shorter than this leaves what was before in memory. */
const dipMs = 10_000;
/** An overuse this soon after a leap was caused by it, unless more has passed meanwhile than any bucket holds. */
const leapBlamedMs = 4000;
const deepestBucketBytes = 200_000;
/** Trains that tell of less than this share of what is sent tell of a link that has become narrower. */
const suddenlyBelow = 0.7;
const distrust = { first: 8000, longest: 120_000, forgivenAfter: 30_000 } as const;
const others = { heldMs: 8000, most: 400, backOff: 0.88, forgetsPerMs: 0.02 } as const;
const warmUpMs = 1000;
const quiet = { holds: 1000, halves: 2000, silent: 30_000 } as const;

export interface TransportState {
  readonly estimate: PathEstimate;
  readonly target: number;
  readonly at: number;
  readonly firstAt: number | null;
  readonly heardAt: number;
  readonly log: TrainLog;
  readonly jitter: number;
  /** Of the way itself, as it is while no queue stands. */
  readonly usualLoss: number;
  readonly queues: Series;
  readonly targets: Series;
  readonly loweredAt: number;
  readonly drainingSince: number | null;
  /** What was sent before the way became too narrow. */
  readonly beforeDip: { readonly target: number; readonly at: number } | null;
  /** What the narrowest link was last seen to carry; `agreed` is how often in a row it was about that. */
  readonly capacity: { readonly bps: number; readonly at: number; readonly agreed: number } | null;
  /** Milliseconds of queue that others keep on the way. */
  readonly foreign: { readonly queue: number; readonly until: number };
  /** The growth that trains have led to since the way was last too narrow, and what has arrived meanwhile. */
  readonly leap: { readonly since: number; readonly last: number; readonly bytes: number } | null;
  /** Of trains, where leaps that they promised have failed. */
  readonly distrust: { readonly ms: number; readonly until: number };
  readonly cleanSince: number;
}

export const transportEstimator: Estimator<TransportSample, TransportState> = {
  begin: (context) => {
    const estimate = unknownPath(context);
    return {
      estimate,
      target: estimate.target,
      at: context.at,
      firstAt: null,
      heardAt: context.at,
      log: noTrains,
      jitter: 0,
      usualLoss: 0,
      queues: [],
      targets: [],
      loweredAt: Number.NEGATIVE_INFINITY,
      drainingSince: null,
      beforeDip: null,
      capacity: null,
      foreign: { queue: 0, until: 0 },
      leap: null,
      distrust: { ms: 0, until: Number.NEGATIVE_INFINITY },
      cleanSince: context.at,
    };
  },
  step: (state, samples, context) => {
    const log = withTrains(
      state.log,
      samples.flatMap(({ trains }) => trains),
      context.at,
    );
    const reading = log === state.log ? undefined : readWay(log, state.loweredAt);
    return reading === undefined
      ? unheard({ ...state, log }, context)
      : heard({ ...state, log }, reading, roundTrip(samples) ?? state.estimate.rttMs, context);
  },
  lift: (state, target) => ({
    ...state,
    target: Math.max(state.target, target),
    estimate: { ...state.estimate, target: Math.max(state.estimate.target, target) },
  }),
};

function roundTrip(samples: readonly TransportSample[]): number | null {
  const known = samples.flatMap(({ rttMs }) =>
    rttMs !== null && Number.isFinite(rttMs) && rttMs >= 0 ? [rttMs] : [],
  );
  return known.length === 0 ? null : Math.min(...known);
}

function unheard(state: TransportState, context: PathContext): TransportState {
  const { at } = context;
  const elapsed = Math.max(0, at - state.at);
  if (context.idle) return { ...state, at, heardAt: Math.max(state.heardAt, state.heardAt + elapsed) };
  const silence = at - state.heardAt;
  if (silence < quiet.holds) return { ...state, at };
  const halved = state.firstAt !== null && silence >= quiet.halves;
  const target = within(halved ? state.target * 0.5 ** (elapsed / 1000) : state.target, context);
  const estimate: PathEstimate = {
    ...state.estimate,
    target,
    state: silence >= quiet.silent ? 'silent' : state.firstAt === null ? 'starting' : 'holding',
    reason: `nothing was heard for ${Math.floor(silence / 1000).toString()} s`,
  };
  return { ...state, at, target, estimate };
}

/** What a step goes by. */
interface Look extends WayReading {
  readonly context: PathContext;
  readonly elapsed: number;
  /** What was aimed at in the last while, which is what is sent now. */
  readonly usual: number;
  readonly rtt: number;
  /** The standing queue without what others keep there and what an own burst explains. */
  readonly own: number;
  readonly burst: number;
  readonly rise: number;
  /** The least of the last second. */
  readonly lasting: number;
  /** From trains, where they are trusted. */
  readonly room: number | null;
  readonly roomSoon: number | null;
  /** What the link carries by the very last trains, leaving what jitter may have spread them. */
  readonly freshBps: number;
}

function heard(
  before: TransportState,
  reading: WayReading,
  rttMs: number | null,
  context: PathContext,
): TransportState {
  const { at } = context;
  const state: TransportState = {
    ...before,
    firstAt: before.firstAt ?? at,
    heardAt: at,
    at,
    jitter: before.jitter + 0.05 * (Math.min(30, reading.jitterMs) - before.jitter),
    usualLoss: usualLoss(before, reading),
    queues: withPoint(before.queues, at, reading.queueMs, 2000),
    targets: withPoint(before.targets, at, before.target, 700),
    foreign: foreignQueue(before, reading.queueMs, at),
    leap: before.leap && {
      ...before.leap,
      bytes: before.leap.bytes + (reading.receivedBps * Math.max(0, at - before.at)) / 8000,
    },
  };
  const look = lookAt(state, reading, rttMs ?? 100, Math.min(500, Math.max(0, at - before.at)), context);
  const next = decide(state, look);
  const target = within(next.target, context);
  return { ...next, target, estimate: tell({ ...next, target }, look, rttMs) };
}

function usualLoss({ usualLoss: before }: TransportState, { loss, queueMs }: WayReading): number {
  return queueMs < queue.empty ? before + 0.02 * (Math.min(lossThatCounts.alone, loss) - before) : before;
}

/** Somebody else's queue is believed in as long as one is seen, and is measured anew all the time. */
function foreignQueue(state: TransportState, queueMs: number, at: number): TransportState['foreign'] {
  if (state.foreign.queue === 0) return state.foreign;
  const usual = upperMedian([...state.queues.map(({ value }) => value), queueMs]);
  const until = usual > queue.tooLong ? at + others.heldMs : state.foreign.until;
  if (at > until) return { queue: 0, until };
  const faded = state.foreign.queue - others.forgetsPerMs * Math.max(0, at - state.at);
  return { queue: Math.max(Math.min(others.most, usual), faded), until };
}

function lookAt(
  state: TransportState,
  reading: WayReading,
  rtt: number,
  elapsed: number,
  context: PathContext,
): Look {
  const { at } = context;
  const usual = mean(state.targets.map(({ value }) => value));
  const burst = Math.min(
    80,
    Math.max(0, ((reading.sentBps - usual * headers) * 500) / Math.max(reading.receivedBps, usual, 1)),
  );
  const earlier = state.queues.find((point) => point.at >= at - 250)?.value ?? reading.queueMs;
  return {
    ...reading,
    context,
    elapsed,
    rtt,
    usual,
    burst,
    own: reading.queueMs - state.foreign.queue - burst,
    rise: reading.queueMs - earlier - burst,
    lasting: Math.min(...valuesSince(state.queues, at - 1000)),
    room: at < state.distrust.until ? null : reading.spreadBps,
    roomSoon: at < state.distrust.until ? null : reading.soonBps,
    freshBps: freshRate(reading, state.jitter),
  };
}

function freshRate({ fresh }: WayReading, jitter: number): number {
  return fresh === null ? Infinity : (fresh.bytes * 8000) / Math.max(1, fresh.ms - 2 * jitter);
}

function decide(state: TransportState, look: Look): TransportState {
  const { at } = look.context;
  const narrow = isNarrow(state, look);
  const waits = look.rtt + encoderLagMs + settlesMs;
  if (narrow && at - state.loweredAt > waits) return lower(state, look);
  if (state.drainingSince !== null) return drain(state, look, state.drainingSince);
  if (!narrow && look.own < queue.growing + state.jitter) return grow(state, look);
  return state;
}

function isNarrow(state: TransportState, look: Look): boolean {
  const { at } = look.context;
  const { own, loss } = look;
  if (isTooMuch(state, loss)) return true;
  // In the first second the delays of a connection that is being made are no queue.
  if (state.firstAt === null || at - state.firstAt < warmUpMs) return false;
  const grown = own > queue.growing + state.jitter;
  return (
    own > queue.tooLong + state.jitter ||
    (grown && look.rise > risesBy) ||
    isSuddenlyNarrow(state, look) ||
    (grown && loss > lossThatCounts.withQueue + 1.5 * state.usualLoss) ||
    (state.foreign.queue > 0 && loss > lossThatCounts.besideOthers && at - state.loweredAt > 1000)
  );
}

/** The last trains left the narrowest link much slower than more of them are sent. */
function isSuddenlyNarrow(state: TransportState, look: Look): boolean {
  const waits = look.freshQueueMs - state.foreign.queue > queue.growing + 2 * state.jitter;
  const tails = look.freshTailMs - state.foreign.queue > queue.tooLong + 2 * state.jitter;
  return (waits || tails) && look.freshBps < suddenlyBelow * look.sentBps;
}

function isTooMuch({ usualLoss }: TransportState, loss: number): boolean {
  return loss > lossThatCounts.alone + usualLoss;
}

function lower(before: TransportState, look: Look): TransportState {
  const { at } = look.context;
  const capacity = Math.min(look.receivedBps, look.freshBps);
  const state = { ...before, ...blamed(before, capacity, at), loweredAt: at, cleanSince: at };
  const chance =
    isTooMuch(state, look.loss) &&
    look.queueMs < queue.growing + state.jitter &&
    !isSuddenlyNarrow(state, look);
  if (chance && state.drainingSince === null)
    return { ...state, target: state.target * (1 - 0.5 * Math.min(0.5, look.loss)), drainingSince: null };
  if (state.foreign.queue > 0 && look.own < queue.tooLong + state.jitter)
    return { ...state, target: state.target * others.backOff, drainingSince: null };
  const since = state.drainingSince ?? at;
  const drained: TransportState = {
    ...state,
    target: Math.min(state.target, capacity * shareWhileDraining(look, capacity)),
    drainingSince: since,
    beforeDip: dipFrom(state, at),
    capacity: seen(state.capacity, capacity, at),
  };
  if (at - since <= patientDrainMs || look.lasting <= queue.tooLong) return drained;
  const foreign = { queue: Math.min(others.most, look.lasting), until: at + others.heldMs };
  return { ...drained, foreign, drainingSince: null };
}

/** So much that the queue is gone soon, with what comes before the encoder follows. */
function shareWhileDraining(look: Look, capacity: number): number {
  const coming = Math.max(0, look.sentBps / Math.max(capacity, 1) - 1) * (look.rtt / 2 + encoderLagMs);
  const share = keptOfCapacity - (look.own + coming - queue.growing) / drainsWithinMs;
  return Math.min(keptOfCapacity, Math.max(leastOfCapacity, share));
}

function dipFrom({ beforeDip, target }: TransportState, at: number): TransportState['beforeDip'] {
  const lasts = beforeDip !== null && at - beforeDip.at < dipMs && beforeDip.target > target;
  return lasts ? beforeDip : { target, at };
}

function seen(known: TransportState['capacity'], bps: number, at: number): TransportState['capacity'] {
  const agrees = known !== null && Math.abs(bps / known.bps - 1) < 0.15;
  return { bps, at, agreed: agrees ? known.agreed + 1 : 1 };
}

function blamed(
  { leap, distrust: before }: TransportState,
  capacity: number,
  at: number,
): Pick<TransportState, 'distrust' | 'leap'> {
  if (leap === null || at - leap.last >= leapBlamedMs) return { distrust: before, leap: null };
  const beyond = leap.bytes - (capacity * (at - leap.since)) / 8000;
  if (beyond > deepestBucketBytes) return { distrust: before, leap: null };
  const ms = Math.min(distrust.longest, Math.max(distrust.first, before.ms * 2));
  return { distrust: { ms, until: at + ms }, leap: null };
}

function drain(state: TransportState, look: Look, since: number): TransportState {
  const { at } = look.context;
  const capacity = state.capacity?.bps ?? state.target;
  // What is seen is a round trip old, and the queue has drained further since.
  const drained = Math.max(0, 1 - look.sentBps / Math.max(capacity, 1)) * look.rtt;
  const left = Math.max(look.own, look.freshQueueMs - state.foreign.queue - look.burst) - drained;
  const answered = look.freshSentAt > state.loweredAt;
  if ((!answered || left >= queue.empty + state.jitter) && at - since <= longestDrainMs) return state;
  const share = returnsToShare * (look.loss > lossThatCounts.withQueue ? 0.97 : 1);
  return { ...state, drainingSince: null, target: Math.max(state.target, share * capacity) };
}

function grow(before: TransportState, look: Look): TransportState {
  const { at } = look.context;
  const forgiven = at - before.cleanSince > distrust.forgivenAfter;
  const state = forgiven ? { ...before, distrust: { ...before.distrust, ms: 0 } } : before;
  const { target, capacity } = state;
  const most = look.room === null || state.foreign.queue > 0 ? Infinity : keptShare(look) * look.room;
  // A stream that needs less than it may have shows nothing but what its trains show, and that only downwards.
  if (look.sentBps < 0.8 * look.usual)
    return most < target * 0.9 ? { ...state, target: Math.max(most, look.sentBps) } : state;
  const leaps =
    most > target * 1.02 &&
    state.foreign.queue === 0 &&
    look.roomSoon !== null &&
    keptShare(look) * look.roomSoon > target * leapNeeds &&
    look.queueMs < queue.empty + state.jitter &&
    look.loss < lossThatCounts.withQueue + 1.5 * state.usualLoss;
  if (leaps) {
    const leap = { since: at, bytes: 0, ...state.leap, last: at };
    return { ...state, leap, capacity: null, target: grown(target, leapRate(state, at), look, most) };
  }
  const near = capacity !== null && at - capacity.at < capacityKeptMs && target > 0.85 * capacity.bps;
  const passed = near && target > 1.05 * capacity.bps;
  const distrusted = at < state.distrust.until;
  let rate: number = near ? growth.nearCapacity / Math.min(4, capacity.agreed) : growth.usual;
  if (state.foreign.queue > 0) rate = growth.besideOthers;
  if (distrusted) rate = Math.min(rate, growth.withoutTrains);
  return { ...state, capacity: passed ? null : capacity, target: grown(target, rate, look, most) };
}

function keptShare({ loss }: Look): number {
  return Math.min(keptOfCapacity, (keptWithRepeats * (1 - loss)) / headers);
}

function leapRate({ beforeDip, target }: TransportState, at: number): number {
  const returns = beforeDip !== null && at - beforeDip.at < dipMs && target < 0.85 * beforeDip.target;
  return returns ? growth.leapBack : growth.leap;
}

function grown(target: number, perSecond: number, look: Look, most: number): number {
  const wanted = target * (1 + perSecond) ** (look.elapsed / 1000);
  const carried = Math.max(target, 1.5 * look.receivedBps + 200_000);
  return Math.max(target, Math.min(wanted, carried, most));
}

function tell(state: TransportState, look: Look, rttMs: number | null): PathEstimate {
  const { at } = look.context;
  const starting = state.firstAt === null || at - state.firstAt < warmUpMs;
  const draining = state.drainingSince !== null;
  const lowered = state.loweredAt === at;
  const told = {
    target: state.target,
    availableBps: look.room,
    loss: look.loss,
    rttMs,
    jitterMs: state.jitter,
    queueMs: Math.max(0, look.queueMs),
    heard: true,
    narrowAt: lowered ? at : (state.estimate.narrowAt ?? null),
  };
  if (draining)
    return {
      ...told,
      state: 'draining',
      reason: `a queue of ${inMilliseconds(look.queueMs)} drains; the way carries ${inMegabits(state.capacity?.bps ?? state.target)}`,
    };
  if (state.foreign.queue > 0)
    return { ...told, state: 'competing', reason: 'others keep a queue on the way' };
  if (isTooMuch(state, look.loss))
    return { ...told, state: 'holding', reason: `${inPercent(look.loss)} loss` };
  if (starting && !lowered) return { ...told, state: 'starting', reason: 'the way is being measured' };
  const growing = state.target > (state.targets.at(-1)?.value ?? 0);
  return growing
    ? { ...told, state: 'growing', reason: 'the way is clear' }
    : { ...told, state: 'holding', reason: 'the way carries what is sent' };
}
