// Between which bit rates a stream may be steered.
import type { AdaptiveSettings, StreamId, StreamWish } from './decisions.js';

/** The second stream is there for narrow ways. */
const secondStreamFloor = 300_000;

export interface Bounds {
  readonly floor: number;
  readonly ceiling: number;
}

export function boundsOf(id: StreamId, wish: StreamWish, { min, max }: AdaptiveSettings): Bounds {
  if (wish.steerable === false) return { floor: flowOf(wish), ceiling: flowOf(wish) };
  const ceiling = Math.min(wish.bitrate, max);
  const floor = Math.min(id === 'stream1' ? min : Math.min(min, secondStreamFloor), ceiling);
  return { floor, ceiling };
}

/** What a stream gives that cannot be steered. */
export function flowOf({ encodedBps, bitrate }: StreamWish): number {
  return encodedBps ?? bitrate;
}

export function clamp(bitrate: number, { floor, ceiling }: Bounds): number {
  return Math.round(Math.min(ceiling, Math.max(floor, bitrate)));
}
