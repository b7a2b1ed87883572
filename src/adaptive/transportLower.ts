// When a way is too narrow for what is sent, and what then: below its capacity until the queue is gone, and back.
import {
  encoderLagMs,
  isLossOfQueue,
  isTooMuch,
  lossThatCounts,
  othersQueue,
  queue,
  type Look,
  type TransportState,
} from './transportState.js';

const risesBy = 15;
/** Of the capacity that was measured. */
const keptWhileDraining = 0.911;
const leastOfCapacity = 0.2;
const returnsToShare = 0.88;
const drainsWithinMs = 300;
const longestDrainMs = 3000;
/** A drain that takes longer is somebody else's queue. */
const patientDrainMs = 1500;
/** A dip shorter than this leaves what was before in memory. */
export const dipMs = 10_000;
/** An overuse this soon after a leap was caused by it, unless more has passed meanwhile than any bucket holds. */
const leapBlamedMs = 4000;
const deepestBucketBytes = 200_000;
/** Trains that tell of less than this share of what is sent tell of a link that has become narrower. */
const suddenlyBelow = 0.7;
const distrust = { first: 8000, longest: 120_000 } as const;
/** Of the target, where others own the queue and something is lost. */
const backOffBesideOthers = 0.88;
/** While a connection is made its delays are no queue. */
export const warmUpMs = 1000;

export function isNarrow(state: TransportState, look: Look): boolean {
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
    (grown && isLossOfQueue(state, loss)) ||
    (state.foreign.queue > 0 && loss > lossThatCounts.besideOthers && at - state.loweredAt > 1000)
  );
}

/** The last trains left the narrowest link much slower than more of them are sent. */
function isSuddenlyNarrow(state: TransportState, look: Look): boolean {
  const waits = look.freshQueueMs - state.foreign.queue > queue.growing + 2 * state.jitter;
  const tails = look.freshTailMs - state.foreign.queue > queue.tooLong + 2 * state.jitter;
  return (waits || tails) && look.freshBps < suddenlyBelow * look.sentBps;
}

export function lower(before: TransportState, look: Look): TransportState {
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
    return { ...state, target: state.target * backOffBesideOthers, drainingSince: null };
  const since = state.drainingSince ?? at;
  const drained: TransportState = {
    ...state,
    target: Math.min(state.target, capacity * shareWhileDraining(look, capacity)),
    drainingSince: since,
    beforeDip: dipFrom(state, at),
    capacity: seen(state.capacity, capacity, at),
  };
  if (at - since <= patientDrainMs || look.lasting <= queue.tooLong) return drained;
  const foreign = { queue: Math.min(othersQueue.most, look.lasting), until: at + othersQueue.heldMs };
  return { ...drained, foreign, drainingSince: null };
}

/** So much that the queue is gone soon, with what comes before the encoder follows. */
function shareWhileDraining(look: Look, capacity: number): number {
  const coming = Math.max(0, look.sentBps / Math.max(capacity, 1) - 1) * (look.rtt / 2 + encoderLagMs);
  const share = keptWhileDraining - (look.own + coming - queue.growing) / drainsWithinMs;
  return Math.min(keptWhileDraining, Math.max(leastOfCapacity, share));
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

export function drain(state: TransportState, look: Look, since: number): TransportState {
  const { at } = look.context;
  const capacity = state.capacity?.bps ?? state.target;
  // What is seen is a round trip old, and the queue has drained further since.
  const drained = Math.max(0, 1 - look.sentBps / Math.max(capacity, 1)) * look.rtt;
  const left = Math.max(look.own, look.freshQueueMs - state.foreign.queue - look.burst) - drained;
  const answered = look.freshSentAt > state.loweredAt;
  if ((!answered || left >= queue.empty + state.jitter) && at - since <= longestDrainMs) return state;
  const share = returnsToShare * (isLossOfQueue(state, look.loss) ? 0.97 : 1);
  return { ...state, drainingSince: null, target: Math.max(state.target, share * capacity) };
}
