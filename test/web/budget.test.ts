import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

const folder = resolve(import.meta.dirname, '../../dist/web');
const kilobyte = 1024;
/** Gzipped, script and style together, before anything is on the screen. */
const firstLoad = 60 * kilobyte;

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** What the markup names, and what those scripts cannot begin without. */
function loadedFirst(): string[] {
  const named = [...read('index.html').matchAll(/(?:src|href)="\/?([^"]+\.(?:js|css))"/g)].map(
    ([, name = '']) => name,
  );
  const all = new Set(named);
  for (const name of all)
    if (name.endsWith('.js'))
      for (const [, other = ''] of read(name).matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
        all.add(join('assets', other));
  return [...all];
}

it('the first load stays within 60 KB of script and style', () => {
  const first = loadedFirst();
  expect(first.some((name) => name.endsWith('.js'))).toBe(true);
  expect(first.some((name) => name.endsWith('.css'))).toBe(true);
  const sizes = first.map((name) => gzipSync(read(name), { level: 9 }).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(firstLoad);
});

it('what is not seen first is not loaded first', () => {
  expect(loadedFirst().join()).not.toMatch(/Settings|Streams|Statistics|Pipeline/);
});

it('nothing of the page is elsewhere, and nothing is within the markup', () => {
  const markup = read('index.html');
  expect(markup).not.toMatch(/https?:\/\//);
  expect(markup).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
});

it('everything that can be compressed is', () => {
  for (const name of [...loadedFirst(), 'index.html'])
    for (const ending of ['.br', '.gz']) expect(existsSync(join(folder, name + ending)), name).toBe(true);
});
