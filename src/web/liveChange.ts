// A setting that follows a hand: some twenty changes a second, one at a time, of which the newest wins and only the last is
// kept. So the server writes a single line of what was dragged through a hundred places.
import { patience } from './patience.js';

/** Makes the change unless the setting is newer than the revision, and resolves with that of the change. */
export type Send<T> = (
  value: T,
  options: { readonly ifRevision: number; readonly transient: boolean },
) => Promise<number>;

const betweenMs = 50;

export class LiveChange<T> {
  readonly #send: Send<T>;
  readonly #onRefused: (error: unknown) => void;
  #revision: number;
  #next: { readonly value: T } | undefined;
  #sending: Promise<void> | undefined;
  #isWorking = false;
  #isOver = false;
  /** Whether the server holds something that is only for the moment. */
  #isAway = false;

  /** `revision` is that of what was seen when the hand began. Refusals on the way end the change. */
  constructor(revision: number, send: Send<T>, onRefused: (error: unknown) => void) {
    this.#revision = revision;
    this.#send = send;
    this.#onRefused = onRefused;
  }

  /** Shown to everybody who watches, but not kept. */
  show(value: T): void {
    if (this.#isOver) return;
    this.#next = { value };
    if (!this.#isWorking) void this.#work();
  }

  /** The last word: what it was is one change, from before the first one that was shown. */
  async keep(value: T): Promise<number> {
    return await this.#end(value, false);
  }

  /** Back to what was before, as if nothing had been shown. */
  async forget(before: T): Promise<void> {
    const wasAway = this.#isAway || this.#sending !== undefined;
    if (wasAway) await this.#end(before, true);
    else this.#isOver = true;
  }

  async #end(value: T, transient: boolean): Promise<number> {
    this.#isOver = true;
    this.#next = undefined;
    // Refusals of what is under way have been told.
    await this.#sending?.catch(() => undefined);
    this.#revision = await this.#send(value, { ifRevision: this.#revision, transient });
    return this.#revision;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#next !== undefined) {
      const { value } = this.#next;
      this.#next = undefined;
      this.#sending = this.#attempt(value);
      try {
        await Promise.all([this.#sending, patience(betweenMs)]);
      } catch (error) {
        // Whoever has let go in the meantime hears it of the last change.
        if (this.#isOver) return;
        this.#isOver = true;
        this.#onRefused(error);
        return;
      } finally {
        this.#sending = undefined;
      }
    }
    this.#isWorking = false;
  }

  async #attempt(value: T): Promise<void> {
    this.#revision = await this.#send(value, { ifRevision: this.#revision, transient: true });
    this.#isAway = true;
  }
}
