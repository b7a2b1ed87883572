// The few things the journal asks of a disk, so that tests can put a disk there that crashes, lies or is full.
import { copyFile, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';

export interface OpenFile {
  write(text: string): Promise<void>;
  /** Returns when what was written is on the disk. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export interface Files {
  /** For writing: at the end, or from the beginning of an emptied file. */
  open(path: string, mode: 'append' | 'replace'): Promise<OpenFile>;
  /** Undefined where there is no such file; rejects where there is one that cannot be read. */
  read(path: string): Promise<string | undefined>;
  /** In bytes; 0 where there is no such file. */
  size(path: string): Promise<number>;
  rename(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  /** Makes names that were added, changed or removed in a folder survive a crash. */
  syncFolder(folder: string): Promise<void>;
}

export const realFiles: Files = {
  async open(path, mode) {
    const handle = await open(path, mode === 'append' ? 'a' : 'w', 0o600);
    return {
      write: async (text) => {
        await handle.appendFile(text);
      },
      sync: () => handle.datasync(),
      truncate: (bytes) => handle.truncate(bytes),
      close: () => handle.close(),
    };
  },
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  async size(path) {
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  },
  rename: (from, to) => rename(from, to),
  copy: (from, to) => copyFile(from, to),
  remove: (path) => rm(path, { force: true }),
  list: (folder) => readdir(folder),
  async syncFolder(folder) {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** A file is there whole or not at all: written beside, made durable, then given its name. */
export async function replaceFile(files: Files, folder: string, name: string, text: string): Promise<void> {
  const path = `${folder}/${name}`;
  const file = await files.open(`${path}.tmp`, 'replace');
  try {
    await file.write(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(`${path}.tmp`, path);
  await files.syncFolder(folder);
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** What the operating system calls an error, such as ENOSPC. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
