// Growth while a way is clear: slowly by itself, quickly where trains show room.
import { dipMs } from './transportLower.js';
import { headers, isLossOfQueue, queue, type Look, type TransportState } from './transportState.js';

/** Of what trains show. */
const keptOfRoom = 0.911;
/** With headers, and with what is sent again after loss. */
const keptWithRepeats = 0.96;
/** Growth per second. */
const growth = {
  usual: 0.2,
  nearCapacity: 0.05,
  besideOthers: 0.05,
  leap: 1.5,
  leapBack: 3,
  withoutTrains: 0.08,
} as const;
const capacityKeptMs = 20_000;
const leapNeeds = 1.2;
const distrustForgivenAfterMs = 30_000;

export function grow(before: TransportState, look: Look): TransportState {
  const { at } = look.context;
  const forgiven = at - before.cleanSince > distrustForgivenAfterMs;
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
    !isLossOfQueue(state, look.loss);
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
  return Math.min(keptOfRoom, (keptWithRepeats * (1 - loss)) / headers);
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
