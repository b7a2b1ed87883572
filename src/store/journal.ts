// Durable memory: every commit a checksummed line in journal.ndjson, now and then gathered into snapshot.json.
// The lines are at once the audit: a journal that has been gathered moves to an audit-... file instead of going away.
import { mkdir } from 'node:fs/promises';
import { messageOf, ObscuraError } from '../errors.js';
import { AuditTrail, type AuditQuery, type Retention } from './auditTrail.js';
import { sealedLine } from './checksum.js';
import { realFiles, type Files } from './files.js';
import { lockFolder, type FolderLock } from './folderLock.js';
import { Gatherer } from './gatherer.js';
import { auditRecord, type AuditRecord, type Entry, type Line } from './journalEntry.js';
import { JournalFile } from './journalFile.js';
import type { Migration, SavedCells } from './migrations.js';
import { PendingNotes } from './pendingNotes.js';
import {
  applyRepair,
  journalName,
  newEpoch,
  recover,
  Replay,
  type Recovery,
  type Repair,
} from './recovery.js';

export interface JournalOptions {
  readonly dir: string;
  readonly schemaVersion: number;
  readonly migrations: readonly Migration[];
  readonly files?: Files;
  readonly now?: () => number;
  /** The journal is gathered into the snapshot when it has grown to this. */
  readonly snapshotLimitBytes?: number;
  readonly retention?: Retention;
  /** Told of what went wrong without anybody to answer to. */
  readonly onFault?: (error: Error) => void;
}

export interface Recovered {
  readonly epoch: string;
  readonly cells: SavedCells;
  /** No higher revision was used. */
  readonly rev: number;
  /** The last stop was orderly, so nobody saw a change that is not here. */
  readonly clean: boolean;
  /** What had to be set aside or repaired, in words. */
  readonly reports: readonly string[];
}

const noteDelayMs = 500;

export class Journal {
  readonly recovered: Recovered;
  readonly #dir: string;
  readonly #files: Files;
  readonly #locks: boolean;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #onFault: (error: Error) => void;
  readonly #file: JournalFile;
  readonly #trail: AuditTrail;
  readonly #notes = new PendingNotes();
  readonly #state: Replay;
  readonly #gatherer: Gatherer;
  #lock: FolderLock | undefined;
  /** What the last run left undone; nothing is written before it is in order. */
  #repairs: readonly Repair[];
  #gatherAt: number;
  #noteTimer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Rejects where another server holds the folder. A disk that is full, read-only or broken does not keep the server
   * from its settings: appends are refused until it works again.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { dir, files = realFiles, schemaVersion, migrations } = options;
    const locks = options.files === undefined;
    if (locks)
      await mkdir(dir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
        throw new ObscuraError('failed', `The data folder ${dir} cannot be made: ${messageOf(error)}`, {
          cause: error,
        });
      });
    let lock: FolderLock | undefined;
    try {
      if (locks) lock = await lockFolder(dir);
    } catch (error) {
      if (error instanceof ObscuraError) throw error;
      // The disk takes no lock; it is tried again before the first write.
    }
    try {
      const recovery = await recover(files, dir, schemaVersion, migrations);
      const journal = new Journal(options, recovery, lock);
      await journal.#firstPreparation(recovery.reports);
      return journal;
    } catch (error) {
      await lock?.release();
      throw error;
    }
  }

  private constructor(options: JournalOptions, recovery: Recovery, lock: FolderLock | undefined) {
    const { dir, files, now, retention, snapshotLimitBytes, schemaVersion, onFault } = options;
    const { state, clean, reports } = recovery;
    this.#dir = dir;
    this.#files = files ?? realFiles;
    this.#locks = files === undefined;
    this.#lock = lock;
    this.#limit = snapshotLimitBytes ?? 256 * 1024;
    this.#gatherAt = this.#limit;
    this.#now = now ?? Date.now;
    this.#onFault = onFault ?? (() => undefined);
    this.#trail = new AuditTrail(
      dir,
      this.#files,
      retention ?? { days: 90, bytes: 64 * 1024 * 1024 },
      this.#now,
    );
    this.#state = new Replay(state);
    this.#file = new JournalFile(this.#files, dir, journalName, recovery.journal);
    this.#gatherer = new Gatherer({
      dir,
      files: this.#files,
      file: this.#file,
      trail: this.#trail,
      state: this.#state,
      version: schemaVersion,
      epoch: state.epoch,
      due: recovery.rebase,
    });
    this.#repairs = recovery.repairs;
    this.recovered = { epoch: state.epoch, cells: state.cells, rev: state.reserved, clean, reports };
  }

  /** One write and one sync for all; when it rejects, nothing of it is left. */
  append(entries: readonly Entry[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) throw new ObscuraError('failed', 'The journal is closed');
      await this.#write(entries);
    });
  }

  /** For the audit alone: written soon, never waited for, never in the way. */
  note(entry: Entry): void {
    if (this.#closed) return;
    this.#notes.add(entry);
    this.#noteTimer ??= setTimeout(() => {
      this.#noteTimer = undefined;
      this.append([]).catch((error: unknown) => {
        // They wait on for the next append; commits report a broken disk to those who ask for them.
        this.#fault('Audit lines could not be written yet', error);
      });
    }, noteDelayMs).unref();
  }

  /** Newest first. */
  async search(query: AuditQuery): Promise<AuditRecord[]> {
    const current = await this.#inTurn(async () => {
      // On a broken disk the past can still be read.
      if (!this.#closed) await this.#write([]).catch(() => undefined);
      return this.#file.text().catch(() => '');
    });
    return this.#trail.search(query, current);
  }

  onAudit(listener: (record: AuditRecord) => void): () => void {
    return this.#trail.follow(listener);
  }

  /** Factory reset: drops what is not kept and begins a new epoch. The audit stays. */
  forget(keep: (key: string) => boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) throw new ObscuraError('failed', 'The journal is closed');
      const { cells } = this.#state;
      const before = [...cells];
      const epoch = this.#gatherer.epoch;
      try {
        await this.#prepare();
        for (const key of [...cells.keys()]) if (!keep(key)) cells.delete(key);
        this.#gatherer.rebase(newEpoch());
        await this.#gatherer.placeSnapshot();
      } catch (error) {
        // Refused is refused: the old state is what further commits add to.
        for (const [key, cell] of before) cells.set(key, cell);
        this.#gatherer.rebase(epoch);
        throw unwritable(error);
      }
      await this.#gatherer.moveLines().catch((error: unknown) => {
        // It is forgotten; the rest is made up for before the next write.
        this.#fault('The journal could not be emptied after the reset', error);
      });
    });
  }

  get epoch(): string {
    return this.#gatherer.epoch;
  }

  /** `rev` is the last revision that was used, saved or not. */
  async close(rev: number): Promise<void> {
    clearTimeout(this.#noteTimer);
    await this.#inTurn(async () => {
      if (this.#closed) return;
      this.#closed = true;
      try {
        // As the last line it says that nothing was published which is not in here.
        await this.#write([{ kind: 'clean', rev }]);
      } finally {
        await this.#file.close();
        await this.#lock?.release();
      }
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#work.then(task);
    this.#work = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** With the notes that wait. */
  async #write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0 && this.#notes.empty) return;
    const notes = this.#notes.peek(this.#now());
    try {
      await this.#prepare();
      const lines = [...notes.entries, ...entries].map((entry, index): Line => ({
        seq: this.#state.seq + 1 + index,
        ...entry,
      }));
      await this.#file.add(lines.map(sealedLine).join(''));
      notes.written();
      for (const line of lines) this.#taken(line);
    } catch (error) {
      throw unwritable(error);
    }
    if (this.#file.size > this.#gatherAt) this.#gatherSoon();
  }

  #taken(line: Line): void {
    this.#state.take(line);
    const record = auditRecord(line);
    if (record !== undefined) this.#trail.tell(record);
  }

  async #firstPreparation(reports: string[]): Promise<void> {
    try {
      await this.#prepare();
      await this.#file.ready();
    } catch (error) {
      if (error instanceof ObscuraError) throw error;
      reports.push(`Nothing can be changed for now: ${unwritable(error).message}`);
    }
  }

  /** Puts right what the last run left behind. Tried again at each write until it succeeds. */
  async #prepare(): Promise<void> {
    if (this.#locks) this.#lock ??= await lockFolder(this.#dir);
    if (this.#repairs.length > 0) {
      for (const repair of this.#repairs) await this.#repair(repair);
      await this.#files.syncFolder(this.#dir);
    }
    if (this.#gatherer.due) await this.#gather();
  }

  async #repair(repair: Repair): Promise<void> {
    try {
      await applyRepair(this.#files, this.#dir, repair);
    } catch (error) {
      // A copy for those who want to look into it is not worth standing still for.
      if (repair.kind !== 'copy') throw error;
      this.#fault(`${repair.from} could not be copied to ${repair.to}`, error);
    }
    // Each is done once: a file that has been moved away cannot be moved again.
    this.#repairs = this.#repairs.filter((each) => each !== repair);
  }

  /** Behind the writes that wait: those who asked for them have their answer first. */
  #gatherSoon(): void {
    this.#gatherAt = Number.POSITIVE_INFINITY;
    void this.#inTurn(async () => {
      try {
        if (!this.#closed) await this.#gather();
      } catch (error) {
        // What is in the journal is safe there; it may grow some more before the next try.
        this.#gatherAt = this.#file.size + this.#limit;
        this.#fault('The journal could not be gathered into the snapshot', error);
      }
    });
  }

  async #gather(): Promise<void> {
    await this.#gatherer.placeSnapshot();
    await this.#gatherer.moveLines();
    this.#gatherAt = this.#limit;
  }

  #fault(what: string, error: unknown): void {
    this.#onFault(new ObscuraError('failed', `${what}: ${messageOf(error)}`, { cause: error }));
  }
}

function unwritable(error: unknown): ObscuraError {
  if (error instanceof ObscuraError) return error;
  return new ObscuraError('failed', `The journal cannot be written: ${messageOf(error)}`, { cause: error });
}
