import { describe, expect, test } from 'vitest';
import { Journal } from '../../src/store/journal.js';
import { added, removed, renamed, transformed, type Migration } from '../../src/store/migrations.js';
import { commit, dir, valuesOf } from '../support/crashWorkload.js';
import { ModelDisk } from '../support/ModelDisk.js';

const migrations: readonly Migration[] = [
  renamed(1, 'bitrate is called streamBitrate', { bitrate: 'streamBitrate' }),
  transformed(2, 'the bit rate is given in Mb/s', 'streamBitrate', (value) => Number(value) / 1000),
  added(2, 'old cameras keep the overlay they had', 'overlay', true),
  removed(3, 'there is one light only', 'light2', 'light3'),
];

function open(disk: ModelDisk, schemaVersion: number, steps = migrations): Promise<Journal> {
  return Journal.open({ dir, files: disk, schemaVersion, migrations: steps });
}

async function savedBy(version: number, set: Record<string, unknown>): Promise<ModelDisk> {
  const disk = new ModelDisk();
  const journal = await open(disk, version);
  await journal.append([commit(1, set)]);
  await journal.close(1);
  return disk.afterKill();
}

describe('settings of an older version', () => {
  test.each([
    [1, { bitrate: 8000, light2: 1, mine: 'x' }],
    [2, { streamBitrate: 8000, light2: 1, mine: 'x' }],
    [3, { streamBitrate: 8, overlay: true, light2: 1, mine: 'x' }],
    [4, { streamBitrate: 8, overlay: true, mine: 'x' }],
  ])('%i load, and what nobody knows stays', async (version, set) => {
    const disk = await savedBy(version, set);
    const journal = await open(disk, 4);
    expect(valuesOf(journal)).toEqual({ streamBitrate: 8, overlay: true, mine: 'x' });
    expect(journal.recovered.clean).toBe(true);
    const again = await open(disk.afterKill(), 4);
    expect(valuesOf(again)).toEqual(valuesOf(journal));
    expect(again.recovered.reports).toEqual([]);
  });

  test('are copied before, and each step is told', async () => {
    const disk = await savedBy(1, { bitrate: 8000 });
    const { recovered } = await open(disk, 4);
    expect(recovered.reports).toEqual([
      'The saved settings were brought from version 1 to 2: bitrate is called streamBitrate',
      'The saved settings were brought from version 2 to 3: the bit rate is given in Mb/s',
      'The saved settings were brought from version 2 to 3: old cameras keep the overlay they had',
      'The saved settings were brought from version 3 to 4: there is one light only',
    ]);
    expect(disk.contentOf(`${dir}/snapshot.version-1.json`)).toContain('"bitrate"');
  });

  test('survive a step that fails', async () => {
    const broken = transformed(1, 'a mistake', 'bitrate', () => {
      throw new Error('no such unit');
    });
    const journal = await open(await savedBy(1, { bitrate: 8000 }), 2, [broken]);
    expect(valuesOf(journal)).toEqual({ bitrate: 8000 });
    expect(journal.recovered.reports.join()).toContain('no such unit');
  });

  test('are not taken from the snapshot of the older version once they were brought to the newer', async () => {
    const disk = await savedBy(2, { streamBitrate: 8000 });
    const journal = await open(disk, 3);
    await journal.append([commit(2, { streamBitrate: 9 })]);
    const damaged = disk.afterKill();
    damaged.damage(`${dir}/snapshot.json`, () => Buffer.from(''));
    expect(valuesOf(await open(damaged, 3))).toEqual({ streamBitrate: 9, overlay: true });
  });

  test('leave secrets closed', async () => {
    const disk = new ModelDisk();
    const before = await open(disk, 2);
    await before.append([{ ...commit(1, {}), sealed: { streamBitrate: 'opaque' } }]);
    const { recovered } = await open(disk.afterKill(), 4);
    expect(recovered.cells.get('streamBitrate')).toEqual({ rev: 1, sealed: 'opaque' });
  });
});

describe('a power cut while settings are brought to a newer version', () => {
  test('leaves them complete, once', async () => {
    const saved = await savedBy(1, { bitrate: 8000, light2: 1 });
    for (let cut = 0; ; cut += 1) {
      const disk = saved.afterKill();
      disk.cutBefore = cut;
      await open(disk, 4).catch(() => undefined);
      for (const image of disk.images())
        expect(valuesOf(await open(image, 4))).toEqual({ streamBitrate: 8, overlay: true });
      if (disk.operations <= cut) break;
    }
  });
});

describe('a downgrade', () => {
  test('keeps what only the newer version knows, and says so', async () => {
    const disk = await savedBy(4, { streamBitrate: 8, fromTheFuture: [1, 2] });
    const journal = await open(disk, 2);
    expect(valuesOf(journal)).toEqual({ streamBitrate: 8, fromTheFuture: [1, 2] });
    expect(journal.recovered.reports.join()).toContain('saved by a newer version (4, this is 2)');
  });

  test('and the upgrade after it change nothing twice, and bring along what was set between', async () => {
    const disk = await savedBy(4, { streamBitrate: 8, overlay: false, fromTheFuture: [1, 2] });
    const older = await open(disk, 2);
    await older.append([commit(2, { other: 1, light2: 3 })]);
    await older.close(2);
    const upgraded = await open(disk.afterKill(), 4);
    expect(valuesOf(upgraded)).toEqual({ streamBitrate: 8, overlay: false, fromTheFuture: [1, 2], other: 1 });

    const oldest = disk.afterKill();
    const again = await open(oldest, 1);
    await again.append([commit(3, { bitrate: 6000 })]);
    await again.close(3);
    expect(valuesOf(await open(oldest, 4))).toMatchObject({ streamBitrate: 6, overlay: false });
  });

  test('begins a new epoch, because values change without a revision', async () => {
    const disk = await savedBy(1, { bitrate: 8000 });
    const same = await open(disk.afterKill(), 1);
    const upgraded = await open(disk.afterKill(), 4);
    expect(upgraded.epoch).not.toBe(same.epoch);
  });
});
