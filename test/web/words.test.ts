import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src/web');
const catalogues = new Map(
  readdirSync(join(source, 'words')).map((name) => [
    name,
    JSON.parse(readFileSync(join(source, 'words', name), 'utf8')) as Readonly<Record<string, string>>,
  ]),
);
const english = catalogues.get('en.json') ?? {};
const keys = Object.keys(english);
const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:svelte|ts)$/.test(name))
  .map((name) => readFileSync(join(source, name), 'utf8'))
  .join('\n');

/** The keys that the sources ask for: whole ones, and beginnings that are completed when the page runs. */
const asked = [...code.matchAll(/'([a-z]+(?:\.[a-zA-Z\d]+)+)'/g)]
  .map(([, key = '']) => key)
  .filter((key) => keys.some((known) => known.split('.')[0] === key.split('.')[0]));
const beginnings = [...code.matchAll(/`([a-z]+(?:\.[a-zA-Z\d]+)*\.)\$\{/g)].map(([, key = '']) => key);

function placeholders(words: string): string[] {
  return [...words.matchAll(/\{\w+\}/g)].map(([whole]) => whole).sort();
}

describe('the words of the page', () => {
  it('are there in English and German', () => {
    expect([...catalogues.keys()].sort()).toEqual(['de.json', 'en.json']);
    expect(keys.length).toBeGreaterThan(50);
  });

  it('lack nothing that the page says', () => {
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((key) => !keys.includes(key))).toEqual([]);
  });

  it('are all said somewhere', () => {
    // Those for a count of one are said in place of the others.
    const isSaid = (key: string): boolean =>
      asked.includes(key) ||
      asked.includes(key.replace(/One$/, '')) ||
      beginnings.some((beginning) => key.startsWith(beginning));
    expect(keys.filter((key) => !isSaid(key))).toEqual([]);
  });

  it.each([...catalogues])(
    '%s has every key, with the same facts in it and no word missing',
    (_name, words) => {
      expect(Object.keys(words)).toEqual(keys);
      for (const key of keys) {
        expect(words[key]?.trim(), key).not.toBe('');
        expect(placeholders(words[key] ?? ''), key).toEqual(placeholders(english[key] ?? ''));
      }
    },
  );
});
