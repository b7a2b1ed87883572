// Counters that never go back, made from counts that begin anew: with every media process, and with every viewer.

export class Growth {
  readonly #startsAnew: boolean;
  #before = new Map<string, number>();

  /** `startsAnew`: a count that is less than before began again at nothing; otherwise it was corrected. */
  constructor({ startsAnew }: { readonly startsAnew: boolean }) {
    this.#startsAnew = startsAnew;
  }

  /** By how much each has grown. What is not there any more is forgotten. */
  take(counts: ReadonlyMap<string, number>): Map<string, number> {
    const grown = new Map<string, number>();
    const kept = new Map<string, number>();
    for (const [id, count] of counts) {
      const before = this.#before.get(id) ?? 0;
      const restarted = count < before && this.#startsAnew;
      grown.set(id, Math.max(0, restarted ? count : count - before));
      // A count that is corrected and comes back has not grown.
      kept.set(id, restarted ? count : Math.max(before, count));
    }
    this.#before = kept;
    return grown;
  }
}
