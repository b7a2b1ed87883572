// Which photos there are, in SQLite, so that they are found without looking at every file. The files are the truth:
// an index that is missing or broken is made from them again.
import Database from 'better-sqlite3';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';

export interface Photo {
  /** Path below the data folder. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  /** The camera, or `scene` for both in one picture; empty where that is not known any more. */
  readonly source: string;
  /** Why it was taken: asked for by somebody, by the interval, or by a schedule. */
  readonly reason: string;
  readonly format: 'jpeg' | 'webp';
  readonly size: number;
  readonly width: number;
  readonly height: number;
}

export interface PhotoQuery {
  /** Taken before this time, in milliseconds since 1970. */
  readonly before?: number;
  readonly since?: number;
  readonly source?: string;
  readonly limit: number;
}

const version = 1;
const table = `
  CREATE TABLE photos (
    key TEXT PRIMARY KEY, takenAt INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
    format TEXT NOT NULL, size INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX photosByTime ON photos (takenAt);
  PRAGMA user_version = ${String(version)};`;

export class PhotoIndex {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** One that cannot be used is set aside, which is reported, and an empty one takes its place. */
  static open(file: string, onFault: (report: string) => void): PhotoIndex {
    try {
      return new PhotoIndex(opened(file));
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      onFault(`The index of the photos is made anew from the files: ${error.message}`);
      renameSync(file, `${file}.broken`);
      for (const extra of ['-wal', '-shm']) rmSync(`${file}${extra}`, { force: true });
      return new PhotoIndex(opened(file));
    }
  }

  add(photo: Photo): void {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO photos (key, takenAt, source, reason, format, size, width, height)
         VALUES (@key, @takenAt, @source, @reason, @format, @size, @width, @height)`,
      )
      .run(photo);
  }

  /** A photo, or all below a folder. */
  remove(key: string): void {
    this.#database
      .prepare(`DELETE FROM photos WHERE key = @key OR substr(key, 1, length(@key) + 1) = @key || '/'`)
      .run({ key });
  }

  /** The newest first. */
  find({ before, since, source, limit }: PhotoQuery): Photo[] {
    return this.#database
      .prepare<object, Photo>(
        `SELECT * FROM photos
         WHERE (@before IS NULL OR takenAt < @before) AND (@since IS NULL OR takenAt >= @since)
           AND (@source IS NULL OR source = @source)
         ORDER BY takenAt DESC, key DESC LIMIT @limit`,
      )
      .all({ before: before ?? null, since: since ?? null, source: source ?? null, limit });
  }

  oldest(limit: number): Photo[] {
    return this.#database
      .prepare<[number], Photo>('SELECT * FROM photos ORDER BY takenAt, key LIMIT ?')
      .all(limit);
  }

  totals(): { readonly count: number; readonly bytes: number } {
    return (
      this.#database
        .prepare<[], { count: number; bytes: number }>(
          'SELECT count(*) AS count, ifnull(sum(size), 0) AS bytes FROM photos',
        )
        .get() ?? { count: 0, bytes: 0 }
    );
  }

  keys(): Set<string> {
    return new Set(this.#database.prepare<[], string>('SELECT key FROM photos').pluck().all());
  }

  /** All or nothing, and much faster than one by one. */
  together(work: () => void): void {
    this.#database.transaction(work)();
  }

  close(): void {
    this.#database.close();
  }
}

function opened(file: string): Database.Database {
  // SQLite itself would let everybody read it; its other files follow this one.
  closeSync(openSync(file, 'a', 0o600));
  const database = new Database(file);
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    const found = database.pragma('user_version', { simple: true });
    if (found === 0) database.exec(table);
    else if (found !== version)
      throw new Database.SqliteError(`it is of version ${String(found)}`, 'SQLITE_MISMATCH');
    const verdict = database.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw new Database.SqliteError(String(verdict), 'SQLITE_CORRUPT');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
