import { describe, expect, test } from 'vitest';
import { Journal } from '../../src/store/journal.js';
import { commit, dir, openOn, valuesOf } from '../support/crashWorkload.js';
import { diskWith } from '../support/mutantDisks.js';
import { ModelDisk } from '../support/ModelDisk.js';

/** What each operation that fails is called for, over a life with additions and a gathering. */
const changes = ['open', 'write', 'sync', 'truncate', 'rename', 'syncFolder'];

function failing(code: string): Error {
  return Object.assign(new Error(`${code}: the disk says no`), { code });
}

const note = { kind: 'event', at: 1, by: 'anna', via: 'ws', event: 'log-in' } as const;

describe('a disk that fails', () => {
  test.each(['ENOSPC', 'EIO'])(
    'with %s at any one operation: what is refused does not come back, what follows is kept',
    async (code) => {
      for (let failAt = 0; ; failAt += 1) {
        const disk = new ModelDisk();
        let journal = await openOn(disk);
        const expected: Record<string, unknown> = {};
        let operation = 0;
        disk.fault = (name) => {
          if (!changes.includes(name)) return;
          operation += 1;
          if (operation - 1 === failAt) throw failing(code);
        };
        for (let rev = 1; rev <= 12; rev += 1) {
          const set = { [`k${String(rev)}`]: rev };
          const done = await journal.append([commit(rev, set)]).then(
            () => true,
            () => false,
          );
          if (done) Object.assign(expected, set);
          // A moment at which a killed process leaves what it has.
          expect(valuesOf(await openOn(disk.afterKill()))).toEqual(expected);
        }
        disk.fault = () => undefined;
        expect(Object.keys(expected).length).toBeGreaterThanOrEqual(11);
        await journal.append([commit(13, { last: true })]);
        await journal.close(13);
        journal = await openOn(disk);
        expect(valuesOf(journal)).toEqual({ ...expected, last: true });
        if (operation <= failAt) break;
      }
    },
  );

  test('for long refuses every change in words, and takes them again once there is room', async () => {
    const disk = new ModelDisk();
    const journal = await openOn(disk);
    await journal.append([commit(1, { a: 1 })]);
    disk.fault = (name) => {
      if (changes.includes(name)) throw failing('ENOSPC');
    };
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(journal.append([commit(2, { a: 2 })])).rejects.toMatchObject({
        code: 'failed',
        message: expect.stringContaining('ENOSPC') as string,
      });
    disk.fault = () => undefined;
    await journal.append([commit(2, { b: 2 })]);
    expect(valuesOf(await openOn(disk.afterKill()))).toEqual({ a: 1, b: 2 });
  });

  test('in the middle of a write leaves no half line behind', async () => {
    const disk = new ModelDisk();
    let half = false;
    const journal = await openOn(
      diskWith(disk, {
        open: async (path: string, mode: 'append' | 'replace') => {
          const file = await disk.open(path, mode);
          return {
            ...file,
            write: async (text: string) => {
              if (!half) return file.write(text);
              half = false;
              await file.write(text.slice(0, text.length >> 1));
              throw failing('ENOSPC');
            },
          };
        },
      }),
    );
    await journal.append([commit(1, { a: 1 })]);
    half = true;
    await expect(journal.append([commit(2, { a: 2 })])).rejects.toThrow('ENOSPC');
    const after = await openOn(disk.afterKill());
    expect(after.recovered.reports).toEqual([]);
    await journal.append([commit(3, { b: 3 })]);
    expect(valuesOf(await openOn(disk.afterKill()))).toEqual({ a: 1, b: 3 });
  });

  test('does not lose the audit lines that wait', async () => {
    const disk = new ModelDisk();
    const journal = await openOn(disk);
    journal.note(note);
    disk.fault = (name) => {
      if (name === 'write') throw failing('EIO');
    };
    await expect(journal.append([commit(1, { a: 1 })])).rejects.toThrow('EIO');
    disk.fault = () => undefined;
    await journal.append([commit(1, { a: 1 })]);
    expect(await journal.search({ outcome: 'event' })).toHaveLength(1);
  });

  test('when settings are to be forgotten either forgets them or keeps them all', async () => {
    for (let failAt = 0; ; failAt += 1) {
      const disk = new ModelDisk();
      const journal = await openOn(disk);
      await journal.append([commit(1, { a: 1, b: 1 })]);
      let operation = 0;
      disk.fault = (name) => {
        if (!changes.includes(name)) return;
        operation += 1;
        if (operation - 1 === failAt) throw failing('ENOSPC');
      };
      const forgotten = await journal
        .forget((key) => key === 'a')
        .then(
          () => true,
          () => false,
        );
      disk.fault = () => undefined;
      const nameOf = (values: object): string => Object.keys(values).join();
      // Where the folder alone could not be synced, a kill may show either.
      const killed = nameOf(valuesOf(await openOn(disk.afterKill())));
      expect(['a', 'a,b']).toContain(killed);
      if (forgotten) expect(killed).toBe('a');
      await journal.append([commit(2, { c: 2 })]);
      const kept = forgotten ? { a: 1, c: 2 } : { a: 1, b: 1, c: 2 };
      expect(valuesOf(await openOn(disk.afterKill()))).toEqual(kept);
      const damaged = disk.afterKill();
      damaged.damage(`${dir}/snapshot.json`, () => Buffer.from('{'));
      expect(valuesOf(await openOn(damaged))).toEqual(kept);
      if (operation <= failAt) break;
    }
  });
});

describe('a disk that takes nothing', () => {
  test('gives the settings all the same; changes are refused until it takes them', async () => {
    const disk = new ModelDisk();
    const before = await openOn(disk);
    await before.append([commit(1, { a: 1 })]);
    disk.fault = (name) => {
      if (changes.includes(name)) throw failing('EROFS');
    };
    const journal: Journal = await openOn(disk);
    expect(valuesOf(journal)).toEqual({ a: 1 });
    expect(journal.recovered.reports.join()).toMatch(/Nothing can be changed for now.*EROFS/);
    await expect(journal.append([commit(2, { a: 2 })])).rejects.toThrow('EROFS');
    expect(await journal.search({})).toHaveLength(1);
    disk.fault = () => undefined;
    await journal.append([commit(2, { a: 3 })]);
    expect(valuesOf(await openOn(disk.afterKill()))).toEqual({ a: 3 });
  });

  test('and holds files that cannot be read: they are set aside once it can be done, one after another', async () => {
    const disk = new ModelDisk();
    const before = await openOn(disk);
    await before.append([commit(1, { a: 1 })]);
    let broken = true;
    let moves = 0;
    disk.fault = (name, path) => {
      if (broken && name === 'read' && /(snapshot|previous)\.json$/.test(path)) throw failing('EIO');
      if (name === 'rename' && ++moves === 2) throw failing('EIO');
    };
    const journal = await openOn(disk);
    broken = false;
    expect(valuesOf(journal)).toEqual({ a: 1 });
    await journal.append([commit(2, { b: 2 })]);
    expect(valuesOf(await openOn(disk.afterKill()))).toEqual({ a: 1, b: 2 });
    expect(disk.contentOf(`${dir}/snapshot.previous.json.damaged-1`)).toBeDefined();
  });
});
