// The folder that everything is kept in, made where it is missing.
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, ObscuraError } from '../errors.js';

export async function makeDataFolder(path: string): Promise<void> {
  try {
    // Step by step: asked to make all steps at once, mkdir never comes back from some file systems.
    const missing: string[] = [];
    for (let step = path; !(await exists(step)); step = dirname(step)) missing.unshift(step);
    for (const step of missing) await mkdir(step, { mode: 0o700 });
    if (!(await stat(path)).isDirectory()) throw new Error('it is not a folder');
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ObscuraError('failed', `The data folder ${path} cannot be used: ${messageOf(error)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
