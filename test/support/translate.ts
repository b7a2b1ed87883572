// Runs once before all tests: what they start as processes is there as JavaScript, in a folder that looks like this one.
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './program.js';

export default async function translate(): Promise<(() => Promise<void>) | undefined> {
  // Each project of the run asks.
  if (process.env['OBSCURA_TRANSLATED'] !== undefined) return undefined;
  await mkdir(join(root, '.cache'), { recursive: true });
  const folder = await mkdtemp(join(root, '.cache/translated-'));
  process.env['OBSCURA_TRANSLATED'] = folder;
  await build({
    absWorkingDir: root,
    entryPoints: ['src/**/*.ts', 'test/support/*.ts'],
    outdir: folder,
    outbase: root,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  for (const beside of ['package.json', 'native', 'dist'])
    await symlink(join(root, beside), join(folder, beside));
  return () => rm(folder, { recursive: true, force: true });
}
