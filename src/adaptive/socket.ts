// The estimator for viewers over TCP. There is no loss to see; what tells is what waits here to be sent. What the connection
// carries is known only while something waits.
import {
  isPossible,
  lifted,
  unknownPath,
  within,
  type Estimator,
  type PathContext,
  type PathEstimate,
} from './estimate.js';
import type { SocketSample } from './samples.js';
import { inMegabits, inMilliseconds } from './words.js';

/** Milliseconds that the backlog takes to be sent. */
const backlog = { gone: 60, tooLong: 300 } as const;
const keptOfDelivered = 0.85;
const leastOfDelivered = 0.3;
const drainsWithinMs = 1500;
const growth = { usual: 1.08, nearCapacity: 1.02 } as const;
const capacityKeptMs = 30_000;
const clearBeforeGrowthMs = 2000;
const betweenCutsMs = 500;
const rateMs = 1000;
const quiet = { holds: 5000, silent: 30_000 } as const;

interface Acked {
  readonly at: number;
  readonly bytes: number;
}

export interface SocketState {
  readonly estimate: PathEstimate;
  readonly target: number;
  readonly at: number;
  readonly heardAt: number | null;
  readonly acked: readonly Acked[];
  readonly waitingSince: number | null;
  readonly clearSince: number;
  readonly loweredAt: number;
  readonly draining: boolean;
  readonly capacity: { readonly bps: number; readonly at: number } | null;
}

export const socketEstimator: Estimator<SocketSample, SocketState> = {
  begin: (context) => {
    const estimate = unknownPath(context);
    return {
      estimate,
      target: estimate.target,
      at: context.at,
      heardAt: null,
      acked: [],
      waitingSince: null,
      clearSince: context.at,
      loweredAt: Number.NEGATIVE_INFINITY,
      draining: false,
      capacity: null,
    };
  },
  step: (state, samples, context) => {
    const plausible = samples.filter((sample) => isPlausible(sample, state.heardAt, context));
    return plausible.length === 0
      ? unheard(state, context)
      : plausible.reduce((latest, sample) => heard(latest, sample, context), state);
  },
  lift: lifted,
};

function isPlausible(sample: SocketSample, after: number | null, context: PathContext): boolean {
  const { at, queuedBytes, unsentBytes, ackedBytes, heldBytes, rttMs, minRttMs, deliveryBps } = sample;
  const figures = [queuedBytes, unsentBytes, ackedBytes, heldBytes, rttMs, minRttMs, deliveryBps ?? 0];
  return isPossible({ at, figures }, after, context);
}

function unheard(state: SocketState, { at }: PathContext): SocketState {
  if (state.heardAt === null) return { ...state, at };
  const silence = at - state.heardAt;
  if (silence < quiet.holds) return { ...state, at };
  const silent = silence >= quiet.silent;
  const reason = 'nothing is known of the connection any more';
  const estimate: PathEstimate = {
    ...state.estimate,
    state: silent ? 'silent' : 'holding',
    reason,
    cause: 'unknown',
  };
  return { ...state, at, estimate };
}

function heard(before: SocketState, sample: SocketSample, context: PathContext): SocketState {
  const { at } = sample;
  const waiting = sample.unsentBytes + sample.heldBytes;
  const acked = withAcked(before.acked, { at, bytes: sample.ackedBytes });
  const waitingSince = waiting > 0 ? (before.waitingSince ?? at) : null;
  const ackedBps = rateOf(acked);
  // A little backlog is the picture that has just been written; the rate is that of the way once it lasts.
  const lasts = waitingSince !== null && at - waitingSince >= 200;
  const carried = lasts ? (sample.deliveryBps ?? ackedBps) : null;
  const ageMs = waiting === 0 ? 0 : (waiting * 8000) / Math.max(carried ?? ackedBps, 10_000);
  const state: SocketState = {
    ...before,
    at: context.at,
    heardAt: at,
    acked,
    waitingSince,
    clearSince: ageMs > backlog.gone ? at : before.clearSince,
  };
  const next = decide(state, { at, ageMs, carried, ackedBps, elapsed: at - (before.heardAt ?? at) });
  const target = within(next.target, context);
  const queueMs = ageMs + Math.max(0, sample.rttMs - sample.minRttMs);
  const estimate: PathEstimate = {
    target,
    state: next.draining ? 'draining' : target > before.target ? 'growing' : 'holding',
    reason: next.draining
      ? `${inMilliseconds(ageMs)} of video wait to be sent; the connection carries ${inMegabits(next.capacity?.bps ?? target)}`
      : 'the connection keeps up',
    cause: next.draining ? 'queue' : 'growth',
    availableBps: carried,
    loss: 0,
    rttMs: sample.rttMs,
    jitterMs: null,
    queueMs,
    narrowAt: next.draining ? context.at : before.estimate.narrowAt,
    heard: true,
  };
  return { ...next, target, estimate };
}

/** A counter that goes back is another connection. */
function withAcked(acked: readonly Acked[], now: Acked): readonly Acked[] {
  const last = acked.at(-1);
  if (last !== undefined && now.bytes < last.bytes) return [now];
  return [...acked.filter(({ at }) => at >= now.at - rateMs), now];
}

function rateOf(acked: readonly Acked[]): number {
  const [first, last] = [acked[0], acked.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return 0;
  return ((last.bytes - first.bytes) * 8000) / (last.at - first.at);
}

interface Look {
  readonly at: number;
  readonly ageMs: number;
  readonly carried: number | null;
  readonly ackedBps: number;
  readonly elapsed: number;
}

function decide(state: SocketState, { at, ageMs, carried, ackedBps, elapsed }: Look): SocketState {
  if (ageMs > backlog.tooLong && carried !== null) {
    if (at - state.loweredAt < betweenCutsMs) return state;
    const share = keptOfDelivered - (ageMs - backlog.tooLong) / drainsWithinMs;
    const target = carried * Math.max(leastOfDelivered, share);
    return {
      ...state,
      target: Math.min(state.target, target),
      loweredAt: at,
      draining: true,
      capacity: { bps: carried, at },
    };
  }
  if (ageMs > backlog.gone) return state;
  if (state.draining)
    return {
      ...state,
      draining: false,
      target: Math.max(state.target, keptOfDelivered * (state.capacity?.bps ?? 0)),
    };
  if (at - state.clearSince < clearBeforeGrowthMs || ackedBps < 0.8 * state.target) return state;
  const { capacity, target } = state;
  const near =
    capacity !== null &&
    at - capacity.at < capacityKeptMs &&
    target > 0.8 * capacity.bps &&
    target < 1.05 * capacity.bps;
  const perSecond = near ? growth.nearCapacity : growth.usual;
  const wanted = target * perSecond ** (Math.min(500, elapsed) / 1000);
  return { ...state, target: Math.max(target, Math.min(wanted, 1.5 * ackedBps)) };
}
