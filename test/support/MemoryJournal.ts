import type { Entry } from '../../src/store/journalEntry.js';
import type { Persistence } from '../../src/store/store.js';

/** A disk whose answers the test decides: at once, later, or never. */
export class MemoryJournal implements Persistence {
  readonly appended: Entry[][] = [];
  readonly notes: Entry[] = [];
  failure: Error | undefined;
  #gate: Promise<void> = Promise.resolve();

  /** Appends wait from now until the returned function is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  async append(entries: readonly Entry[]): Promise<void> {
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    this.appended.push([...entries]);
  }

  note(entry: Entry): void {
    this.notes.push(entry);
  }

  get commits(): Extract<Entry, { kind: 'commit' }>[] {
    return this.appended.flat().filter((entry) => entry.kind === 'commit');
  }
}
