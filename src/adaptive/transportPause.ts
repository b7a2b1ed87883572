// How long nothing should be sent when a way has just become too narrow. What the encoder gives before it follows only
// lengthens a queue that stands, and pushes lost packets that are sent again out of it; pictures that are left out meanwhile
// make no gap, since what waits in the queue arrives instead of them.
import { queue, type Look, type TransportState } from './transportState.js';

/** So much of the queue is left, so that the link does not run dry. */
const keptMs = queue.growing;
/** A shorter pause is not worth it. */
const shortestMs = 60;
/** A longer one would be seen where the queue turns out to be shorter than thought. */
const longestMs = 200;
/** No more than this is taken to have come to the queue since it was seen: nobody knows how much of it fits. */
const mostUnseenMs = 100;

/** Undefined where none is due. Later lowerings tell of what has had its pause. */
export function pauseFor(state: TransportState, look: Look): number | undefined {
  const { at } = look.context;
  if (state.loweredAt !== at || state.drainingSince !== at) return undefined;
  const excess = look.sentBps / Math.max(1, state.capacity?.bps ?? state.target) - 1;
  const unseen = Math.min(mostUnseenMs, Math.max(0, excess) * (at - look.freshSentAt));
  const waits = look.freshTailMs - state.foreign.queue - 2 * state.jitter + unseen - keptMs;
  return waits < shortestMs ? undefined : Math.round(Math.min(longestMs, waits));
}
