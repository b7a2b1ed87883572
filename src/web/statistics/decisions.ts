// What the adaptive loop has decided, as `/api/adaptive/decisions` tells it.
import { keptMs } from './seconds.js';

export interface Decision {
  readonly id: number;
  readonly kind: 'bitrate' | 'picture' | 'viewer';
  readonly stream: string;
  readonly at: number;
  readonly until: number;
  readonly from?: number;
  readonly to?: number;
  readonly cause?: string;
  readonly reason: string;
  readonly viewer?: string;
  readonly height?: number | null;
  readonly framerate?: number | null;
}

/** A decision that goes on is told again, longer than before; the newest are last. */
export function joinedDecisions(before: readonly Decision[], told: readonly Decision[]): readonly Decision[] {
  if (told.length === 0) return before;
  const all = new Map([...before, ...told].map((decision) => [nameOf(decision), decision]));
  const newest = Math.max(...told.map(({ until }) => until));
  return [...all.values()].filter(({ until }) => newest - until <= keptMs);
}

/** A server that was started anew counts from the beginning. */
export function nameOf({ id, at }: Decision): string {
  return `${String(id)}@${String(at)}`;
}

export function isUp({ from = 0, to = 0 }: Decision): boolean {
  return to > from;
}
