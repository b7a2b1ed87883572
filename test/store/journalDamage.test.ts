import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, describe } from 'vitest';
import { Journal } from '../../src/store/journal.js';
import { commit, dir, openOn, valuesOf } from '../support/crashWorkload.js';
import { ModelDisk } from '../support/ModelDisk.js';

const journalPath = `${dir}/journal.ndjson`;
const snapshotPath = `${dir}/snapshot.json`;
const previousPath = `${dir}/snapshot.previous.json`;

/** Enough changes that some are in the snapshot, some in the audit and some in the journal alone. */
async function lived(
  changes = 12,
): Promise<{ disk: ModelDisk; values: Record<string, unknown>; epoch: string }> {
  const disk = new ModelDisk();
  const journal = await openOn(disk);
  const values: Record<string, unknown> = {};
  for (let rev = 1; rev <= changes; rev += 1) {
    const set = { [`k${String(rev % 5)}`]: `value ${String(rev)}` };
    await journal.append([commit(rev, set)]);
    Object.assign(values, set);
  }
  await journal.search({});
  return { disk: disk.afterKill(), values, epoch: journal.epoch };
}

const destructions: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  empty: () => Buffer.alloc(0),
  torn: (content) => content.subarray(0, content.length >> 1),
  'zero-filled': (content) => Buffer.alloc(content.length),
  foreign: () => Buffer.from('<!doctype html><p>not yours\n'),
  'random bytes': () => Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0xc3, 0x28, 0x0a]),
  'valid JSON of another kind': () => Buffer.from('{"format":"other","settings":{}}'),
  'altered by hand': (content) => Buffer.from(content.toString('utf8').replace(/epoch|value/, 'other')),
};

describe('a damaged snapshot', () => {
  test.each(Object.entries(destructions))('%s: nothing is lost, and it is told', async (_name, destroy) => {
    const { values } = await lived();
    for (let changes = 1; changes <= 12; changes += 1) {
      const { disk, values: expected, epoch } = await lived(changes);
      disk.damage(snapshotPath, destroy);
      const journal = await openOn(disk);
      expect(valuesOf(journal)).toEqual(expected);
      expect(journal.epoch).toBe(epoch);
      expect(journal.recovered.reports.join('\n')).toMatch(
        /snapshot\.json.*set aside as snapshot\.json\.damaged-1/,
      );
      expect(disk.contentOf(`${snapshotPath}.damaged-1`)).toBeDefined();
      const again = await openOn(disk.afterKill());
      expect(again.recovered.reports).toEqual([]);
      expect(valuesOf(again)).toEqual(expected);
    }
    expect(Object.keys(values)).toHaveLength(5);
  });

  test('and the one before it: what journal and audit still tell of is used, and a new epoch begins', async () => {
    const { disk, values, epoch } = await lived();
    disk.damage(snapshotPath, () => Buffer.from('x'));
    disk.damage(previousPath, () => Buffer.from('y'));
    const journal = await openOn(disk);
    expect(valuesOf(journal)).toEqual(values);
    expect(journal.epoch).not.toBe(epoch);
    expect(journal.recovered.reports.join('\n')).toContain('No snapshot could be used');
    await journal.append([commit(journal.recovered.rev + 1, { more: 1 })]);
    expect(valuesOf(await openOn(disk.afterKill()))).toEqual({ ...values, more: 1 });
  });

  test('does not bring back what was forgotten', async () => {
    const { disk } = await lived();
    const journal = await openOn(disk);
    await journal.forget((key) => key === 'k1');
    await journal.append([commit(13, { later: 1 })]);
    const one = disk.afterKill();
    one.damage(snapshotPath, () => Buffer.from('x'));
    expect(Object.keys(valuesOf(await openOn(one))).sort()).toEqual(['k1', 'later']);
    const both = disk.afterKill();
    both.damage(snapshotPath, () => Buffer.from('x'));
    both.damage(previousPath, () => Buffer.from('x'));
    expect(valuesOf(await openOn(both))).toEqual({ later: 1 });
  });
});

describe('a damaged journal', () => {
  test.each(Object.entries(destructions))('%s: the server starts, and says so', async (_name, destroy) => {
    const { disk, values } = await lived();
    disk.damage(journalPath, destroy);
    const journal = await openOn(disk);
    for (const value of Object.values(valuesOf(journal))) expect(String(value)).toMatch(/^value \d/);
    expect(Object.keys(values)).toEqual(expect.arrayContaining(Object.keys(valuesOf(journal))));
    expect(journal.recovered.reports.join()).toMatch(/journal/i);
    expect(journal.recovered.clean).toBe(false);
    await journal.append([commit(journal.recovered.rev + 1, { more: 1 })]);
    const again = await openOn(disk.afterKill());
    expect(valuesOf(again)).toEqual({ ...valuesOf(journal), more: 1 });
    expect(again.recovered.reports).toEqual([]);
  });

  test('in the middle keeps what is before, sets a copy aside and begins a new epoch', async () => {
    const disk = new ModelDisk();
    const journal = await openOn(disk);
    for (let rev = 1; rev <= 3; rev += 1) await journal.append([commit(rev, { a: rev })]);
    const original = disk.contentOf(journalPath);
    disk.damage(journalPath, (content) => Buffer.from(content.toString('utf8').replace('"a":2', '"a":9')));
    const damaged = disk.contentOf(journalPath);
    const after = await openOn(disk);
    expect(original).not.toBe(damaged);
    expect(valuesOf(after)).toEqual({ a: 1 });
    expect(after.epoch).not.toBe(journal.epoch);
    expect(after.recovered.reports.join()).toContain('1 whole lines behind the damage');
    expect(disk.contentOf(`${journalPath}.damaged-1`)).toBe(damaged);
  });

  test('with a torn end goes on in the same epoch', async () => {
    const { disk, values, epoch } = await lived();
    disk.damage(journalPath, (content) => Buffer.concat([content, Buffer.from('1234abcd {"seq":')]));
    const journal = await openOn(disk);
    expect(valuesOf(journal)).toEqual(values);
    expect(journal.epoch).toBe(epoch);
    expect(journal.recovered.reports.join()).toContain('as after a power cut');
  });

  test('that comes every night does not fill the disk', async () => {
    const { disk } = await lived();
    for (let night = 0; night < 20; night += 1) {
      disk.damage(journalPath, (content) => Buffer.concat([content, Buffer.from('torn')]));
      await openOn(disk);
    }
    expect((await disk.list(dir)).filter((name) => name.includes('damaged'))).toHaveLength(9);
  });
});

describe('real files', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'obscura-journal-'));
    onTestFinished(() => rm(path, { recursive: true, force: true }));
    return path;
  }
  const open = (path: string): Promise<Journal> =>
    Journal.open({ dir: path, schemaVersion: 1, migrations: [] });

  test('that cannot be read, such as folders of their names, are set aside', async () => {
    const path = await folder();
    for (const name of ['journal.ndjson', 'snapshot.json', 'snapshot.previous.json'])
      await mkdir(join(path, name));
    const journal = await open(path);
    onTestFinished(() => journal.close(2));
    expect(journal.recovered.reports).toHaveLength(4);
    await journal.append([commit(1, { a: 1 })]);
    expect(await readdir(path)).toEqual(
      expect.arrayContaining(['journal.ndjson.damaged-1', 'snapshot.json']),
    );
  });

  test('say so when the journal has been emptied, also before the first snapshot of any worth', async () => {
    const path = await folder();
    const first = await open(path);
    await first.append([{ kind: 'reserve', rev: 4096 }, commit(1, { a: 1 })]);
    await first.close(1);
    await writeFile(join(path, 'journal.ndjson'), '');
    const second = await open(path);
    onTestFinished(() => second.close(1));
    expect(second.recovered.reports).toEqual([expect.stringContaining('journal.ndjson is missing or empty')]);
    expect(second.epoch).not.toBe(first.epoch);
  });

  test('survive an orderly stop and start, which is told as such', async () => {
    const path = await folder();
    const first = await open(path);
    expect(first.recovered).toMatchObject({ clean: false, rev: 0, reports: [] });
    await first.append([{ kind: 'reserve', rev: 4096 }, commit(1, { a: 1 })]);
    await first.close(7);
    const second = await open(path);
    expect(second.recovered).toMatchObject({ clean: true, rev: 7, epoch: first.epoch, reports: [] });
    expect(valuesOf(second)).toEqual({ a: 1 });
    await second.append([{ kind: 'reserve', rev: 5000 }, commit(8, { a: 2 })]);
    await second.close(8);
    await expect(second.append([commit(9, { a: 3 })])).rejects.toThrow('closed');
  });

  test('belong to one server at a time', async () => {
    const path = await folder();
    const journal = await open(path);
    await expect(open(path)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(String(process.pid)) as string,
    });
    await journal.close(0);
    const next = await open(path);
    await next.close(0);
  });

  test.each([
    ['whose process is gone', JSON.stringify({ pid: 2 ** 22 + 1, boot: 'b', started: '1' })],
    [
      'whose process number belongs to another now',
      JSON.stringify({ pid: process.pid, boot: 'b', started: '1' }),
    ],
    ['that was never finished', ''],
  ])('are taken over from a lock %s', async (_name, lock) => {
    const path = await folder();
    await writeFile(join(path, 'server.lock'), lock);
    const journal = await open(path);
    await journal.close(0);
    expect(await readdir(path)).not.toContain('server.lock');
  });
});
