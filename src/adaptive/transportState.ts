// What the estimator for feedback of each packet remembers of a way, and what it goes by in a step.
import type { PathContext, PathEstimate } from './estimate.js';
import type { Series } from './series.js';
import type { TrainLog, WayReading } from './trains.js';

/** Milliseconds of standing queue, each beside what the way's own jitter adds. */
export const queue = { empty: 12, growing: 25, tooLong: 60 } as const;
export const lossThatCounts = { withQueue: 0.02, alone: 0.1, besideOthers: 0.004 } as const;
/** From a new target until the encoder gives it. */
export const encoderLagMs = 150;
/** What packets are larger than their payload. */
export const headers = 1.03;
/** Others' queue is believed in for so long after it was last seen, and fades. */
export const othersQueue = { heldMs: 8000, most: 400, forgetsPerMs: 0.02 } as const;

export interface TransportState {
  readonly estimate: PathEstimate;
  readonly target: number;
  readonly at: number;
  readonly firstAt: number | null;
  readonly heardAt: number;
  readonly log: TrainLog;
  readonly jitter: number;
  /** Of the way itself, as it is while no queue stands. */
  readonly usualLoss: number;
  readonly queues: Series;
  readonly targets: Series;
  readonly loweredAt: number;
  readonly drainingSince: number | null;
  /** What was sent before the way became too narrow. */
  readonly beforeDip: { readonly target: number; readonly at: number } | null;
  /** What the narrowest link was last seen to carry; `agreed` is how often in a row it was about that. */
  readonly capacity: { readonly bps: number; readonly at: number; readonly agreed: number } | null;
  /** Milliseconds of queue that others keep on the way. */
  readonly foreign: { readonly queue: number; readonly until: number };
  /** The growth that trains have led to since the way was last too narrow, and what has arrived meanwhile. */
  readonly leap: { readonly since: number; readonly last: number; readonly bytes: number } | null;
  /** Of trains, where leaps that they promised have failed. */
  readonly distrust: { readonly ms: number; readonly until: number };
  readonly cleanSince: number;
}

/** What a step goes by. */
export interface Look extends WayReading {
  readonly context: PathContext;
  readonly elapsed: number;
  /** What was aimed at in the last while, which is what is sent now. */
  readonly usual: number;
  readonly rtt: number;
  /** The standing queue without what others keep there and what an own burst explains. */
  readonly own: number;
  readonly burst: number;
  readonly rise: number;
  /** The least of the last second. */
  readonly lasting: number;
  /** From trains, where they are trusted. */
  readonly room: number | null;
  readonly roomSoon: number | null;
  /** What the link carries by the very last trains, leaving what jitter may have spread them. */
  readonly freshBps: number;
}

/** Loss that tells of a queue where one is seen, beside what the way loses anyway. */
export function isLossOfQueue({ usualLoss }: TransportState, loss: number): boolean {
  return loss > lossThatCounts.withQueue + 1.5 * usualLoss;
}

/** Loss that is more than chance, by what the way loses anyway. */
export function isTooMuch({ usualLoss }: TransportState, loss: number): boolean {
  return loss > lossThatCounts.alone + usualLoss;
}
