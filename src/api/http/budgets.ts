// How many requests an address may make in a second, by kind; the setting counts from the next request on.
import type { Budget } from './route.js';

export interface Verdict {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the next request is allowed. */
  readonly retryAfter: number;
  /** Seconds until all of the budget is there again. */
  readonly resetAfter: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** More addresses than this are not remembered; those that have not asked for longest start afresh. */
const remembered = 10_000;

export class Budgets {
  readonly #limitOf: (budget: Exclude<Budget, 'none'>) => number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limitOf: (budget: Exclude<Budget, 'none'>) => number, now: () => number = Date.now) {
    this.#limitOf = limitOf;
    this.#now = now;
  }

  spend(address: string, budget: Exclude<Budget, 'none'>): Verdict {
    const limit = this.#limitOf(budget);
    const now = this.#now();
    const id = `${budget} ${address}`;
    const before = this.#buckets.get(id);
    const gained = before === undefined ? limit : (Math.max(0, now - before.at) * limit) / 1000;
    const tokens = Math.min(limit, (before?.tokens ?? 0) + gained);
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    this.#buckets.delete(id);
    this.#buckets.set(id, { tokens: left, at: now });
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= remembered) break;
      this.#buckets.delete(oldest);
    }
    return {
      allowed,
      limit,
      remaining: Math.floor(left),
      retryAfter: Math.max(1, Math.ceil((1 - left) / limit)),
      resetAfter: Math.ceil((limit - left) / limit),
    };
  }
}
