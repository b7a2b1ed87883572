// Undo: takes back somebody's own last change, read from the audit, as long as nobody has built upon it since.
import { ObscuraError } from '../errors.js';
import type { Actor } from './actor.js';
import type { AuditQuery } from './auditTrail.js';
import type { AuditRecord } from './journalEntry.js';
import type { Outcome } from './outcome.js';
import type { Store } from './store.js';
import type { Registry } from './cell.js';

interface Trail {
  search(query: AuditQuery): Promise<AuditRecord[]>;
}

const lookBack = 200;
const notePrefix = 'undo of revision ';

export class History {
  readonly #store: Store<Registry>;
  readonly #trail: Trail;

  constructor(store: Pick<Store<Registry>, 'cell' | 'submit'>, trail: Trail) {
    this.#store = store as Store<Registry>;
    this.#trail = trail;
  }

  async undo(actor: Actor): Promise<Outcome> {
    const { last, undos } = await this.#lastChange(actor.name);
    if (last === undefined) throw new ObscuraError('unknown', 'You have made no change that could be undone');
    const patch: Record<string, unknown> = {};
    for (const { key, old, secret } of last.changes ?? []) {
      if (secret === true || old === undefined)
        throw new ObscuraError('failed', `Your last change was of ${key}, whose old value is not kept`, {
          key,
        });
      const now = this.#store.cell(key)?.revision ?? 0;
      if (now !== last.rev && !undos.has(now))
        throw new ObscuraError('conflict', `${key} has been changed since`, { key });
      patch[key] = old;
    }
    return await this.#store.submit(actor, patch, { note: `${notePrefix}${String(last.rev)}` });
  }

  /** What the server writes down for somebody (tokens, presets, the time of a log-in) is no change of theirs. */
  #isOwnDoing({ changes }: AuditRecord): boolean {
    return (changes ?? []).some(({ key }) => (this.#store.cell(key)?.writeMask ?? 0) !== 0);
  }

  /** An undo cancels itself and the change it took back, so that undoing twice goes back two changes. */
  async #lastChange(user: string): Promise<{ last: AuditRecord | undefined; undos: ReadonlySet<number> }> {
    const undone = new Set<number>();
    const undos = new Set<number>();
    for (const record of await this.#trail.search({ user, outcome: 'done', limit: lookBack })) {
      if (record.rev === undefined || !this.#isOwnDoing(record)) continue;
      if (record.note?.startsWith(notePrefix) === true) {
        undone.add(Number(record.note.slice(notePrefix.length)));
        undos.add(record.rev);
      } else if (!undone.has(record.rev)) return { last: record, undos };
    }
    return { last: undefined, undos };
  }
}
