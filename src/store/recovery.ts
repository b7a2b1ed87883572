// Reads back what an earlier run left on disk, in whatever condition. It changes nothing there: what has to be put
// right it names, and the journal does that before it writes its first line.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { messageOf } from '../errors.js';
import { auditEntries } from './auditTrail.js';
import { openLine } from './checksum.js';
import { codeOf, replaceFile, type Files } from './files.js';
import type { Line } from './journalEntry.js';
import { migrate, type Migration, type SavedCell, type SavedCells } from './migrations.js';
import { readSnapshot, snapshotText, type SnapshotDocument } from './snapshotFile.js';

export const journalName = 'journal.ndjson';
export const snapshotName = 'snapshot.json';
export const previousName = 'snapshot.previous.json';

export interface Recovery {
  /** What the files say, brought to the present version. */
  readonly state: SnapshotDocument;
  readonly clean: boolean;
  readonly reports: string[];
  /** The size of the whole lines at the journal's beginning, and whether there is anything else behind them. */
  readonly journal: { readonly size: number; readonly damaged: boolean };
  readonly repairs: readonly Repair[];
  /** The snapshots are missing, damaged, or of another version or epoch: both have to be written anew. */
  readonly rebase: boolean;
}

/** Names are in the data folder. */
export type Repair =
  | { readonly kind: 'copy' | 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'write'; readonly name: string; readonly text: string };

export function applyRepair(files: Files, dir: string, repair: Repair): Promise<void> {
  switch (repair.kind) {
    case 'copy':
    case 'rename':
      return files[repair.kind](join(dir, repair.from), join(dir, repair.to));
    case 'write':
      return replaceFile(files, dir, repair.name, repair.text);
  }
}

export function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

export async function recover(
  files: Files,
  dir: string,
  schemaVersion: number,
  migrations: readonly Migration[],
): Promise<Recovery> {
  const reader = new Reader(files, dir);
  const latest = await reader.snapshot(snapshotName);
  const previous = await reader.snapshot(previousName);
  const journal = await reader.journal();
  const document = latest.document ?? previous.document;
  const { reports } = reader;

  const replay = new Replay(document);
  const lostSnapshot = document === undefined && (latest.damaged || previous.damaged);
  if (latest.document === undefined && (document !== undefined || lostSnapshot)) {
    // What was gathered after the older snapshot has left the journal: it is in the audit.
    replay.takeAll(afterLastBase(await auditEntries(files, dir)));
    reports.push(
      document === undefined
        ? 'No snapshot could be used: the settings are those that the journal and the audit still tell of; others have their defaults.'
        : `The settings were restored from ${previousName}, the audit and the journal.`,
    );
  }
  replay.takeAll(journal.lines);
  if (document === undefined)
    replay.seq = Math.max(replay.seq, (await auditEntries(files, dir)).at(-1)?.seq ?? 0);
  const lostJournal = (journal.missing || journal.empty) && document !== undefined;
  // A crash in the very first start leaves a snapshot without a journal; nothing is lost then.
  if (lostJournal && (document.seq > 0 || journal.empty))
    reports.push(`${journalName} is missing or empty: changes after the last snapshot are lost.`);

  const restored = restoredState(replay, document, schemaVersion);
  const { version } = restored;
  const { cells, ...migration } = migrated(restored, schemaVersion, migrations);
  reports.push(...migration.reports);
  if (version < schemaVersion)
    reader.repairs.push({
      kind: 'write',
      name: `snapshot.version-${String(version)}.json`,
      text: snapshotText(restored),
    });

  // Revisions that somebody saw may be used again where lines are lost, and steps between versions change values
  // without a revision: what clients remember is then worth nothing.
  const gap = journal.gap || lostSnapshot || lostJournal;
  return {
    state: {
      ...restored,
      version: schemaVersion,
      epoch: gap || version !== schemaVersion ? newEpoch() : restored.epoch,
      cells,
    },
    clean: !gap && journal.lines.at(-1)?.kind === 'clean',
    reports,
    journal: { size: journal.size, damaged: journal.damaged },
    repairs: reader.repairs,
    rebase:
      gap ||
      latest.document === undefined ||
      version !== schemaVersion ||
      previous.document?.epoch !== latest.document.epoch ||
      previous.document.version !== latest.document.version,
  };
}

function restoredState(
  { cells, rev, reserved, seq }: Replay,
  document: SnapshotDocument | undefined,
  schemaVersion: number,
): SnapshotDocument {
  const { version = schemaVersion, epoch = newEpoch() } = document ?? {};
  return { version, epoch, rev, reserved, seq, cells };
}

function migrated(
  { version, cells }: SnapshotDocument,
  schemaVersion: number,
  migrations: readonly Migration[],
): { cells: SavedCells; reports: readonly string[] } {
  if (version <= schemaVersion) return migrate(cells, version, schemaVersion, migrations);
  const report = `The settings were saved by a newer version (${String(version)}, this is ${String(schemaVersion)}); what is unknown here is kept for its return.`;
  const marked = [...cells].map(([key, cell]) => [key, { version, ...cell }] as const);
  return { cells: new Map(marked), reports: [report] };
}

/** The state as lines make it, whatever the order and however often they come. */
export class Replay {
  readonly cells: Map<string, SavedCell>;
  rev: number;
  reserved: number;
  seq: number;

  constructor(document: SnapshotDocument | undefined) {
    this.cells = new Map(document?.cells);
    this.rev = document?.rev ?? 0;
    this.reserved = document?.reserved ?? 0;
    this.seq = document?.seq ?? 0;
  }

  takeAll(lines: readonly Line[]): void {
    for (const line of lines) this.take(line);
  }

  take(line: Line): void {
    if (line.seq <= this.seq) return;
    this.seq = line.seq;
    switch (line.kind) {
      case 'commit': {
        const { rev } = line;
        for (const [key, value] of Object.entries(line.set ?? {})) this.cells.set(key, { rev, value });
        for (const [key, sealed] of Object.entries(line.sealed ?? {})) this.cells.set(key, { rev, sealed });
        this.rev = Math.max(this.rev, rev);
        this.reserved = Math.max(this.reserved, rev);
        break;
      }
      case 'reserve':
        this.reserved = Math.max(this.reserved, line.rev);
        break;
      case 'clean':
        // Of what was reserved no more than this was used.
        this.reserved = Math.max(this.rev, line.rev);
        break;
      case 'refused':
      case 'event':
      case 'base':
        break;
    }
  }
}

function afterLastBase(lines: readonly Line[]): readonly Line[] {
  return lines.slice(lines.findLastIndex(({ kind }) => kind === 'base') + 1);
}

interface Lines {
  readonly lines: readonly Line[];
  readonly size: number;
  readonly damaged: boolean;
  /** Lines that counted once are lost. */
  readonly gap: boolean;
  readonly missing: boolean;
  /** There is a file, but it holds nothing. */
  readonly empty: boolean;
}

class Reader {
  readonly reports: string[] = [];
  readonly repairs: Repair[] = [];
  readonly #files: Files;
  readonly #dir: string;

  constructor(files: Files, dir: string) {
    this.#files = files;
    this.#dir = dir;
  }

  async snapshot(name: string): Promise<{ document?: SnapshotDocument; damaged: boolean }> {
    const { text, unreadable } = await this.#read(name);
    if (text === undefined) return { damaged: unreadable };
    const document = readSnapshot(text);
    if (document !== undefined) return { document, damaged: false };
    const aside = await this.#aside('copy', name);
    this.reports.push(`The saved settings in ${name} were damaged; the file was set aside as ${aside}.`);
    return { damaged: true };
  }

  async journal(): Promise<Lines> {
    const { text, unreadable } = await this.#read(journalName);
    const lines: Line[] = [];
    if (text === undefined || text === '') {
      const empty = text === '';
      return { lines, size: 0, damaged: false, gap: unreadable, missing: !unreadable && !empty, empty };
    }
    let good = 0;
    while (good < text.length) {
      const end = text.indexOf('\n', good);
      const line = end < 0 ? undefined : openLine(text.slice(good, end));
      if (line === undefined) break;
      // The checksum says that this program wrote it, so it has this form.
      lines.push(line as Line);
      good = end + 1;
    }
    const size = Buffer.byteLength(text.slice(0, good));
    if (good === text.length)
      return { lines, size, damaged: false, gap: false, missing: false, empty: false };

    const rest = text.slice(good).split('\n').slice(1);
    const wholeAfter = rest.filter((line) => openLine(line) !== undefined).length;
    const aside = await this.#aside('copy', journalName);
    this.reports.push(
      wholeAfter === 0
        ? `The journal ends in a line that is not whole, as after a power cut; its ${String(lines.length)} whole lines were used, a copy of all was set aside as ${aside}.`
        : `The journal is damaged after ${String(lines.length)} lines; ${String(wholeAfter)} whole lines behind the damage were not used, a copy of all was set aside as ${aside}.`,
    );
    // The first line was whole before anything else was written. A power cut can leave whole lines behind a hole, so
    // this errs on the side of caution.
    const gap = wholeAfter > 0 || lines.length === 0;
    return { lines, size, damaged: true, gap, missing: false, empty: false };
  }

  async #read(name: string): Promise<{ text?: string; unreadable: boolean }> {
    try {
      const text = await this.#files.read(join(this.#dir, name));
      return { ...(text === undefined ? {} : { text }), unreadable: false };
    } catch (error) {
      // Want of memory or of descriptors passes, and says nothing about the file.
      if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(codeOf(error) ?? '')) throw error;
      const aside = await this.#aside('rename', name);
      this.reports.push(`${name} cannot be read (${messageOf(error)}); it was set aside as ${aside}.`);
      return { unreadable: true };
    }
  }

  /** A few are worth a look; a machine that damages its disk every night must not fill it with them. */
  async #aside(kind: 'copy' | 'rename', name: string): Promise<string> {
    const taken = new Set(await this.#files.list(this.#dir).catch(() => []));
    let number = 1;
    while (number < mostAside && taken.has(`${name}.damaged-${String(number)}`)) number += 1;
    const to = `${name}.damaged-${String(number)}`;
    this.repairs.push({ kind, from: name, to });
    return to;
  }
}

const mostAside = 9;
