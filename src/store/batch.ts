// Transactions that share one write to the disk. Each is judged as if those before it had happened already.
import type { Entry } from './journalEntry.js';
import type { Cell } from './cell.js';
import type { Sight, Staged } from './staging.js';

export interface Accepted<J> {
  readonly job: J;
  readonly staged: Staged;
  readonly revision: number;
  readonly at: number;
}

export class Batch<J> implements Sight {
  readonly accepted: Accepted<J>[] = [];
  readonly entries: Entry[] = [];
  readonly #values = new Map<Cell, unknown>();
  readonly #revisions = new Map<Cell, number>();
  #revision: number;

  constructor(revision: number) {
    this.#revision = revision;
  }

  get revision(): number {
    return this.#revision;
  }

  valueOf(cell: Cell): unknown {
    return this.#values.has(cell) ? this.#values.get(cell) : cell.value;
  }

  revisionOf(cell: Cell): number {
    return this.#revisions.get(cell) ?? cell.revision;
  }

  /** Whether a transaction of this batch has given the cell a value. */
  has(cell: Cell): boolean {
    return this.#values.has(cell);
  }

  take(accepted: Accepted<J>, entry: Entry | undefined): void {
    this.#revision = accepted.revision;
    for (const [cell, value] of accepted.staged.values) {
      this.#values.set(cell, value);
      this.#revisions.set(cell, accepted.revision);
    }
    this.accepted.push(accepted);
    if (entry !== undefined) this.entries.push(entry);
  }
}
