import { describe, expect, it } from 'vitest';
import { differencesOf } from '../../src/web/parts/differences.js';
import { readBackup } from '../../src/web/presets/backup.js';
import { rowHeight, windowOf } from '../../src/web/log/windowOf.js';

describe('what is different between two values', () => {
  it('is the value, or the members that are, however deep and in whatever order', () => {
    expect(differencesOf(1, 2)).toEqual([{ member: '', before: 1, after: 2 }]);
    expect(differencesOf({ a: 1, b: { c: 2, d: [1] } }, { b: { d: [1], c: 3 }, a: 1 })).toEqual([
      { member: 'b.c', before: 2, after: 3 },
    ]);
    expect(differencesOf({ a: 1 }, { b: null })).toEqual([
      { member: 'a', before: 1, after: undefined },
      { member: 'b', before: undefined, after: null },
    ]);
    expect(differencesOf([{ a: 1 }], [{ a: 2 }])).toHaveLength(1);
  });

  it('is nothing where they are alike', () => {
    for (const value of [1, 'a', null, undefined, [1, { a: [2] }], { a: { b: [] } }])
      expect(differencesOf(value, structuredClone(value))).toEqual([]);
  });
});

describe('a file', () => {
  const read = (text: string, size = text.length) => readBackup({ size, text: () => Promise.resolve(text) });
  const backup = { format: 'obscura-backup', formatVersion: 1, settings: { hue: 1 } };

  it('is taken for a backup where it is one, and otherwise called what it is', async () => {
    expect(await read(JSON.stringify(backup))).toEqual({ kind: 'backup', backup });
    expect(await read(JSON.stringify({ ...backup, formatVersion: 2 }))).toEqual({ kind: 'newer' });
    expect(await read('{"format":')).toEqual({ kind: 'notJson' });
    for (const other of ['null', '[]', '{}', '"text"', JSON.stringify({ ...backup, settings: 1 })])
      expect(await read(other)).toEqual({ kind: 'notBackup' });
    expect(await read('{}', 300_000)).toEqual({ kind: 'tooLarge' });
  });
});

describe('of a long list', () => {
  it('a few rows more than are in sight are in the document, never more than there are', () => {
    const height = 20 * rowHeight;
    expect(windowOf(0, 0, height)).toEqual({ first: 0, end: 0 });
    expect(windowOf(5, 0, height)).toEqual({ first: 0, end: 5 });
    const middle = windowOf(10_000, 5000 * rowHeight, height);
    expect(middle.first).toBeLessThan(5000);
    expect(middle.end).toBeGreaterThan(5020);
    expect(middle.end - middle.first).toBeLessThan(60);
    // The list has become shorter than it was scrolled.
    expect(windowOf(3, 5000 * rowHeight, height)).toEqual({ first: 3, end: 3 });
  });
});
