// Keeps photos: each a file that is there whole or not at all, and a line in the index. The oldest go when they are
// too many, too old, or when the disk gets full.
import { link, mkdir, open, readdir, rm, rmdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, ObscuraError } from '../errors.js';
import { headBytes, pictureFacts } from './pictureFacts.js';
import { PhotoIndex, type Photo, type PhotoQuery } from './photoIndex.js';

export const photoFolder = 'photos';
const indexFile = 'photos.db';
const endings = { jpeg: 'jpg', webp: 'webp' } as const;
const megabyte = 1024 * 1024;
/** Between two looks at the disk; also, nobody waits long for their turn. */
const deletedAtOnce = 20;
const unfinished = '.part';

export interface NewPhoto {
  readonly bytes: Buffer;
  readonly takenAt: number;
  readonly source: string;
  readonly reason: string;
  readonly format: 'jpeg' | 'webp';
  /** Without it the time makes the name. */
  readonly name?: string | undefined;
}

export interface Retention {
  /** Each 0 for no limit. */
  readonly days: number;
  readonly count: number;
  readonly minFreeMb: number;
}

export interface PhotoStoreOptions {
  readonly dataFolder: string;
  readonly retention: () => Retention;
  readonly onFault: (report: string) => void;
  /** Bytes on the disk that are free. */
  readonly freeSpace?: () => Promise<number>;
  readonly now?: () => number;
}

export class PhotoStore {
  readonly #folder: string;
  readonly #retention: () => Retention;
  readonly #freeSpace: () => Promise<number>;
  readonly #now: () => number;
  readonly #index: PhotoIndex;
  /** One after the other, so that two never want the same name. */
  #work: Promise<unknown> = Promise.resolve();

  private constructor(index: PhotoIndex, { dataFolder, retention, freeSpace, now }: PhotoStoreOptions) {
    this.#index = index;
    this.#folder = dataFolder;
    this.#retention = retention;
    this.#freeSpace = freeSpace ?? (() => spaceLeft(dataFolder));
    this.#now = now ?? Date.now;
  }

  static async open(options: PhotoStoreOptions): Promise<PhotoStore> {
    await mkdir(join(options.dataFolder, photoFolder), { recursive: true, mode: 0o700 });
    const index = PhotoIndex.open(join(options.dataFolder, indexFile), options.onFault);
    const store = new PhotoStore(index, options);
    await store.#readFiles(options.onFault);
    return store;
  }

  /** Refused where the disk is full even without older photos. */
  add(photo: NewPhoto): Promise<Photo> {
    return this.#next(async () => {
      if (!(await this.#makeRoom()))
        throw new ObscuraError('failed', 'The disk has no room for another photo; see photoRetention', {
          key: 'photoRetention',
          knownAs: 'INSUFFICIENT_STORAGE',
        });
      const facts = pictureFacts(photo.bytes);
      if (facts?.format !== photo.format)
        throw new ObscuraError('failed', 'What came from the encoder is no picture');
      const key = keyOf(photo);
      await this.#write(key, photo);
      const { takenAt, source, reason } = photo;
      const stored = { key, takenAt, source, reason, size: photo.bytes.length, ...facts };
      this.#index.add(stored);
      await this.#thin();
      return stored;
    });
  }

  /** Takes what somebody has deleted, a photo or a whole folder, out of the index. */
  forget(key: string): void {
    this.#index.remove(key);
  }

  find(query: PhotoQuery): Photo[] {
    return this.#index.find(query);
  }

  totals(): { readonly count: number; readonly bytes: number } {
    return this.#index.totals();
  }

  /** Deletes what is not to be kept any more. */
  async thin(): Promise<void> {
    await this.#next(async () => {
      await this.#thin();
      await this.#makeRoom();
    });
  }

  async close(): Promise<void> {
    await this.#work.catch(() => undefined);
    this.#index.close();
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }

  async #write(key: string, { bytes, takenAt }: NewPhoto): Promise<void> {
    const path = join(this.#folder, key);
    const part = `${path}${unfinished}`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      const file = await open(part, 'w', 0o600);
      try {
        await file.writeFile(bytes);
        await file.utimes(takenAt / 1000, takenAt / 1000);
        await file.sync();
      } finally {
        await file.close();
      }
      // Not renamed, which would put it in the place of another of the same name.
      await link(part, path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
        throw new ObscuraError('conflict', `There is a photo named ${key} already`);
      throw error;
    } finally {
      await rm(part, { force: true });
    }
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** By age and number. */
  async #thin(): Promise<void> {
    const { days, count } = this.#retention();
    const eldest = days === 0 ? -Infinity : this.#now() - days * 86_400_000;
    for (;;) {
      const surplus = count === 0 ? 0 : this.#index.totals().count - count;
      const gone = this.#index
        .oldest(deletedAtOnce)
        .filter(({ takenAt }, place) => place < surplus || takenAt < eldest);
      for (const { key } of gone) await this.#delete(key);
      if (gone.length === 0) return;
    }
  }

  /** By space. Whether there is enough in the end. */
  async #makeRoom(): Promise<boolean> {
    const least = this.#retention().minFreeMb * megabyte;
    // Where all photos together are not enough, none of them goes.
    if ((await this.#freeSpace()) + this.#index.totals().bytes < least) return false;
    while (least > 0 && (await this.#freeSpace()) < least) {
      const gone = this.#index.oldest(deletedAtOnce);
      if (gone.length === 0) return false;
      for (const { key } of gone) await this.#delete(key);
    }
    return true;
  }

  async #delete(key: string): Promise<void> {
    const path = join(this.#folder, key);
    await rm(path, { force: true });
    this.#index.remove(key);
    // Day, month and year, as far as nothing is left in them.
    for (let folder = dirname(path); folder !== join(this.#folder, photoFolder); folder = dirname(folder))
      if (
        !(await rmdir(folder).then(
          () => true,
          () => false,
        ))
      )
        return;
  }

  /** Brings the index into line with the files, whatever was done to either in the meantime. */
  async #readFiles(onFault: (report: string) => void): Promise<void> {
    const known = this.#index.keys();
    const found: Photo[] = [];
    const root = join(this.#folder, photoFolder);
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const key = path.slice(this.#folder.length + 1);
      if (entry.name.endsWith(unfinished)) await rm(path, { force: true });
      else if (!known.delete(key)) found.push(...(await photoIn(path, key, onFault)));
    }
    this.#index.together(() => {
      for (const photo of found) this.#index.add(photo);
      for (const key of known) this.#index.remove(key);
    });
  }
}

async function photoIn(path: string, key: string, onFault: (report: string) => void): Promise<Photo[]> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      const facts = pictureFacts(buffer.subarray(0, bytesRead));
      if (facts === undefined) return [];
      const { size, mtimeMs } = await file.stat();
      const [, source = '', reason = ''] = /_([a-z]+)_([a-z]+)\.[a-z]+$/.exec(key) ?? [];
      return [{ key, size, source, reason, takenAt: Math.round(mtimeMs), ...facts }];
    } finally {
      await file.close();
    }
  } catch (error) {
    onFault(`The photo ${key} cannot be read: ${messageOf(error)}`);
    return [];
  }
}

/** Year, month and day in folders; in UTC, which goes forward all year. */
function keyOf({ takenAt, source, reason, format, name }: NewPhoto): string {
  const [date = '', time = ''] = new Date(takenAt).toISOString().split('T');
  const own = `${date.replaceAll('-', '')}T${time.replaceAll(':', '')}_${source}_${reason}`;
  const given = name?.replace(/\.(?:jpe?g|webp)$/i, '');
  return [photoFolder, ...date.split('-'), `${given ?? own}.${endings[format]}`].join('/');
}

async function spaceLeft(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
