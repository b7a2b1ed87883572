// Undo: takes back somebody's own last change, read from the audit, as long as nobody has built upon it since.
import { isDeepStrictEqual } from 'node:util';
import { ObscuraError } from '../errors.js';
import type { Actor } from './actor.js';
import type { AuditQuery } from './auditTrail.js';
import { savedValue, type Registry } from './cell.js';
import type { AuditChange, AuditRecord } from './journalEntry.js';
import type { Outcome } from './outcome.js';
import type { Store } from './store.js';

interface Trail {
  search(query: AuditQuery): Promise<AuditRecord[]>;
}

/** Somebody's own last change, and how it can be taken back. */
export interface Undoable {
  readonly revision: number;
  readonly at: number;
  /** What the settings held before, by key. */
  readonly before: Readonly<Record<string, unknown>>;
}

interface OwnChange {
  readonly last: AuditRecord | undefined;
  readonly undos: ReadonlySet<number>;
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

  /** What `undo` would take back; fails with the reason where it cannot. */
  async undoable(actor: Actor): Promise<Undoable> {
    const own = await this.#lastChange(actor.name);
    const { last } = own;
    if (last?.rev === undefined)
      throw new ObscuraError('unknown', 'You have made no change that could be undone');
    const changes = last.changes ?? [];
    const kept = changes.map(({ key }) => this.#saved(key));
    const before: Record<string, unknown> = {};
    for (const change of changes) {
      const { key, old } = change;
      if (change.secret === true || old === undefined)
        throw new ObscuraError('failed', `Your last change was of ${key}, whose old value is not kept`, {
          key,
        });
      if (await this.#isOvertaken(key, last.rev, own)) throw overtaken(key);
      before[key] = old;
    }
    // Reading the trail took a while.
    for (const [index, { key }] of changes.entries())
      if (!isDeepStrictEqual(this.#saved(key), kept[index])) throw overtaken(key);
    return { revision: last.rev, at: last.at, before };
  }

  /** With `expected`, only where the last change is of this revision: the one that somebody was shown. */
  async undo(actor: Actor, expected?: number): Promise<Outcome> {
    const { revision, before } = await this.undoable(actor);
    if (expected !== undefined && expected !== revision)
      throw new ObscuraError('conflict', 'You have made another change since');
    return await this.#store.submit(actor, before, { note: `${notePrefix}${String(revision)}` });
  }

  /**
   * Whether somebody has saved another value since. What is only put in force for a while (by the adaptive loop, which
   * has a setting as its own) is in no trail, and when it ends what is saved is as it was: nobody has wished for
   * anything else.
   */
  async #isOvertaken(key: string, revision: number, { undos }: OwnChange): Promise<boolean> {
    const cell = this.#store.cell(key);
    const isMine = (rev: number | undefined): boolean =>
      rev !== undefined && (rev === revision || undos.has(rev));
    // The server's own changes of what is not saved are in no trail either.
    if (cell?.saved !== true) return !isMine(cell?.revision);
    const records = await this.#trail.search({ key, outcome: 'done', limit: lookBack });
    const newest = records.find(
      ({ rev, changes = [] }) =>
        isMine(rev) || changes.some((change) => change.key === key && isAnother(change)),
    );
    return !isMine(newest?.rev);
  }

  #saved(key: string): unknown {
    const cell = this.#store.cell(key);
    return cell === undefined ? undefined : savedValue(cell);
  }

  /** What the server writes down for somebody (tokens, presets, the time of a log-in) is no change of theirs. */
  #isOwnDoing({ changes }: AuditRecord): boolean {
    return (changes ?? []).some(({ key }) => (this.#store.cell(key)?.writeMask ?? 0) !== 0);
  }

  /** An undo cancels itself and the change it took back, so that undoing twice goes back two changes. */
  async #lastChange(user: string): Promise<OwnChange> {
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

function isAnother({ old, new: next, secret }: AuditChange): boolean {
  return secret === true || !isDeepStrictEqual(old, next);
}

function overtaken(key: string): ObscuraError {
  return new ObscuraError('conflict', `${key} has been changed since`, { key });
}
