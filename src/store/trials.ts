// Changes on trial: a setting that can shut people out returns by itself unless somebody who still gets in confirms it.
import { filter, type Subscription } from 'rxjs';
import { ObscuraError, messageOf } from '../errors.js';
import { systemActor, type Actor } from './actor.js';
import type { Registry } from './cell.js';
import type { Outcome, TransactOptions } from './outcome.js';
import type { Store } from './store.js';

interface Trial {
  readonly revision: number;
  readonly before: Readonly<Record<string, unknown>>;
  /** What is to be saved: as it was set, and as people have changed it since. */
  readonly wanted: Record<string, unknown>;
  readonly connection: object;
  readonly timer: NodeJS.Timeout;
}

type TrialStore = Pick<Store<Registry>, 'cell' | 'submit' | 'commits$'>;

export class Trials {
  readonly #store: TrialStore;
  readonly #onFault: (message: string) => void;
  readonly #trials = new Map<number, Trial>();
  readonly #following: Subscription;

  constructor(store: TrialStore, onFault: (message: string) => void) {
    this.#store = store;
    this.#onFault = onFault;
    // The adaptive loop may have a setting as its own for a while; nobody confirms that.
    this.#following = store.commits$
      .pipe(filter(({ actor }) => actor.via !== 'adaptive'))
      .subscribe(({ changed }) => {
        for (const { wanted } of this.#trials.values())
          for (const { key, value } of changed) if (Object.hasOwn(wanted, key)) wanted[key] = value;
      });
  }

  /** The change is in force but not saved: after a crash the old value is back as well. */
  async begin(
    actor: Actor,
    patch: Readonly<Record<string, unknown>>,
    seconds: number,
    connection: object,
    options: TransactOptions,
  ): Promise<{ readonly outcome: Outcome; readonly confirmBefore?: number }> {
    const values = new Map(Object.keys(patch).map((key) => [key, this.#store.cell(key)?.value]));
    const outcome = await this.#store.submit(actor, patch, { ...options, transient: true, note: 'on trial' });
    if (!outcome.ok || outcome.changed.length === 0) return { outcome };
    const settings = outcome.changed.filter((key) => this.#store.cell(key)?.saved === true);
    const before = Object.fromEntries(
      settings.map((key) => [key, this.#store.cell(key)?.durable?.value ?? values.get(key)]),
    );
    const { revision } = outcome;
    const timer = setTimeout(() => {
      void this.#revert(revision);
    }, seconds * 1000);
    const wanted = Object.fromEntries(settings.map((key) => [key, this.#store.cell(key)?.value]));
    this.#trials.set(revision, { revision, before, wanted, connection, timer });
    return { outcome, confirmBefore: Date.now() + seconds * 1000 };
  }

  /** Only a connection that was made, or at least used, after the change proves that one still gets in. */
  async confirm(actor: Actor, revision: number, connection: object): Promise<Outcome> {
    const trial = this.#trials.get(revision);
    if (trial === undefined)
      throw new ObscuraError('unknown', `No change of revision ${String(revision)} waits to be confirmed`);
    if (trial.connection === connection)
      throw new ObscuraError(
        'conflict',
        'Confirm over another connection: this one was open before the change',
      );
    const outcome = await this.#store.submit(
      actor,
      { ...trial.wanted },
      {
        note: `confirms revision ${String(revision)}`,
      },
    );
    if (outcome.ok) this.#end(trial);
    return outcome;
  }

  /** At a stop nobody can confirm any more. */
  async close(): Promise<void> {
    this.#following.unsubscribe();
    await Promise.all([...this.#trials.keys()].map((revision) => this.#revert(revision)));
  }

  async #revert(revision: number): Promise<void> {
    const trial = this.#trials.get(revision);
    if (trial === undefined) return;
    this.#end(trial);
    const outcome = await this.#store
      .submit(systemActor(), trial.before, { note: `revision ${String(revision)} was not confirmed` })
      .catch((error: unknown) => ({ ok: false as const, error: { message: messageOf(error) } }));
    if (!outcome.ok) this.#onFault(`A change on trial could not be taken back: ${outcome.error.message}`);
  }

  #end({ revision, timer }: Trial): void {
    clearTimeout(timer);
    this.#trials.delete(revision);
  }
}
