// Audit lines that wait for the next write: bounded, and whatever becomes of them, nobody's work fails for it.
import type { Entry } from './journalEntry.js';

const mostNotes = 1000;
const mostBytes = 1024 * 1024;

export class PendingNotes {
  #notes: { readonly entry: Entry; readonly bytes: number }[] = [];
  #bytes = 0;
  #dropped = 0;

  get empty(): boolean {
    return this.#notes.length === 0 && this.#dropped === 0;
  }

  add(entry: Entry): void {
    const bytes = lengthOf(entry);
    if (this.#notes.length >= mostNotes || this.#bytes + bytes > mostBytes) {
      this.#dropped += 1;
      return;
    }
    this.#notes.push({ entry, bytes });
    this.#bytes += bytes;
  }

  /** What waits now, with a line that tells how much was dropped. It waits on until `written`. */
  peek(at: number): { readonly entries: readonly Entry[]; written(): void } {
    const taken = this.#notes.length;
    const dropped = this.#dropped;
    const entries = this.#notes.map(({ entry }) => entry);
    if (dropped > 0)
      entries.push({
        kind: 'event',
        at,
        by: 'system',
        via: 'system',
        event: 'audit overflow',
        detail: { dropped },
      });
    return {
      entries,
      written: () => {
        for (const { bytes } of this.#notes.splice(0, taken)) this.#bytes -= bytes;
        this.#dropped -= dropped;
      },
    };
  }
}

/** What cannot be written at all counts as too long. */
function lengthOf(entry: Entry): number {
  try {
    return JSON.stringify(entry).length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
