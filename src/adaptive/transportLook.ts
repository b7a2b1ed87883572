// From what trains tell to what a step goes by: the queue is parted into that of others, that of an own burst, and the rest.
import type { PathContext } from './estimate.js';
import { mean, upperMedian, valuesSince } from './series.js';
import type { WayReading } from './trains.js';
import {
  headers,
  lossThatCounts,
  othersQueue,
  queue,
  type Look,
  type TransportState,
} from './transportState.js';

/** Of all that was ever lost at first, then mostly of the last seconds. */
const usualLossWeight = { least: 0.02, most: 0.3, stepMs: 100 } as const;

export function usualLoss(state: TransportState, { loss, queueMs }: WayReading): number {
  const { usualLoss: before, firstAt, at } = state;
  if (queueMs >= queue.empty) return before;
  const { least, most, stepMs } = usualLossWeight;
  const weight = Math.min(most, Math.max(least, stepMs / Math.max(1, at - (firstAt ?? at))));
  return before + weight * (Math.min(lossThatCounts.alone, loss) - before);
}

/** Somebody else's queue is believed in as long as one is seen, and is measured anew all the time. */
export function foreignQueue(state: TransportState, queueMs: number, at: number): TransportState['foreign'] {
  if (state.foreign.queue === 0) return state.foreign;
  const usual = upperMedian([...state.queues.map(({ value }) => value), queueMs]);
  const until = usual > queue.tooLong ? at + othersQueue.heldMs : state.foreign.until;
  if (at > until) return { queue: 0, until };
  const faded = state.foreign.queue - othersQueue.forgetsPerMs * Math.max(0, at - state.at);
  return { queue: Math.max(Math.min(othersQueue.most, usual), faded), until };
}

export function lookAt(
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
