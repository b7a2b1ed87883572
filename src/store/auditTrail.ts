// The journal's past: lines that were gathered, in files by month, searched together with those that were not yet.
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { openLine } from './checksum.js';
import type { Files } from './files.js';
import { auditRecord, type AuditRecord, type Line } from './journalEntry.js';

export interface AuditQuery {
  readonly user?: string | undefined;
  readonly key?: string | undefined;
  readonly outcome?: AuditRecord['outcome'] | undefined;
  /** Milliseconds since 1970; `until` is exclusive. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Only what is older than the record of this number: the next page. */
  readonly before?: number | undefined;
  readonly limit?: number | undefined;
}

export interface Retention {
  readonly days: number;
  readonly bytes: number;
}

const mostRecords = 1000;
const defaultRecords = 100;
const linesAtOnce = 500;
const dayMs = 86_400_000;
/** A month is parted when its file has grown to this share of all that may be kept. */
const parts = 8;
const filePattern = /^audit-(\d{4}-\d{2})(?:\.(\d{4}))?\.ndjson$/;

export class AuditTrail {
  readonly #dir: string;
  readonly #files: Files;
  readonly #retention: Retention;
  readonly #now: () => number;
  readonly #listeners = new Set<(record: AuditRecord) => void>();

  constructor(dir: string, files: Files, retention: Retention, now: () => number) {
    this.#dir = dir;
    this.#files = files;
    this.#retention = retention;
    this.#now = now;
  }

  follow(listener: (record: AuditRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(record: AuditRecord): void {
    for (const listener of this.#listeners) {
      try {
        listener(record);
      } catch {
        // What it tells is durable already and must not fail for a listener, which is let go instead.
        this.#listeners.delete(listener);
      }
    }
  }

  /** Durable before it returns: the journal lets go of the lines next. */
  async keep(lines: string): Promise<void> {
    if (lines === '') return;
    const path = join(this.#dir, await this.#present());
    const before = await this.#files.size(path);
    const file = await this.#files.open(path, 'append');
    try {
      // A line that an earlier crash left torn must not swallow the first of these.
      await file.write(`\n${lines}`);
      await file.sync();
    } catch (error) {
      // Tried again later: what is half there must not add up. Where even this fails, readers skip it.
      await file.truncate(before).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    await this.#files.syncFolder(this.#dir);
    await this.#dropOld();
  }

  /** Newest first. `journal` is what was not gathered yet. */
  async search(query: AuditQuery, journal: string | undefined): Promise<AuditRecord[]> {
    const limit = Math.min(query.limit ?? defaultRecords, mostRecords);
    const mayMatch = prefilter(query);
    const found: AuditRecord[] = [];
    // A crash between keeping lines and emptying the journal leaves them in both: numbers only go down here.
    let oldest = Number.POSITIVE_INFINITY;
    let looked = 0;
    const take = async (text: string): Promise<void> => {
      for (const line of text.split('\n').reverse()) {
        if (found.length >= limit) return;
        looked += 1;
        // A search through months must not make the server's clients wait.
        if (looked % linesAtOnce === 0) await turn();
        if (line === '' || !mayMatch(line)) continue;
        const entry = openLine(line) as Line | undefined;
        if (entry === undefined || entry.seq >= oldest) continue;
        oldest = entry.seq;
        const record = auditRecord(entry);
        if (record !== undefined && matches(record, query)) found.push(record);
      }
    };
    await take(journal ?? '');
    for (const name of (await auditFiles(this.#files, this.#dir)).reverse()) {
      if (found.length >= limit) break;
      await take(await textOf(this.#files, join(this.#dir, name)));
    }
    return found;
  }

  /**
   * Of the file that takes the next lines. Never an older one than exists, even where the clock was set back: a camera
   * without a battery wakes in 1970, and its newest lines must be the last to go.
   */
  async #present(): Promise<string> {
    const month = new Date(this.#now()).toISOString().slice(0, 7);
    const newest = (await auditFiles(this.#files, this.#dir)).at(-1);
    const [, newestMonth = month, part = '0001'] = filePattern.exec(newest ?? '') ?? [];
    if (newest === undefined || newestMonth < month) return `audit-${month}.ndjson`;
    const size = await this.#files.size(join(this.#dir, newest));
    if (size < this.#retention.bytes / parts) return newest;
    return `audit-${newestMonth}.${String(Number(part) + 1).padStart(4, '0')}.ndjson`;
  }

  /** The newest always stays: together with the older snapshot it stands in for a damaged one. */
  async #dropOld(): Promise<void> {
    const oldest = new Date(this.#now() - this.#retention.days * dayMs).toISOString().slice(0, 7);
    let bytes = 0;
    for (const [index, name] of (await auditFiles(this.#files, this.#dir)).reverse().entries()) {
      const path = join(this.#dir, name);
      bytes += await this.#files.size(path);
      const [, month = ''] = filePattern.exec(name) ?? [];
      if (index > 0 && (bytes > this.#retention.bytes || month < oldest)) await this.#files.remove(path);
    }
  }
}

/** Every whole line of the audit files, oldest first. */
export async function auditEntries(files: Files, dir: string): Promise<Line[]> {
  const entries: Line[] = [];
  for (const name of await auditFiles(files, dir))
    for (const line of (await textOf(files, join(dir, name))).split('\n')) {
      const entry = openLine(line) as Line | undefined;
      if (entry !== undefined) entries.push(entry);
    }
  return entries;
}

async function auditFiles(files: Files, dir: string): Promise<string[]> {
  // The first part of a month has no number and sorts behind the others by name alone.
  const order = (name: string): string => name.replace(/^(audit-\d{4}-\d{2})\.ndjson$/, '$1.0001.ndjson');
  const names = (await files.list(dir)).filter((name) => filePattern.test(name));
  return names.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** History that cannot be read is no reason to fail: the rest is told. */
async function textOf(files: Files, path: string): Promise<string> {
  try {
    return (await files.read(path)) ?? '';
  } catch {
    return '';
  }
}

/** Most lines are ruled out by their text, which is far cheaper than reading them. */
function prefilter({ user, key }: AuditQuery): (line: string) => boolean {
  const needles = [user, key].filter((name) => name !== undefined).map((name) => JSON.stringify(name));
  return (line) => needles.every((needle) => line.includes(needle));
}

function matches(record: AuditRecord, { user, key, outcome, since, until, before }: AuditQuery): boolean {
  if (user !== undefined && record.by !== user) return false;
  if (outcome !== undefined && record.outcome !== outcome) return false;
  if (since !== undefined && record.at < since) return false;
  if (until !== undefined && record.at >= until) return false;
  if (before !== undefined && record.seq >= before) return false;
  if (key === undefined) return true;
  return (
    (record.keys?.includes(key) ?? false) || (record.changes?.some((change) => change.key === key) ?? false)
  );
}
