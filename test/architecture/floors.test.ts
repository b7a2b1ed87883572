import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');

/** Which other rooms each room may import from. `errors` and `protocol` hold words that everybody uses. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  protocol: [],
  system: ['errors'],
  observables: [],
  store: ['observables', 'errors'],
  access: ['store', 'observables', 'errors'],
  library: ['errors'],
  hooks: ['errors'],
  api: ['media', 'library', 'access', 'store', 'observables', 'protocol', 'system', 'errors'],
  pipelines: ['observables'],
  adaptive: [],
  media: ['pipelines', 'adaptive', 'system', 'errors'],
  start: [
    'media',
    'hooks',
    'library',
    'pipelines',
    'adaptive',
    'api',
    'access',
    'store',
    'observables',
    'protocol',
    'system',
    'errors',
  ],
  client: ['protocol', 'observables'],
  web: ['client'],
  cli: ['client', 'protocol', 'observables', 'errors', 'system'],
  docs: ['observables', 'protocol', 'api', 'store', 'errors'],
  main: ['start', 'api', 'access', 'store', 'observables', 'protocol', 'system', 'errors'],
};

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return /\.(?:ts|svelte)$/.test(path) ? [path] : [];
  });
}

function roomOf(path: string): string {
  return (
    relative(source, path)
      .split('/')[0]
      ?.replace(/\.(ts|js)$/, '') ?? ''
  );
}

function trespasses(path: string, text: string): string[] {
  const room = roomOf(path);
  const found: string[] = [];
  for (const [, target = ''] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    const other = roomOf(resolve(dirname(path), target));
    if (other !== room && !(allowed[room] ?? []).includes(other))
      found.push(`${relative(source, path)} (${room}) imports ${target} (${other})`);
  }
  return found;
}

describe('the floors of the house', () => {
  it('are kept by every import', () => {
    const all = filesBelow(source).flatMap((path) => trespasses(path, readFileSync(path, 'utf8')));
    expect(all).toEqual([]);
  });

  it('know every room', () => {
    const rooms = new Set(filesBelow(source).map(roomOf));
    expect([...rooms].filter((room) => allowed[room] === undefined)).toEqual([]);
  });

  it('would catch a store that reaches up to a face', () => {
    const path = join(source, 'store/store.ts');
    expect(trespasses(path, "import { x } from '../api/server.js';")).toHaveLength(1);
    expect(trespasses(path, "import { x } from '../observables/define.js';")).toEqual([]);
  });

  it('let the client take nothing from the observables but types', () => {
    for (const path of filesBelow(join(source, 'client')))
      for (const line of readFileSync(path, 'utf8').split('\n'))
        if (line.includes("'../observables/") || line.includes("'../protocol/"))
          expect(line, path).toMatch(/^import type |^export type /);
  });
});
