// Keys that somebody keeps others from writing, for a while or until their connection ends.
import { ObscuraError } from '../errors.js';
import type { Actor } from './actor.js';
import type { Cell } from './cell.js';
import type { Refusal } from './outcome.js';

interface Lock {
  readonly by: string;
  readonly until: number;
  readonly owner: object;
}

export interface LocksOptions {
  readonly now?: () => number;
  /** Told of every change, for those who watch. */
  readonly publish?: (
    locks: Readonly<Record<string, { readonly by: string; readonly until: number }>>,
  ) => void;
}

export class Locks {
  readonly #locks = new Map<string, Lock>();
  readonly #now: () => number;
  readonly #publish: NonNullable<LocksOptions['publish']>;
  #timer: NodeJS.Timeout | undefined;

  constructor({ now, publish }: LocksOptions = {}) {
    this.#now = now ?? Date.now;
    this.#publish = publish ?? (() => undefined);
  }

  /** For the store: why this actor may not write the key now. */
  readonly obstacle = ({ key }: Cell, actor: Actor): Refusal | undefined => {
    const lock = this.#holding(key);
    if (lock === undefined || lock.by === actor.name) return undefined;
    const until = new Date(lock.until).toISOString();
    return { code: 'conflict', key, message: `${key} is locked by ${lock.by} until ${until}` };
  };

  /** `owner` is whatever the lock should end with, such as a connection. */
  lock(actor: Actor, keys: readonly string[], seconds: number, owner: object): number {
    if (actor.name === '') throw new ObscuraError('unauthenticated', 'Log in to lock a setting');
    for (const key of keys) {
      const held = this.#holding(key);
      if (held !== undefined && held.by !== actor.name)
        throw new ObscuraError('conflict', `${key} is locked by ${held.by}`, { key });
    }
    const until = this.#now() + seconds * 1000;
    for (const key of keys) this.#locks.set(key, { by: actor.name, until, owner });
    this.#changed();
    return until;
  }

  unlock(actor: Actor, keys?: readonly string[]): void {
    for (const [key, { by }] of this.#locks)
      if (by === actor.name && (keys === undefined || keys.includes(key))) this.#locks.delete(key);
    this.#changed();
  }

  releaseAll(owner: object): void {
    const before = this.#locks.size;
    for (const [key, lock] of this.#locks) if (lock.owner === owner) this.#locks.delete(key);
    if (this.#locks.size !== before) this.#changed();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #holding(key: string): Lock | undefined {
    const lock = this.#locks.get(key);
    return lock !== undefined && lock.until > this.#now() ? lock : undefined;
  }

  #changed(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#locks) if (until <= now) this.#locks.delete(key);
    this.#publish(Object.fromEntries([...this.#locks].map(([key, { by, until }]) => [key, { by, until }])));
    clearTimeout(this.#timer);
    const next = Math.min(...[...this.#locks.values()].map(({ until }) => until));
    if (Number.isFinite(next))
      this.#timer = setTimeout(() => {
        this.#changed();
      }, next - now).unref();
  }
}
