// A life of a journal with everything in it that touches the disk, and what must be true wherever the power goes.
import { Journal } from '../../src/store/journal.js';
import type { Files } from '../../src/store/files.js';
import type { CommitEntry, Entry } from '../../src/store/journalEntry.js';
import { ModelDisk, PowerCut } from './ModelDisk.js';

export const dir = '/data';
const now = (): number => Date.UTC(2026, 0, 31);

export function openOn(files: Files): Promise<Journal> {
  return Journal.open({
    dir,
    files,
    schemaVersion: 1,
    migrations: [],
    now,
    snapshotLimitBytes: 500,
    retention: { days: 30, bytes: 1_000_000 },
  });
}

export function commit(rev: number, set: Record<string, unknown>): CommitEntry {
  return { kind: 'commit', rev, at: now(), by: 'anna', via: 'ws', set };
}

type Values = Readonly<Record<string, unknown>>;

interface Progress {
  /** The values after each change, the first before any; a batch counts as many. */
  readonly states: Values[];
  /** How many of them the journal has said to be durable. */
  acknowledged: number;
  /** Revisions that were acknowledged. */
  readonly revisions: number[];
}

/** Ends early, without complaint, when the power goes. */
export async function live(files: Files): Promise<Progress> {
  const progress: Progress = { states: [{}], acknowledged: 0, revisions: [] };
  const { states, revisions } = progress;
  let rev = 0;
  const append = async (journal: Journal, ...sets: Values[]): Promise<void> => {
    const entries: Entry[] = [];
    if (rev === 0) entries.push({ kind: 'reserve', rev: 4096 });
    for (const set of sets) {
      rev += 1;
      states.push({ ...states.at(-1), ...set });
      entries.push(commit(rev, set));
    }
    await journal.append(entries);
    progress.acknowledged = states.length - 1;
    for (const entry of entries) if (entry.kind === 'commit') revisions.push(entry.rev);
  };
  try {
    let journal = await openOn(files);
    for (let round = 1; round <= 7; round += 1) await append(journal, { [`k${String(round % 3)}`]: round });
    await append(journal, { k0: 'first of two', other: 1 }, { k0: 'second of two' });
    states.push(Object.fromEntries(Object.entries(states.at(-1) ?? {}).filter(([key]) => key === 'k1')));
    await journal.forget((key) => key === 'k1');
    progress.acknowledged = states.length - 1;
    for (let round = 1; round <= 4; round += 1) await append(journal, { after: round });
    await journal.close(rev);
    journal = await openOn(files);
    for (let round = 5; round <= 10; round += 1) await append(journal, { after: round });
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return progress;
}

/** What is wrong with a disk that such a life left behind; undefined where nothing is. */
export async function complaint(
  disk: ModelDisk,
  progress: Progress,
  wrap: (disk: ModelDisk) => Files = (files) => files,
): Promise<string | undefined> {
  let journal: Journal;
  try {
    journal = await openOn(wrap(disk));
  } catch (error) {
    return `does not open: ${String(error)}`;
  }
  const { recovered } = journal;
  const found = valuesOf(journal);
  const match = progress.states.findLastIndex((state) => same(state, found));
  if (match < 0) return `holds a mixture: ${JSON.stringify(found)}`;
  if (match < progress.acknowledged) return `lost what was acknowledged: ${JSON.stringify(found)}`;
  const highest = progress.revisions.at(-1) ?? 0;
  if (recovered.rev < highest) return `would use revision ${String(highest)} twice`;

  const seen = (await journal.search({ limit: 1000 })).map(({ rev }) => rev ?? 0);
  if (new Set(seen).size < seen.length) return `shows a change twice in the audit: ${seen.join(' ')}`;
  const missing = progress.revisions.filter((rev) => !seen.includes(rev));
  if (missing.length > 0) return `lost ${missing.join(' ')} from the audit`;

  try {
    await journal.append([commit(recovered.rev + 1, { z: 1 })]);
  } catch (error) {
    return `takes no more changes: ${String(error)}`;
  }
  // The worst that a power cut can leave of it must still hold it.
  let looked = 0;
  for (const image of disk.images()) {
    looked += 1;
    // A disk that never syncs leaves far more, and is found out by the first of them.
    if (looked > 30) break;
    const again = await openOn(image);
    if (!same(valuesOf(again), { ...found, z: 1 })) return 'lost the change after the restart';
  }
  return undefined;
}

export function valuesOf({ recovered }: Journal): Values {
  return Object.fromEntries([...recovered.cells].map(([key, { value }]) => [key, value]));
}

function same(one: Values, other: Values): boolean {
  const text = (values: Values): string => JSON.stringify(Object.entries(values).sort());
  return text(one) === text(other);
}

function isPowerCut(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof PowerCut) return true;
  return false;
}

export interface Verdict {
  readonly points: number;
  readonly images: number;
  readonly complaints: readonly string[];
}

interface Enumeration {
  /** What the journal is given in place of the disk. */
  readonly wrap?: (disk: ModelDisk) => Files;
  /** A disk that forgets much leaves more than can be looked at: not more than this, at each point. */
  readonly imagesPerPoint?: number;
}

/** Cuts the power before every operation and looks at every disk that could come of it. */
export async function enumerateCrashes({
  wrap = (disk) => disk,
  imagesPerPoint = Number.POSITIVE_INFINITY,
}: Enumeration = {}): Promise<Verdict> {
  let images = 0;
  for (let cut = 0; ; cut += 1) {
    const disk = new ModelDisk();
    disk.cutBefore = cut;
    const progress = await live(wrap(disk));
    let here = 0;
    for (const image of disk.images()) {
      here += 1;
      if (here > imagesPerPoint) break;
      const wrong = await complaint(image, progress, wrap);
      if (wrong !== undefined)
        return { points: cut, images, complaints: [`cut before operation ${String(cut)}: ${wrong}`] };
    }
    images += here;
    if (disk.operations <= cut) return { points: cut, images, complaints: [] };
  }
}

/** The power goes a second time, at every moment of the start after the first cut; for every n-th disk. */
export async function enumerateSecondCrashes(nth: number): Promise<Verdict> {
  let images = 0;
  let points = 0;
  for (let cut = 0; ; cut += 1) {
    const disk = new ModelDisk();
    disk.cutBefore = cut;
    const progress = await live(disk);
    for (const image of disk.images()) {
      images += 1;
      if (images % nth !== 0) continue;
      for (let second = 0; ; second += 1) {
        const start = image.afterKill();
        start.cutBefore = second;
        await openOn(start).catch(() => undefined);
        points += 1;
        for (const left of start.images()) {
          const wrong = await complaint(left, progress);
          if (wrong !== undefined)
            return {
              points,
              images,
              complaints: [`cuts before ${String(cut)} and ${String(second)}: ${wrong}`],
            };
        }
        if (start.operations <= second) break;
      }
    }
    if (disk.operations <= cut) return { points, images, complaints: [] };
  }
}
