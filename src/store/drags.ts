// Changes that are shown before they are meant, as in the middle of a drag. Whoever goes away with one in their hand has
// let go of it: it is kept as they left it, under their name, so that nothing stays in force that no audit knows of.
import { messageOf } from '../errors.js';
import { systemActor, type Actor } from './actor.js';
import type { Outcome, TransactOptions } from './outcome.js';
import type { Registry } from './cell.js';
import type { Store } from './store.js';

interface Held {
  readonly actor: Actor;
  readonly owner: object;
  readonly revision: number;
  readonly timer: NodeJS.Timeout;
}

/** Longer than a hand rests in the middle of a movement. */
const restsMs = 60_000;

export class Drags<R extends Registry = Registry> {
  readonly #store: Pick<Store<R>, 'submit' | 'cell'>;
  readonly #onFault: (message: string) => void;
  readonly #held = new Map<string, Held>();

  constructor(store: Pick<Store<R>, 'submit' | 'cell'>, onFault: (message: string) => void) {
    this.#store = store;
    this.#onFault = onFault;
  }

  /** The store's, for people; `owner` is whatever the drag ends with, such as a connection. */
  async submit(
    actor: Actor,
    patch: Readonly<Record<string, unknown>>,
    options: TransactOptions,
    owner: object,
  ): Promise<Outcome> {
    const outcome = await this.#store.submit(actor, patch, options);
    if (outcome.ok && options.transient === true && options.dryRun !== true)
      for (const key of outcome.changed) this.#hold(key, { actor, owner, revision: outcome.revision });
    return outcome;
  }

  async leave(owner: object): Promise<void> {
    await this.#keepAll((held) => held.owner === owner);
  }

  async close(): Promise<void> {
    await this.#keepAll(() => true);
  }

  async #keepAll(which: (held: Held) => boolean): Promise<void> {
    const left = [...this.#held].filter(([, held]) => which(held));
    await Promise.all(left.map(([key, held]) => this.#keep(key, held)));
  }

  #hold(key: string, drag: Omit<Held, 'timer'>): void {
    clearTimeout(this.#held.get(key)?.timer);
    this.#held.delete(key);
    if (this.#store.cell(key)?.durable === undefined) return;
    const timer = setTimeout(() => void this.#keep(key, held), restsMs).unref();
    const held = { ...drag, timer };
    this.#held.set(key, held);
  }

  async #keep(key: string, held: Held): Promise<void> {
    clearTimeout(held.timer);
    if (this.#held.get(key) === held) this.#held.delete(key);
    const cell = this.#store.cell(key);
    // It has been let go of already, or somebody else has taken it.
    if (cell?.durable === undefined || cell.revision !== held.revision) return;
    const { value, durable } = cell;
    const kept = await this.#attempt(held.actor, { [key]: value }, 'left in the middle');
    if (kept.ok) return;
    // Whoever may not change it any more has not changed it.
    const returned = await this.#attempt(
      systemActor(),
      { [key]: durable.value },
      `${held.actor.name} left it in the middle, and it could not be kept`,
    );
    if (!returned.ok)
      this.#onFault(`What ${held.actor.name} left of ${key} could not be kept: ${kept.reason}`);
  }

  async #attempt(
    actor: Actor,
    patch: Readonly<Record<string, unknown>>,
    note: string,
  ): Promise<{ readonly ok: boolean; readonly reason: string }> {
    try {
      const outcome = await this.#store.submit(actor, patch, { note });
      return { ok: outcome.ok, reason: outcome.ok ? '' : outcome.error.message };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    }
  }
}
