// What the adaptive loop leaves of the size and rate of a stream while bits are scarce.
import { sizeOf } from '../observables/schemas.js';
import type { MediaSettings } from './settings.js';

export type Rung = MediaSettings['adaptiveLadder']['stream1'];

interface Shape {
  readonly resolution: string;
  readonly framerate: number;
}

/** As wished, but no larger and no faster than the rung says; the form of the picture stays. */
export function withinRung<S extends Shape>(stream: S, { height, framerate }: Rung): S {
  return {
    ...stream,
    resolution: height === null ? stream.resolution : noHigher(stream.resolution, height),
    framerate: framerate === null ? stream.framerate : Math.min(stream.framerate, framerate),
  };
}

/** In even numbers, which is what encoders take. */
function noHigher(resolution: string, most: number): string {
  const { width, height } = sizeOf(resolution);
  if (height <= most) return resolution;
  const even = (length: number): number => Math.max(2, 2 * Math.round(length / 2));
  return `${String(even((width * most) / height))}x${String(even(most))}`;
}
