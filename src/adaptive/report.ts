// The estimator for viewers that send receiver reports, every few seconds. They tell late and little: so it lowers to what
// arrived, returns when a report is clean, and grows slowly.
import {
  isPossible,
  lifted,
  unknownPath,
  within,
  type Estimator,
  type PathContext,
  type PathEstimate,
} from './estimate.js';
import type { ReportSample } from './samples.js';
import { upperMedian, withPoint, type Series } from './series.js';
import { inMegabits, inMilliseconds, inPercent } from './words.js';

/** Milliseconds above the least round trip. */
const queue = { empty: 40, tooLong: 100 } as const;
const lossThatCounts = { withQueue: 0.02, alone: 0.08 } as const;
const backOff = { most: 0.85, least: 0.35, overMs: 600 } as const;
const returnsTo = 0.85;
const growth = { usual: 1.08, nearCapacity: 1.01, mostAtOnce: 1.25 } as const;
const capacityKeptMs = 30_000;
const roundTripsKeptMs = 120_000;
/** A round trip that was measured earlier says nothing of now. */
const freshRoundTripMs = 1000;
const jitterJumps = 4;
const quiet = { holds: 12_000, halves: 20_000, silent: 30_000 } as const;

export interface ReportState {
  readonly estimate: PathEstimate;
  readonly target: number;
  readonly at: number;
  readonly heardAt: number | null;
  readonly roundTrips: Series;
  readonly jitters: Series;
  readonly capacity: { readonly bps: number; readonly at: number } | null;
  readonly recovering: boolean;
}

export const reportEstimator: Estimator<ReportSample, ReportState> = {
  begin: (context) => {
    const estimate = unknownPath(context);
    return {
      estimate,
      target: estimate.target,
      at: context.at,
      heardAt: null,
      roundTrips: [],
      jitters: [],
      capacity: null,
      recovering: false,
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

function isPlausible(sample: ReportSample, after: number | null, context: PathContext): boolean {
  const { at, loss, jitterMs, rttMs, rttAgeMs, sentBps } = sample;
  const figures = [loss, jitterMs, sentBps, rttMs ?? 0, rttAgeMs ?? 0];
  return loss <= 1 && isPossible({ at, figures }, after, context);
}

function unheard(state: ReportState, context: PathContext): ReportState {
  const { at } = context;
  const elapsed = Math.max(0, at - state.at);
  if (state.heardAt === null) return { ...state, at };
  if (context.idle) return { ...state, at, heardAt: state.heardAt + elapsed };
  const silence = at - state.heardAt;
  if (silence < quiet.holds) return { ...state, at };
  const target = within(
    silence < quiet.halves ? state.target : state.target * 0.5 ** (elapsed / 5000),
    context,
  );
  const estimate: PathEstimate = {
    ...state.estimate,
    target,
    state: silence >= quiet.silent ? 'silent' : 'holding',
    reason: `no report for ${Math.floor(silence / 1000).toString()} s`,
    cause: 'unknown',
  };
  return { ...state, at, target, estimate };
}

function heard(before: ReportState, sample: ReportSample, context: PathContext): ReportState {
  const { at } = sample;
  const { loss, jitterMs, sentBps } = sample;
  const fresh = sample.rttMs !== null && (sample.rttAgeMs ?? 0) <= freshRoundTripMs;
  const rtt = fresh ? sample.rttMs : null;
  const roundTrips =
    rtt === null ? before.roundTrips : withPoint(before.roundTrips, at, rtt, roundTripsKeptMs);
  const queueMs = rtt === null ? null : rtt - Math.min(...roundTrips.map(({ value }) => value));
  const usualJitter = upperMedian(before.jitters.map(({ value }) => value));
  const state = {
    ...before,
    at: context.at,
    heardAt: at,
    roundTrips,
    jitters: withPoint(before.jitters, at, jitterMs, roundTripsKeptMs),
  };
  const stands = queueMs ?? 0;
  const narrow =
    stands > queue.tooLong ||
    loss > lossThatCounts.alone ||
    (loss > lossThatCounts.withQueue && stands > queue.empty) ||
    (loss > 0 && before.jitters.length >= 5 && jitterMs > Math.max(5, jitterJumps * usualJitter));
  const elapsed = before.heardAt === null ? 1000 : at - before.heardAt;
  const next = narrow
    ? lower(state, sample, stands)
    : stands < queue.empty && loss < lossThatCounts.withQueue
      ? raise(state, sentBps, elapsed)
      : state;
  const target = within(next.target, context);
  const estimate: PathEstimate = {
    target,
    state: narrow ? 'draining' : target > before.target ? 'growing' : 'holding',
    reason: narrow
      ? `${inPercent(loss)} loss and a queue of ${inMilliseconds(stands)}: the way carries ${inMegabits(sentBps * (1 - loss))}`
      : 'the last report was clean',
    cause: !narrow ? 'growth' : stands > queue.tooLong ? 'queue' : 'loss',
    availableBps: null,
    loss,
    rttMs: rtt ?? before.estimate.rttMs,
    jitterMs,
    queueMs,
    narrowAt: narrow ? context.at : before.estimate.narrowAt,
    heard: true,
  };
  return { ...next, target, estimate };
}

function lower(state: ReportState, { at, loss, sentBps }: ReportSample, stands: number): ReportState {
  const arrived = sentBps * (1 - loss);
  // Loss without a queue is the way's own.
  const random = loss > lossThatCounts.alone && stands < queue.empty && state.roundTrips.length > 0;
  const share = backOff.most - (stands - queue.empty) / backOff.overMs;
  const kept = Math.min(backOff.most, Math.max(backOff.least, share));
  const target = random ? state.target * (1 - 0.5 * loss) : Math.min(state.target, arrived) * kept;
  return {
    ...state,
    target: Math.min(state.target, target),
    capacity: { bps: arrived, at },
    recovering: true,
  };
}

function raise(state: ReportState, sentBps: number, elapsed: number): ReportState {
  const { capacity, target, heardAt } = state;
  if (state.recovering)
    return { ...state, recovering: false, target: Math.max(target, returnsTo * (capacity?.bps ?? 0)) };
  if (sentBps <= 0.8 * target) return state;
  const near =
    capacity !== null &&
    (heardAt ?? 0) - capacity.at < capacityKeptMs &&
    target > 0.8 * capacity.bps &&
    target < 1.05 * capacity.bps;
  const perSecond = near ? growth.nearCapacity : growth.usual;
  return { ...state, target: target * Math.min(growth.mostAtOnce, perSecond ** (elapsed / 1000)) };
}
