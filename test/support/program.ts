// Programs of this project as processes of their own. The test run translates all sources once at its start
// (translate.ts), since a process that does it by itself takes three times as long to start.
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Undefined where nothing was translated, as in benchmarks. */
export const builtFolder = process.env['OBSCURA_TRANSLATED'];

/** What Node is to be called with for a source file, by its path in this project. */
export function program(source: string): readonly string[] {
  return builtFolder === undefined
    ? ['--import', 'tsx', join(root, source)]
    : [join(builtFolder, source.replace(/\.ts$/, '.js'))];
}
