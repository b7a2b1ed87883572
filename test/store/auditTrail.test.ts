import { describe, expect, test } from 'vitest';
import { Journal, type JournalOptions } from '../../src/store/journal.js';
import type { AuditRecord, Entry, EventEntry } from '../../src/store/journalEntry.js';
import { dir } from '../support/crashWorkload.js';
import { ModelDisk } from '../support/ModelDisk.js';

const january = Date.UTC(2026, 0, 15);
const dayMs = 86_400_000;

function open(disk: ModelDisk, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open({ dir, files: disk, schemaVersion: 1, migrations: [], now: () => january, ...options });
}

function change(rev: number, by: string, at: number, key: string, value: unknown, old?: unknown): Entry {
  return {
    kind: 'commit',
    rev,
    at,
    by,
    via: 'ws',
    from: '192.0.2.7',
    set: { [key]: value },
    was: { [key]: old },
  };
}

function event(at: number, name = 'log-in'): EventEntry {
  return { kind: 'event', at, by: 'anna', via: 'http', event: name };
}

async function filled(): Promise<Journal> {
  const journal = await open(new ModelDisk(), { snapshotLimitBytes: 300 });
  for (let rev = 1; rev <= 10; rev += 1)
    await journal.append([
      change(rev, rev % 2 === 0 ? 'anna' : 'ben', rev * 100, `k${String(rev % 3)}`, rev),
    ]);
  journal.note(event(1050));
  journal.note({
    kind: 'refused',
    at: 1100,
    by: 'ben',
    via: 'ws',
    keys: ['k1'],
    code: 'forbidden',
    message: 'ben may not write k1',
    tried: { k1: 9 },
  });
  return journal;
}

const revs = (records: readonly AuditRecord[]): (number | undefined)[] => records.map(({ rev }) => rev);

describe('the audit', () => {
  test('tells newest first, from the journal and from what was gathered', async () => {
    const journal = await filled();
    const records = await journal.search({});
    expect(records.map(({ outcome }) => outcome).slice(0, 3)).toEqual(['refused', 'event', 'done']);
    expect(revs(records.slice(2))).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(records.at(2)).toEqual({
      seq: expect.any(Number) as number,
      rev: 10,
      at: 1000,
      by: 'anna',
      via: 'ws',
      from: '192.0.2.7',
      outcome: 'done',
      changes: [{ key: 'k1', old: undefined, new: 10 }],
    });
  });

  test('is searched by user, key, time and outcome', async () => {
    const journal = await filled();
    expect(revs(await journal.search({ user: 'anna', outcome: 'done' }))).toEqual([10, 8, 6, 4, 2]);
    expect(revs(await journal.search({ key: 'k0' }))).toEqual([9, 6, 3]);
    expect(revs(await journal.search({ since: 300, until: 600 }))).toEqual([5, 4, 3]);
    expect(await journal.search({ outcome: 'refused', key: 'k1' })).toMatchObject([
      { code: 'forbidden', changes: [{ key: 'k1', new: 9 }] },
    ]);
    expect(await journal.search({ user: 'nobody' })).toEqual([]);
  });

  test('is read page by page without gap and without repetition', async () => {
    const journal = await filled();
    const seen: (number | undefined)[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await journal.search({ outcome: 'done', limit: 3, before });
      if (page.length === 0) break;
      seen.push(...revs(page));
      before = page.at(-1)?.seq;
    }
    expect(seen).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test('tells two events that are alike from one that is in two places', async () => {
    const disk = new ModelDisk();
    const journal = await open(disk);
    journal.note(event(5));
    journal.note(event(5));
    expect(await journal.search({})).toHaveLength(2);
    const twice = disk.contentOf(`${dir}/journal.ndjson`) ?? '';
    disk.damage(`${dir}/audit-2026-01.ndjson`, (content) =>
      Buffer.from(`${content.toString('utf8')}${twice}`),
    );
    expect(await journal.search({})).toHaveLength(2);
  });

  test('names a secret that was changed, and never what it holds', async () => {
    const disk = new ModelDisk();
    const journal = await open(disk);
    await journal.append([
      { kind: 'commit', rev: 1, at: 1, by: 'anna', via: 'ws', sealed: { password: 'canary' } },
    ]);
    const records = await journal.search({});
    expect(records).toMatchObject([{ changes: [{ key: 'password', secret: true }] }]);
    expect(JSON.stringify(records)).not.toContain('canary');
  });

  test('is followed as it happens, and a follower that fails harms nobody', async () => {
    const journal = await open(new ModelDisk());
    const heard: AuditRecord[] = [];
    const stop = journal.onAudit((record) => heard.push(record));
    journal.onAudit(() => {
      throw new Error('a listener that fails');
    });
    await journal.append([{ kind: 'reserve', rev: 10 }, change(1, 'anna', 1, 'a', 2, 1)]);
    await journal.append([event(2)]);
    stop();
    await journal.append([event(3)]);
    expect(heard).toMatchObject([
      { outcome: 'done', changes: [{ key: 'a', old: 1, new: 2 }] },
      { outcome: 'event', event: 'log-in' },
    ]);
  });

  test('outlives a factory reset', async () => {
    const journal = await filled();
    await journal.forget(() => false);
    expect(await journal.search({})).toHaveLength(12);
  });

  test('bounds what waits to be written, and tells how much it dropped', async () => {
    const journal = await open(new ModelDisk());
    for (let index = 0; index < 1500; index += 1) journal.note(event(index));
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    journal.note({ ...event(1500), detail: circular });
    const [newest] = await journal.search({});
    expect(newest).toMatchObject({ event: 'audit overflow', detail: { dropped: 501 } });
    expect(await journal.search({ limit: 1000, before: newest?.seq })).toHaveLength(1000);
  });
});

describe('retention', () => {
  /** A year of changes, 10 kB a month, gathered as they come. */
  async function year(retention: {
    days: number;
    bytes: number;
  }): Promise<{ disk: ModelDisk; journal: Journal }> {
    const disk = new ModelDisk();
    let time = january;
    const journal = await open(disk, { snapshotLimitBytes: 2000, retention, now: () => time });
    for (let rev = 1; rev <= 120; rev += 1) {
      time = january + rev * 3 * dayMs;
      await journal.append([change(rev, 'anna', time, 'text', 'x'.repeat(1000))]);
    }
    await journal.search({});
    return { disk, journal };
  }
  const auditFiles = async (disk: ModelDisk): Promise<string[]> =>
    (await disk.list(dir)).filter((name) => name.startsWith('audit-')).sort();

  test('by days drops whole months', async () => {
    const { disk, journal } = await year({ days: 90, bytes: 1_000_000_000 });
    const files = await auditFiles(disk);
    expect(files.at(-1)).toBe('audit-2027-01.ndjson');
    expect(files.length).toBeLessThanOrEqual(5);
    const records = await journal.search({ limit: 1000 });
    expect(records.at(0)?.rev).toBe(120);
    expect(records.length).toBeGreaterThanOrEqual(30);
  });

  test('by bytes also parts a month that grows too large', async () => {
    const disk = new ModelDisk();
    const journal = await open(disk, { snapshotLimitBytes: 2000, retention: { days: 900, bytes: 40_000 } });
    for (let rev = 1; rev <= 120; rev += 1)
      await journal.append([change(rev, 'anna', january, 'text', 'x'.repeat(1000))]);
    const records = await journal.search({ limit: 1000 });
    let bytes = 0;
    for (const name of await auditFiles(disk)) bytes += await disk.size(`${dir}/${name}`);
    expect(bytes).toBeLessThan(50_000);
    expect(revs(records)).toEqual(Array.from({ length: records.length }, (_, index) => 120 - index));
    expect(records.length).toBeGreaterThan(20);
  });

  test('lets the newest lines go last even where the clock is set back', async () => {
    const disk = new ModelDisk();
    let time = january;
    const journal = await open(disk, { snapshotLimitBytes: 200, now: () => time });
    await journal.append([change(1, 'anna', time, 'a', 'x'.repeat(200))]);
    time = 0;
    await journal.append([change(2, 'anna', time, 'a', 'y'.repeat(200))]);
    expect(revs(await journal.search({}))).toEqual([2, 1]);
    expect(await auditFiles(disk)).toEqual(['audit-2026-01.ndjson']);
  });
});
