// Counts what has come to several counters that may begin anew, such as those of a process that was restarted or of
// viewers who come and go: the sum never goes back.
export class Growth {
  readonly #seen = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Takes the counters as they stand now and returns what has come since the last time. */
  take(counters: Iterable<readonly [name: string, value: number]>): number {
    let grown = 0;
    const present = new Set<string>();
    for (const [name, value] of counters) {
      present.add(name);
      const before = this.#seen.get(name) ?? 0;
      grown += value >= before ? value - before : value;
      this.#seen.set(name, value);
    }
    for (const name of this.#seen.keys()) if (!present.has(name)) this.#seen.delete(name);
    this.#total += grown;
    return grown;
  }
}
