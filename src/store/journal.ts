// Durable memory: every commit a checksummed line in journal.ndjson, now and then gathered into snapshot.json.
// The lines are at once the audit: a journal that has been gathered moves to an audit-... file instead of going away.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, ObscuraError } from '../errors.js';
import { AuditTrail, type AuditQuery } from './auditTrail.js';
import { openLine, sealedLine } from './checksum.js';
import { realFiles, replaceFile, type Files, type OpenFile } from './files.js';
import { lockFolder, type FolderLock } from './folderLock.js';
import { auditRecord, type AuditRecord, type Entry } from './journalEntry.js';
import { migrate, type Migration, type SavedCell, type SavedCells } from './migrations.js';
import { readSnapshot, snapshotText, type SnapshotDocument } from './snapshotFile.js';

export interface JournalOptions {
  readonly dir: string;
  readonly schemaVersion: number;
  readonly migrations: readonly Migration[];
  readonly files?: Files;
  readonly now?: () => number;
  /** The journal is gathered into the snapshot when it has grown to this. */
  readonly snapshotLimitBytes?: number;
  readonly retention?: { readonly days: number; readonly bytes: number };
}

export interface Recovered {
  readonly epoch: string;
  readonly cells: SavedCells;
  readonly rev: number;
  /** The last stop was orderly, so nobody saw a change that is not here. */
  readonly clean: boolean;
  /** What had to be set aside or repaired, in words. */
  readonly reports: readonly string[];
}

const journalName = 'journal.ndjson';
const snapshotName = 'snapshot.json';
const previousName = 'snapshot.previous.json';
const waitingNotesAtMost = 1000;
const noteDelayMs = 500;

export class Journal {
  readonly recovered: Recovered;
  readonly #dir: string;
  readonly #files: Files;
  readonly #schemaVersion: number;
  readonly #limit: number;
  readonly #trail: AuditTrail;
  readonly #cells: Map<string, SavedCell>;
  readonly #lock: FolderLock | undefined;
  #epoch: string;
  #rev: number;
  #file: OpenFile;
  #size: number;
  /** After a failed write the end of the file is unknown until it has been cut back. */
  #damaged = false;
  #notes: Entry[] = [];
  #droppedNotes = 0;
  #noteTimer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  static async open(options: JournalOptions): Promise<Journal> {
    const { dir } = options;
    if (options.files === undefined) await mkdir(dir, { recursive: true, mode: 0o700 });
    const lock = options.files === undefined ? await lockFolder(dir) : undefined;
    try {
      const files = options.files ?? realFiles;
      const loaded = await load(files, options);
      const file = await files.open(join(dir, journalName), 'append');
      // A new name must survive a crash as well as what is written under it.
      await files.syncFolder(dir);
      const journal = new Journal(options, files, file, loaded, lock);
      if (loaded.gather) await journal.#gather();
      return journal;
    } catch (error) {
      await lock?.release();
      throw error;
    }
  }

  private constructor(
    { dir, schemaVersion, snapshotLimitBytes, retention, now }: JournalOptions,
    files: Files,
    file: OpenFile,
    loaded: Loaded,
    lock: FolderLock | undefined,
  ) {
    this.#dir = dir;
    this.#files = files;
    this.#schemaVersion = schemaVersion;
    this.#limit = snapshotLimitBytes ?? 256 * 1024;
    this.#file = file;
    this.#size = loaded.size;
    this.#cells = new Map(loaded.cells);
    this.#epoch = loaded.epoch;
    this.#rev = loaded.rev;
    this.#lock = lock;
    this.#trail = new AuditTrail(
      dir,
      files,
      retention ?? { days: 90, bytes: 64 * 1024 * 1024 },
      now ?? Date.now,
    );
    this.recovered = {
      epoch: loaded.epoch,
      cells: loaded.cells,
      rev: loaded.rev,
      clean: loaded.clean,
      reports: loaded.reports,
    };
  }

  /** One write and one sync for all; when it rejects, nothing of it is left. */
  append(entries: readonly Entry[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed) throw new ObscuraError('failed', 'The journal is closed');
      const notes = this.#takeNotes();
      await this.#write([...notes, ...entries]);
      if (this.#size > this.#limit) await this.#gather();
    });
  }

  /** For the audit alone: written soon, never waited for, never in the way. */
  note(entry: Entry): void {
    if (this.#closed) return;
    if (this.#notes.length >= waitingNotesAtMost) {
      this.#droppedNotes += 1;
      return;
    }
    this.#notes.push(entry);
    this.#noteTimer ??= setTimeout(() => {
      this.#noteTimer = undefined;
      // The notes are lost where the disk takes nothing; commits report that, notes must not.
      this.append([]).catch(() => undefined);
    }, noteDelayMs).unref();
  }

  /** Newest first. */
  search(query: AuditQuery): Promise<AuditRecord[]> {
    return this.#inTurn(async () => {
      if (this.#notes.length > 0) await this.#write(this.#takeNotes());
      return this.#trail.search(query, await this.#files.read(join(this.#dir, journalName)));
    });
  }

  onAudit(listener: (record: AuditRecord) => void): () => void {
    return this.#trail.follow(listener);
  }

  /** Factory reset: drops what is not kept and begins a new epoch. The audit stays. */
  forget(keep: (key: string) => boolean): Promise<void> {
    return this.#inTurn(async () => {
      for (const key of [...this.#cells.keys()]) if (!keep(key)) this.#cells.delete(key);
      this.#epoch = newEpoch();
      await this.#gather();
    });
  }

  get epoch(): string {
    return this.#epoch;
  }

  async close(rev: number): Promise<void> {
    clearTimeout(this.#noteTimer);
    await this.#inTurn(async () => {
      if (this.#closed) return;
      this.#closed = true;
      try {
        // As the last line it says that nothing was published which is not in here.
        await this.#write([...this.#takeNotes(), { kind: 'clean', rev }]);
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

  #takeNotes(): Entry[] {
    const notes = this.#notes;
    this.#notes = [];
    if (this.#droppedNotes > 0) {
      const at = Math.max(...notes.map((entry) => ('at' in entry ? entry.at : 0)));
      const detail = { dropped: this.#droppedNotes };
      notes.push({ kind: 'event', at, by: 'system', via: 'system', event: 'audit overflow', detail });
      this.#droppedNotes = 0;
    }
    return notes;
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    if (this.#damaged) await this.#cutBack();
    const text = entries.map(sealedLine).join('');
    try {
      await this.#file.write(text);
      await this.#file.sync();
    } catch (error) {
      this.#damaged = true;
      // At the next append at the latest; now is better, in case there is no next one.
      await this.#cutBack().catch(() => undefined);
      throw new ObscuraError('failed', `The journal cannot be written: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#size += Buffer.byteLength(text);
    for (const entry of entries) {
      take(entry, this.#cells);
      if ('rev' in entry) this.#rev = Math.max(this.#rev, entry.rev);
      const record = auditRecord(entry);
      if (record !== undefined) this.#trail.tell(record);
    }
  }

  async #cutBack(): Promise<void> {
    await this.#file.truncate(this.#size);
    await this.#file.sync();
    this.#damaged = false;
  }

  /** Snapshot first, then the lines to the audit, then an empty journal: whatever step is the last, nothing is missing. */
  async #gather(): Promise<void> {
    const journalPath = join(this.#dir, journalName);
    const text = snapshotText({
      version: this.#schemaVersion,
      epoch: this.#epoch,
      rev: this.#rev,
      cells: this.#cells,
    });
    const before = await this.#files.read(join(this.#dir, snapshotName));
    if (before !== undefined) await replaceFile(this.#files, this.#dir, previousName, before);
    await replaceFile(this.#files, this.#dir, snapshotName, text);
    await this.#trail.keep((await this.#files.read(journalPath)) ?? '');
    await replaceFile(this.#files, this.#dir, journalName, '');
    await this.#file.close();
    this.#file = await this.#files.open(journalPath, 'append');
    this.#size = 0;
  }
}

interface Loaded {
  readonly epoch: string;
  readonly cells: SavedCells;
  readonly rev: number;
  readonly clean: boolean;
  readonly reports: readonly string[];
  readonly size: number;
  /** The files are not in the form they should have: gather them at once. */
  readonly gather: boolean;
}

async function load(files: Files, { dir, schemaVersion, migrations }: JournalOptions): Promise<Loaded> {
  const reports: string[] = [];
  const { document, fromBackup } = await loadSnapshot(files, dir, reports);
  const cells = new Map(document?.cells ?? []);
  let rev = document?.rev ?? 0;
  const replay = (entries: readonly Entry[]): void => {
    for (const entry of entries) {
      if (entry.kind !== 'commit' || entry.rev > (document?.rev ?? 0)) take(entry, cells);
      if ('rev' in entry) rev = Math.max(rev, entry.rev);
    }
  };
  // What came between the older snapshot and the damaged one has been moved to the audit files.
  if (fromBackup) replay(await AuditTrail.entries(dir, files));
  const lines = await loadLines(files, dir, reports);
  replay(lines.entries);

  const version = document?.version ?? schemaVersion;
  let current: SavedCells = cells;
  if (version < schemaVersion) {
    const old = await files.read(join(dir, snapshotName));
    if (old !== undefined) await replaceFile(files, dir, `snapshot.version-${String(version)}.json`, old);
    const migrated = migrate(cells, version, schemaVersion, migrations);
    current = migrated.cells;
    reports.push(...migrated.reports);
  } else if (version > schemaVersion) {
    reports.push(
      `The settings were saved by a newer version (${String(version)}, this is ${String(schemaVersion)}); what is unknown here is kept for its return.`,
    );
  }
  return {
    epoch: document?.epoch ?? newEpoch(),
    cells: current,
    rev,
    clean: lines.entries.at(-1)?.kind === 'clean',
    reports,
    size: lines.bytes,
    gather: document === undefined || fromBackup || version < schemaVersion,
  };
}

async function loadSnapshot(
  files: Files,
  dir: string,
  reports: string[],
): Promise<{ document: SnapshotDocument | undefined; fromBackup: boolean }> {
  const text = await files.read(join(dir, snapshotName));
  if (text !== undefined) {
    const document = readSnapshot(text);
    if (document !== undefined) return { document, fromBackup: false };
    const aside = await setAside(files, dir, snapshotName);
    reports.push(`The saved settings in ${snapshotName} were damaged; the file was set aside as ${aside}.`);
  }
  const previous = await files.read(join(dir, previousName));
  const document = previous === undefined ? undefined : readSnapshot(previous);
  if (document !== undefined)
    reports.push('The settings were restored from the snapshot before and the journal.');
  return { document, fromBackup: document !== undefined };
}

async function loadLines(
  files: Files,
  dir: string,
  reports: string[],
): Promise<{ entries: Entry[]; bytes: number }> {
  const text = (await files.read(join(dir, journalName))) ?? '';
  const entries: Entry[] = [];
  let good = 0;
  while (good < text.length) {
    const end = text.indexOf('\n', good);
    const entry = end < 0 ? undefined : openLine(text.slice(good, end));
    if (entry === undefined) break;
    entries.push(entry as Entry);
    good = end + 1;
  }
  if (good < text.length) {
    const aside = await setAside(files, dir, journalName);
    await replaceFile(files, dir, journalName, text.slice(0, good));
    reports.push(
      `The journal was not whole after ${String(entries.length)} entries, as after a power cut; the rest was set aside as ${aside}.`,
    );
  }
  return { entries, bytes: Buffer.byteLength(text.slice(0, good)) };
}

async function setAside(files: Files, dir: string, name: string): Promise<string> {
  const taken = new Set(await files.list(dir));
  let number = 1;
  while (taken.has(`${name}.damaged-${String(number)}`)) number += 1;
  const aside = `${name}.damaged-${String(number)}`;
  await files.rename(join(dir, name), join(dir, aside));
  return aside;
}

function take(entry: Entry, cells: Map<string, SavedCell>): void {
  if (entry.kind !== 'commit') return;
  for (const [key, value] of Object.entries(entry.set ?? {})) cells.set(key, { rev: entry.rev, value });
  for (const [key, sealed] of Object.entries(entry.sealed ?? {})) cells.set(key, { rev: entry.rev, sealed });
}

function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}
