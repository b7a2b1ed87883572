// The files that people may see: some folders below the data folder and nothing else, whatever a path says.
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, rm, type FileHandle } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { ObscuraError } from '../errors.js';

/** Clients of the reference product name files by where it has them. */
export const virtualRoot = '/media/data';
const mostEntries = 10_000;

const types: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};

export interface Entry {
  /** Seen from the folder that was listed. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly modified: Date;
  readonly type: 'file' | 'directory';
  readonly mimeType: string;
}

export interface Listing {
  readonly path: string;
  readonly entries: readonly Entry[];
  /** There is more than fits in one answer. */
  readonly truncated: boolean;
}

export interface OpenedFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly modified: Date;
  readonly mimeType: string;
}

export class Places {
  readonly #dataFolder: string;
  readonly #folders: readonly string[];

  /** `folders` are names below the data folder. */
  constructor(dataFolder: string, folders: readonly string[]) {
    this.#dataFolder = dataFolder;
    this.#folders = folders;
  }

  async list(
    path: string,
    { recursive = false, ending = '' }: { readonly recursive?: boolean; readonly ending?: string } = {},
  ): Promise<Listing> {
    const steps = stepsOf(path);
    const found: Entry[] = [];
    const walk = async (inner: readonly string[]): Promise<boolean> => {
      const names =
        steps.length + inner.length === 0
          ? this.#folders
          : (await readdir(await this.#real([...steps, ...inner]))).toSorted();
      for (const name of names.filter((each) => !isHidden(each))) {
        const entry = await this.#entry(steps, [...inner, name]);
        if (entry === undefined) continue;
        const isWanted = entry.type === 'directory' ? !recursive : hasEnding(name, ending);
        if (isWanted && found.length >= mostEntries) return true;
        if (isWanted) found.push(entry);
        if (entry.type === 'directory' && recursive && (await walk([...inner, name]))) return true;
      }
      return false;
    };
    const truncated = await missingIsUnknown(walk([]));
    return { path: virtualPath(steps), entries: found, truncated };
  }

  async open(path: string): Promise<OpenedFile> {
    const steps = stepsOf(path);
    const real = await missingIsUnknown(this.#real(steps));
    // Without waiting: what is no file, such as a pipe, might never open.
    const handle = await missingIsUnknown(
      open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
    );
    const facts = await handle.stat();
    if (!facts.isFile()) {
      await handle.close();
      throw unknownFile();
    }
    const name = steps.at(-1) ?? '';
    return {
      handle,
      path: virtualPath(steps),
      name,
      size: facts.size,
      modified: facts.mtime,
      mimeType: typeOf(name),
    };
  }

  /** The path below the data folder of what is gone now. */
  async remove(path: string, recursive: boolean): Promise<string> {
    const steps = stepsOf(path);
    if (steps.length < 2) throw new ObscuraError('forbidden', 'This folder itself stays');
    const real = await missingIsUnknown(this.#real(steps));
    const facts = await missingIsUnknown(lstat(real));
    const isFolder = facts.isDirectory();
    if (!isFolder && !facts.isFile()) throw unknownFile();
    if (isFolder && !recursive)
      throw new ObscuraError('conflict', 'This is a folder; it goes with recursive=true');
    await missingIsUnknown(rm(real, { recursive: isFolder }));
    return steps.join('/');
  }

  async #entry(steps: readonly string[], inner: readonly string[]): Promise<Entry | undefined> {
    const all = [...steps, ...inner];
    // What is neither a file nor a folder, links above all, is not there.
    const facts = await lstat(join(this.#dataFolder, ...all)).catch(() => undefined);
    const isFolder = facts?.isDirectory() === true || all.length === 1;
    if (!isFolder && facts?.isFile() !== true) return undefined;
    const name = inner.join('/');
    return {
      ...{ name, path: virtualPath(all) },
      size: isFolder ? 0 : (facts?.size ?? 0),
      modified: facts?.mtime ?? new Date(0),
      type: isFolder ? 'directory' : 'file',
      mimeType: isFolder ? 'inode/directory' : typeOf(name),
    };
  }

  /** Where it really is. The folders themselves may be links to another disk; nothing in them may. */
  async #real(steps: readonly string[]): Promise<string> {
    const [first = '', ...rest] = steps;
    if (!this.#folders.includes(first)) throw unknownFile();
    const root = await realpath(join(this.#dataFolder, first));
    const wanted = [root, ...rest].join(sep);
    if ((await realpath(wanted)) !== wanted) throw unknownFile();
    return wanted;
  }
}

/** The names on the way, from below the data folder; throws where one of them leads elsewhere. */
function stepsOf(path: string): string[] {
  const all = path.split('/').filter((step) => step !== '' && step !== '.');
  const steps = virtualRoot === `/${all.slice(0, 2).join('/')}` ? all.slice(2) : all;
  if (steps.some((step) => isHidden(step) || /[\u0000-\u001f\\]/.test(step))) throw unknownFile();
  return steps;
}

/** Also what leads up. */
function isHidden(name: string): boolean {
  return name.startsWith('.');
}

function hasEnding(name: string, ending: string): boolean {
  return name.toLowerCase().endsWith(ending.toLowerCase());
}

function virtualPath(steps: readonly string[]): string {
  return [virtualRoot, ...steps].join('/');
}

function typeOf(name: string): string {
  return types[extname(name).toLowerCase()] ?? 'application/octet-stream';
}

function unknownFile(): ObscuraError {
  return new ObscuraError('unknown', 'There is no such file', { knownAs: 'FILE_NOT_FOUND' });
}

async function missingIsUnknown<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(String(code))) throw unknownFile();
    throw error;
  }
}
