// The estimator for viewers whose feedback covers every packet. It keeps the standing queue empty: when one grows it goes
// below what the narrowest link was just seen to carry, lets the queue drain, and returns to nearly that rate. While the
// way is clear it grows, quickly where the spread of trains shows room.
import {
  lifted,
  unknownPath,
  within,
  type Estimator,
  type PathContext,
  type PathEstimate,
} from './estimate.js';
import type { TransportSample } from './samples.js';
import { withPoint } from './series.js';
import { noTrains, readWay, withTrains, type WayReading } from './trains.js';
import { grow } from './transportGrow.js';
import { foreignQueue, lookAt, usualLoss } from './transportLook.js';
import { drain, isNarrow, lower, warmUpMs } from './transportLower.js';
import { encoderLagMs, isTooMuch, queue, type Look, type TransportState } from './transportState.js';
import { inMegabits, inMilliseconds, inPercent } from './words.js';

const settlesMs = 100;
const quiet = { holds: 1000, halves: 2000, silent: 30_000 } as const;

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
  lift: lifted,
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
    cause: 'unknown',
  };
  return { ...state, at, target, estimate };
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

function decide(state: TransportState, look: Look): TransportState {
  const { at } = look.context;
  const narrow = isNarrow(state, look);
  const waits = look.rtt + encoderLagMs + settlesMs;
  if (narrow && at - state.loweredAt > waits) return lower(state, look);
  if (state.drainingSince !== null) return drain(state, look, state.drainingSince);
  if (!narrow && look.own < queue.growing + state.jitter) return grow(state, look);
  return state;
}

function tell(state: TransportState, look: Look, rttMs: number | null): PathEstimate {
  const { at } = look.context;
  const starting = state.firstAt === null || at - state.firstAt < warmUpMs;
  const draining = state.drainingSince !== null;
  const lowered = state.loweredAt === at;
  const told = {
    target: state.target,
    availableBps: look.room,
    loss: look.recentLoss,
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
      cause: 'queue',
      reason: `a queue of ${inMilliseconds(look.queueMs)} drains; the way carries ${inMegabits(state.capacity?.bps ?? state.target)}`,
    };
  if (state.foreign.queue > 0)
    return { ...told, state: 'competing', reason: 'others keep a queue on the way', cause: 'queue' };
  if (isTooMuch(state, look.loss))
    return { ...told, state: 'holding', reason: `${inPercent(look.loss)} loss`, cause: 'loss' };
  if (starting && !lowered)
    return { ...told, state: 'starting', reason: 'the way is being measured', cause: 'unknown' };
  const growing = state.target > (state.targets.at(-1)?.value ?? 0);
  return growing
    ? { ...told, state: 'growing', reason: 'the way is clear', cause: 'growth' }
    : { ...told, state: 'holding', reason: 'the way carries what is sent', cause: 'growth' };
}
