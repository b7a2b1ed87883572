// What becomes of photos on the disk: their names, their index, and which of them go.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pictureFacts } from '../../src/library/pictureFacts.js';
import { PhotoStore, type PhotoStoreOptions, type Retention } from '../../src/library/photoStore.js';

let folder = '';
let retention: Retention = { days: 0, count: 0, minFreeMb: 0 };
const reports: string[] = [];
const stores: PhotoStore[] = [];
const pictures: { jpeg: Buffer; webp: Buffer } = { jpeg: Buffer.alloc(0), webp: Buffer.alloc(0) };

beforeAll(async () => {
  const made = await mkdtemp(join(tmpdir(), 'obscura-pictures-'));
  for (const [format, file] of [
    ['jpeg', 'a.jpg'],
    ['webp', 'a.webp'],
  ] as const) {
    const words = [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc=size=322x181',
      '-frames:v',
      '1',
      join(made, file),
    ];
    await promisify(execFile)('ffmpeg', words);
    pictures[format] = await readFile(join(made, file));
  }
  await rm(made, { recursive: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-photos-'));
  retention = { days: 0, count: 0, minFreeMb: 0 };
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await rm(folder, { recursive: true });
  reports.length = 0;
});

async function open(options: Partial<PhotoStoreOptions> = {}): Promise<PhotoStore> {
  const store = await PhotoStore.open({
    ...{ dataFolder: folder, retention: () => retention, onFault: (report) => reports.push(report) },
    ...options,
  });
  stores.push(store);
  return store;
}

async function close(store: PhotoStore): Promise<void> {
  stores.splice(stores.indexOf(store), 1);
  await store.close();
}

const noon = Date.UTC(2026, 2, 29, 12, 0, 0, 250);
const day = 86_400_000;

const add = (
  store: PhotoStore,
  takenAt: number,
  more: { readonly name?: string; readonly format?: 'webp' } = {},
) => {
  const format = more.format ?? 'jpeg';
  return store.add({
    ...{ takenAt, source: 'primary', reason: 'asked' },
    ...more,
    format,
    bytes: pictures[format],
  });
};

async function files(): Promise<string[]> {
  const found = await readdir(join(folder, 'photos'), { recursive: true, withFileTypes: true });
  return found
    .filter((each) => each.isFile())
    .map(({ name }) => name)
    .toSorted();
}

const keys = (store: PhotoStore): string[] => store.find({ limit: 100 }).map(({ key }) => key);

describe('a photo', () => {
  it('is a file named after its time, and a line that says what it is', async () => {
    const store = await open();
    const photo = await add(store, noon, { format: 'webp' });
    expect(photo).toEqual({
      ...{ key: 'photos/2026/03/29/20260329T120000.250Z_primary_asked.webp', takenAt: noon },
      ...{ source: 'primary', reason: 'asked', format: 'webp', width: 322, height: 181 },
      size: pictures.webp.length,
    });
    const path = join(folder, photo.key);
    expect((await readFile(path)).equals(pictures.webp)).toBe(true);
    for (const file of [path, join(folder, 'photos.db'), join(folder, 'photos.db-wal')])
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(store.find({ limit: 10 })).toEqual([photo]);
    expect(store.totals()).toEqual({ count: 1, bytes: photo.size });
  });

  it('keeps the name that it is given, and takes nobody else’s place', async () => {
    const store = await open();
    expect((await add(store, noon, { name: 'part 1.JPG' })).key).toBe('photos/2026/03/29/part 1.jpg');
    await expect(add(store, noon + 1, { name: 'part 1' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await files()).toEqual(['part 1.jpg']);
    await add(store, noon + day, { name: 'part 1' });
    expect(store.totals().count).toBe(2);
  });

  it('that is none is refused, and nothing stays of it', async () => {
    const store = await open();
    const broken = {
      ...{ takenAt: noon, source: 'primary', reason: 'asked' },
      bytes: Buffer.from('no picture'),
    };
    await expect(store.add({ ...broken, format: 'jpeg' })).rejects.toThrow('no picture');
    await expect(store.add({ ...broken, format: 'jpeg', bytes: pictures.webp })).rejects.toThrow(
      'no picture',
    );
    expect(await files()).toEqual([]);
  });

  it('is found by time and source, the newest first', async () => {
    const store = await open();
    for (const hour of [3, 1, 2]) await add(store, noon + hour);
    const times = (query: object): number[] =>
      store.find({ limit: 10, ...query }).map(({ takenAt }) => takenAt - noon);
    expect(times({})).toEqual([3, 2, 1]);
    expect(times({ before: noon + 3 })).toEqual([2, 1]);
    expect(times({ since: noon + 2, limit: 1 })).toEqual([3]);
    expect(times({ source: 'secondary' })).toEqual([]);
  });
});

describe('the index', () => {
  async function withThree(): Promise<readonly object[]> {
    const store = await open();
    for (const hour of [1, 2]) await add(store, noon + hour);
    await add(store, noon + 3, { name: 'own', format: 'webp' });
    const before = store.find({ limit: 10 });
    await close(store);
    return before;
  }
  /** Which camera and why stands in the names that the server gives. */
  const withoutOrigin = (photos: readonly object[]): object[] =>
    photos.map((photo) =>
      'key' in photo && String(photo.key).includes('own') ? { ...photo, source: '', reason: '' } : photo,
    );

  it('is made from the files where it is missing', async () => {
    const before = await withThree();
    await rm(join(folder, 'photos.db'));
    expect((await open()).find({ limit: 10 })).toEqual(withoutOrigin(before));
    expect(reports).toEqual([]);
  });

  it.each([
    [
      'no database',
      (file: string) => writeFile(file, 'certainly not a database, but long enough to look at'.repeat(40)),
    ],
    ['torn', (file: string) => truncate(file, 5000)],
    [
      'of another version',
      async (file: string) => {
        const { default: Database } = await import('better-sqlite3');
        const other = new Database(file);
        other.pragma('user_version = 99');
        other.close();
      },
    ],
  ])('is made anew where it is %s, which is said, and the old one is kept', async (_what, damage) => {
    const before = await withThree();
    await damage(join(folder, 'photos.db'));
    const store = await open();
    expect(store.find({ limit: 10 })).toEqual(withoutOrigin(before));
    expect(reports).toEqual([expect.stringContaining('made anew from the files')]);
    expect(await readdir(folder)).toContain('photos.db.broken');
    await add(store, noon + 4);
    expect(store.totals().count).toBe(4);
  });

  it('follows what was done to the files in the meantime', async () => {
    const [newest] = (await withThree()) as { key: string }[];
    await unlink(join(folder, newest?.key ?? ''));
    const brought = join(folder, 'photos', 'brought.jpg');
    await writeFile(brought, pictures.jpeg);
    await utimes(brought, noon / 1000, noon / 1000);
    await writeFile(join(folder, 'photos', 'notes.txt'), 'not a picture');
    await writeFile(join(folder, 'photos', 'x.jpg.part'), pictures.jpeg.subarray(0, 100));
    const store = await open();
    expect(keys(store)).not.toContain(newest?.key);
    expect(store.find({ limit: 10 }).at(-1)).toMatchObject({
      key: 'photos/brought.jpg',
      takenAt: noon,
      width: 322,
    });
    expect(store.totals().count).toBe(3);
    // What was not finished when the power went is gone, and what is not ours stays.
    expect(await files()).not.toContain('x.jpg.part');
    expect(await files()).toContain('notes.txt');
  });

  it('forgets a folder with all that is in it, and not those whose names begin the same', async () => {
    const store = await open();
    await add(store, noon);
    await add(store, noon + 1, { name: 'x' });
    await add(store, noon + day);
    store.forget('photos/2026/03/2');
    expect(store.totals().count).toBe(3);
    store.forget('photos/2026/03/29');
    expect(keys(store)).toEqual(['photos/2026/03/30/20260330T120000.250Z_primary_asked.jpg']);
  });
});

describe('beyond the limits, the oldest go', () => {
  it('by number, one by one and also when there are far too many', async () => {
    const store = await open();
    for (let index = 0; index < 50; index += 1) await add(store, noon + index);
    retention = { ...retention, count: 3 };
    await store.thin();
    expect(store.find({ limit: 100 }).map(({ takenAt }) => takenAt - noon)).toEqual([49, 48, 47]);
    await add(store, noon + 50);
    expect(store.find({ limit: 100 }).map(({ takenAt }) => takenAt - noon)).toEqual([50, 49, 48]);
    expect(await files()).toHaveLength(3);
  });

  it('by age, and the folders with them', async () => {
    const store = await open({ now: () => noon + 10 * day });
    for (const days of [0, 6, 8]) await add(store, noon + days * day);
    retention = { ...retention, days: 5 };
    await store.thin();
    expect(store.find({ limit: 10 }).map(({ takenAt }) => (takenAt - noon) / day)).toEqual([8, 6]);
    expect(await readdir(join(folder, 'photos/2026'))).toEqual(['04']);
  });

  it('by space, and where all together would not be enough they stay and no further photo is taken', async () => {
    const least = 50 * 1024 * 1024;
    let free = (): number => 2 * least;
    const store = await open({ freeSpace: () => Promise.resolve(free()) });
    for (let index = 0; index < 30; index += 1) await add(store, noon + index);
    retention = { ...retention, minFreeMb: 50 };
    await store.thin();
    expect(store.totals().count).toBe(30);
    free = () => least - 1024 * 1024;
    await expect(add(store, noon + 30)).rejects.toMatchObject({ knownAs: 'INSUFFICIENT_STORAGE' });
    await store.thin();
    expect(store.totals().count).toBe(30);
    // A few of them are.
    free = () => (store.totals().count > 15 ? least - 1 : least);
    await add(store, noon + 31);
    expect(store.find({ limit: 100 }).map(({ takenAt }) => takenAt - noon)).toEqual([
      ...[31, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20],
    ]);
    expect(await files()).toHaveLength(11);
  });
});

describe('a picture file', () => {
  it('that is cut off or something else says nothing', () => {
    expect(pictureFacts(pictures.jpeg)).toEqual({ format: 'jpeg', width: 322, height: 181 });
    expect(pictureFacts(pictures.webp)).toEqual({ format: 'webp', width: 322, height: 181 });
    for (const whole of [pictures.jpeg, pictures.webp])
      for (const length of [0, 1, 2, 3, 11, 20])
        expect(pictureFacts(whole.subarray(0, length))).toBeUndefined();
    expect(pictureFacts(Buffer.alloc(100))).toBeUndefined();
    expect(pictureFacts(Buffer.concat([Buffer.from('ffd8', 'hex'), Buffer.alloc(100)]))).toBeUndefined();
  });
});
