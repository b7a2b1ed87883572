// The journal's past: lines that were gathered, by month, searched together with those that were not yet.
import { join } from 'node:path';
import { openLine } from './checksum.js';
import type { Files } from './files.js';
import { auditRecord, type AuditRecord, type Entry } from './journalEntry.js';

export interface AuditQuery {
  readonly user?: string | undefined;
  readonly key?: string | undefined;
  readonly outcome?: AuditRecord['outcome'] | undefined;
  /** Milliseconds since 1970; `until` is exclusive, so that the oldest time seen asks for the next page. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly limit?: number | undefined;
}

const mostRecords = 1000;
const defaultRecords = 100;
const dayMs = 86_400_000;
const filePattern = /^audit-\d{4}-\d{2}-\d{4}\.ndjson$/;
/** A file that has grown to this gets a successor, so that old ones can go one by one. */
const fileBytes = 4 * 1024 * 1024;

export class AuditTrail {
  readonly #dir: string;
  readonly #files: Files;
  readonly #retention: { readonly days: number; readonly bytes: number };
  readonly #now: () => number;
  readonly #listeners = new Set<(record: AuditRecord) => void>();

  constructor(
    dir: string,
    files: Files,
    retention: { readonly days: number; readonly bytes: number },
    now: () => number,
  ) {
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
    for (const listener of this.#listeners) listener(record);
  }

  /** Durable before it returns: the journal lets go of the lines next. */
  async keep(lines: string): Promise<void> {
    if (lines === '') return;
    const name = await this.#currentName();
    const file = await this.#files.open(join(this.#dir, name), 'append');
    try {
      // A line that an earlier crash left torn must not swallow the first of these.
      await file.write(`\n${lines}`);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.syncFolder(this.#dir);
    await this.#dropOld();
  }

  async search(query: AuditQuery, journal: string | undefined): Promise<AuditRecord[]> {
    const limit = Math.min(query.limit ?? defaultRecords, mostRecords);
    const found: AuditRecord[] = [];
    // A crash between keeping lines and emptying the journal leaves them in both.
    const seen = new Set<string>();
    const texts = async function* (this: AuditTrail): AsyncGenerator<string> {
      yield journal ?? '';
      for (const name of (await auditFiles(this.#files, this.#dir)).reverse())
        yield (await this.#files.read(join(this.#dir, name))) ?? '';
    };
    for await (const text of texts.call(this)) {
      for (const line of text.split('\n').reverse()) {
        if (line === '' || seen.has(line)) continue;
        seen.add(line);
        const entry = openLine(line) as Entry | undefined;
        const record = entry === undefined ? undefined : auditRecord(entry);
        if (record !== undefined && matches(record, query)) found.push(record);
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  /** Every whole line of the audit files, oldest first. */
  static async entries(dir: string, files: Files): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const name of await auditFiles(files, dir))
      for (const line of ((await files.read(join(dir, name))) ?? '').split('\n')) {
        const entry = openLine(line) as Entry | undefined;
        if (entry !== undefined) entries.push(entry);
      }
    return entries;
  }

  async #currentName(): Promise<string> {
    const month = new Date(this.#now()).toISOString().slice(0, 7);
    const newest = (await auditFiles(this.#files, this.#dir)).filter((name) => name.includes(month)).at(-1);
    const number =
      newest === undefined ? 1 : Number(newest.slice('audit-YYYY-MM-'.length, -'.ndjson'.length));
    const full = newest !== undefined && (await this.#files.size(join(this.#dir, newest))) >= fileBytes;
    return `audit-${month}-${String(full ? number + 1 : number).padStart(4, '0')}.ndjson`;
  }

  async #dropOld(): Promise<void> {
    const oldest = new Date(this.#now() - this.#retention.days * dayMs).toISOString().slice(0, 7);
    const newestFirst = (await auditFiles(this.#files, this.#dir)).reverse();
    let bytes = 0;
    for (const [index, name] of newestFirst.entries()) {
      bytes += await this.#files.size(join(this.#dir, name));
      const month = name.slice('audit-'.length, 'audit-YYYY-MM'.length);
      if (index > 0 && (bytes > this.#retention.bytes || month < oldest))
        await this.#files.remove(join(this.#dir, name));
    }
  }
}

async function auditFiles(files: Files, dir: string): Promise<string[]> {
  return (await files.list(dir)).filter((name) => filePattern.test(name)).sort();
}

function matches(record: AuditRecord, { user, key, outcome, since, until }: AuditQuery): boolean {
  if (user !== undefined && record.by !== user) return false;
  if (outcome !== undefined && record.outcome !== outcome) return false;
  if (since !== undefined && record.at < since) return false;
  if (until !== undefined && record.at >= until) return false;
  if (key === undefined) return true;
  return (
    (record.keys?.includes(key) ?? false) || (record.changes?.some((change) => change.key === key) ?? false)
  );
}
