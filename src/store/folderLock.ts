// One server per data folder: two would write the same journal.
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ObscuraError } from '../errors.js';
import { codeOf, isMissing } from './files.js';

export interface FolderLock {
  release(): Promise<void>;
}

/** A process number alone says little: after a power cut, or in a new container, another process has it. */
interface Holder {
  readonly pid: number;
  readonly boot: string | undefined;
  readonly started: string | undefined;
}

const attempts = 10;
/** Between the making of a lock and the writing of its holder lies a moment. */
const patienceMs = 50;

export async function lockFolder(folder: string): Promise<FolderLock> {
  const path = join(folder, 'server.lock');
  const self = JSON.stringify(await holderFor(process.pid));
  for (let attempt = 1; ; attempt += 1) {
    if (await create(path, self)) return { release: () => release(path, self) };
    const text = await textOf(path);
    const holder = parsed(text);
    if (holder === undefined && attempt < attempts) {
      await delay(patienceMs);
      continue;
    }
    if (holder !== undefined && (await isAlive(holder)))
      throw new ObscuraError(
        'conflict',
        `The data folder ${folder} is in use by process ${String(holder.pid)}; two servers cannot share one`,
      );
    if (attempt >= 2 * attempts)
      throw new ObscuraError('conflict', `The lock ${path} cannot be taken: others start at the same time`);
    // Another start may have cleared the stale lock and made its own since: only the one that was read may go.
    if ((await textOf(path)) === text) await rm(path, { force: true });
  }
}

async function create(path: string, text: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function release(path: string, self: string): Promise<void> {
  if ((await textOf(path)) === self) await rm(path, { force: true });
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

function parsed(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as unknown;
    if (typeof holder !== 'object' || holder === null || !('pid' in holder)) return undefined;
    return Number.isInteger(holder.pid) ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  const { boot, started } = await holderFor(holder.pid);
  return boot === holder.boot && started === holder.started;
}

async function holderFor(pid: number): Promise<Holder> {
  const [boot, stat] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined),
    readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined),
  ]);
  // The start time is the 22nd field; the second, the name in brackets, may hold blanks.
  const started = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return { pid, boot: boot?.trim(), started };
}
