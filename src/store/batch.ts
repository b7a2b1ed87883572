// Transactions that share one write to the disk. Each is judged as if those before it had happened already.
import type { Entry } from './journalEntry.js';
import { durableAfter, type Cell, type Durable } from './cell.js';
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
  readonly #durable = new Map<Cell, Durable>();
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

  durableOf(cell: Cell): Durable {
    return this.#durable.has(cell) ? this.#durable.get(cell) : cell.durable;
  }

  take(accepted: Accepted<J>, entry: Entry | undefined, isTransient: boolean): void {
    this.#revision = accepted.revision;
    for (const cell of accepted.staged.settled) this.#durable.set(cell, undefined);
    for (const [cell, value] of accepted.staged.values) {
      const before = { value: this.valueOf(cell), durable: this.durableOf(cell) };
      this.#durable.set(cell, durableAfter(cell, value, before, isTransient));
      this.#values.set(cell, value);
      this.#revisions.set(cell, accepted.revision);
    }
    this.accepted.push(accepted);
    if (entry !== undefined) this.entries.push(entry);
  }
}
