// Gathers the journal: snapshot first, then the lines to the audit, then an empty journal. Whatever step is the last,
// nothing is missing.
import { join } from 'node:path';
import type { AuditTrail } from './auditTrail.js';
import { sealedLine } from './checksum.js';
import { replaceFile, type Files } from './files.js';
import type { JournalFile } from './journalFile.js';
import type { BaseEntry, Entry, Line } from './journalEntry.js';
import { previousName, snapshotName, type Replay } from './recovery.js';
import { readSnapshot, snapshotText } from './snapshotFile.js';

interface Parts {
  readonly dir: string;
  readonly files: Files;
  readonly file: JournalFile;
  readonly trail: AuditTrail;
  readonly state: Replay;
  readonly version: number;
  readonly epoch: string;
  readonly due: boolean;
}

export class Gatherer {
  readonly #parts: Parts;
  #epoch: string;
  #due: boolean;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#epoch = parts.epoch;
    this.#due = parts.due;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** A new beginning that was not finished: nothing may be written before it is. */
  get due(): boolean {
    return this.#due;
  }

  /** The next snapshot is a new beginning: nobody shall fall back to the one before. */
  rebase(epoch: string): void {
    this.#epoch = epoch;
    this.#due = true;
  }

  /** From here on a start finds the present state. */
  async placeSnapshot(): Promise<void> {
    const { version, state } = this.#parts;
    const { rev, reserved, seq, cells } = state;
    const text = snapshotText({ version, epoch: this.#epoch, rev, reserved, seq, cells });
    const before = this.#due ? undefined : await this.#read(snapshotName);
    if (before !== undefined && readSnapshot(before) !== undefined) await this.#replace(previousName, before);
    await this.#replace(snapshotName, text);
  }

  /** What the snapshot holds leaves the journal. */
  async moveLines(): Promise<void> {
    const { file, trail, state } = this.#parts;
    const { rev, reserved } = state;
    // The older snapshot is of another version, or has been asked to be forgotten.
    if (this.#due) await this.#replace(previousName, (await this.#read(snapshotName)) ?? '');
    await file.ready();
    let lines = await file.text();
    if (this.#due) lines += sealedLine(this.#numbered({ kind: 'base', rev, epoch: this.#epoch }));
    await trail.keep(lines);
    // With a first line, a journal that was emptied by force is not taken for a new one.
    await file.beginAnew(sealedLine(this.#numbered({ kind: 'reserve', rev: reserved })));
    this.#due = false;
  }

  /** A number is used up even where the line does not come to be: two lines never have the same. */
  #numbered(entry: Entry | BaseEntry): Line {
    const { state } = this.#parts;
    state.seq += 1;
    return { seq: state.seq, ...entry };
  }

  #read(name: string): Promise<string | undefined> {
    const { files, dir } = this.#parts;
    return files.read(join(dir, name));
  }

  #replace(name: string, text: string): Promise<void> {
    const { files, dir } = this.#parts;
    return replaceFile(files, dir, name, text);
  }
}
