// What the adaptive loop did, for the audit: not each of its many steps, but once a minute their range and the reason for
// the lowest.
import type { LoopOutput, StreamId } from '../adaptive/decisions.js';

const everyMs = 60_000;

interface Range {
  readonly from: number;
  readonly to: number;
  readonly lowest: number;
  readonly highest: number;
  /** Of the lowest. */
  readonly reason: string;
  readonly changes: number;
}

export type Summary = Readonly<Partial<Record<StreamId, Range>>>;

export class DecisionSummary {
  readonly #note: (summary: Summary) => void;
  #ranges: Partial<Record<StreamId, Range>> = {};
  #since: number | undefined;

  constructor(note: (summary: Summary) => void) {
    this.#note = note;
  }

  take({ at, streams }: LoopOutput): void {
    this.#since ??= at;
    for (const [id, { target, reason }] of Object.entries(streams) as [
      StreamId,
      NonNullable<LoopOutput['streams'][StreamId]>,
    ][]) {
      const before = this.#ranges[id];
      if (before === undefined)
        this.#ranges[id] = {
          ...{ from: target, to: target, lowest: target, highest: target },
          ...{ reason, changes: 0 },
        };
      else if (before.to !== target)
        this.#ranges[id] = {
          ...before,
          ...{ to: target, changes: before.changes + 1, highest: Math.max(before.highest, target) },
          ...(target < before.lowest ? { lowest: target, reason } : {}),
        };
    }
    if (at - this.#since >= everyMs) this.end();
  }

  /** Tells what has not been told so far. */
  end(): void {
    const moved = Object.entries(this.#ranges).filter(([, { changes }]) => changes > 0);
    if (moved.length > 0) this.#note(Object.fromEntries(moved));
    this.#ranges = {};
    this.#since = undefined;
  }
}
