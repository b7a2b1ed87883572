// One server per data folder: two would write the same journal.
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ObscuraError } from '../errors.js';
import { isMissing } from './files.js';

export interface FolderLock {
  release(): Promise<void>;
}

export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'server.lock');
  for (let attempt = 0; ; attempt += 1) {
    try {
      const handle = await open(path, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const holder = await holderOf(path);
      if (holder !== undefined && isAlive(holder) && holder !== process.pid)
        throw new ObscuraError(
          'conflict',
          `The data folder ${folder} is in use by process ${String(holder)}`,
        );
      // Two starts may clear the same stale lock at once; only one of them then creates it.
      if (attempt > 10) throw error;
      await rm(path, { force: true });
    }
  }
}

async function holderOf(path: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
