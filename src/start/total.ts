// What has come to several counters together since the start, although each may begin anew: it never goes back.
import { Growth } from '../media/growth.js';

export class Total {
  readonly #growth = new Growth({ startsAnew: true });
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Takes the counters as they stand now and returns what has come since the last time. */
  take(counters: Iterable<readonly [name: string, value: number]>): number {
    const grown = [...this.#growth.take(new Map(counters)).values()].reduce((sum, each) => sum + each, 0);
    this.#total += grown;
    return grown;
  }
}
