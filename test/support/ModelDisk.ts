// A disk in memory that tells apart what was written and what would survive a power cut. It can stop after any
// operation and show every content that a real disk could then have.
import type { Files, OpenFile } from '../../src/store/files.js';

/** What has been written to a file, and what of it is certain. */
interface Inode {
  written: Buffer;
  durable: Buffer;
}

type NameChange =
  | { readonly kind: 'set'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'remove'; readonly path: string };

export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

export class ModelDisk implements Files {
  /** Operations that changed something or made it durable. */
  operations = 0;
  /** The power goes before the operation of this number. */
  cutBefore = Number.POSITIVE_INFINITY;
  /** Asked before each operation; what it throws is what the disk answers. */
  fault: (operation: string, path: string) => void = () => undefined;

  readonly #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** In order, each a step that is made in one piece or not at all. */
  #nameChanges: NameChange[][] = [];

  static holding(contents: Readonly<Record<string, string | Buffer>>): ModelDisk {
    const disk = new ModelDisk();
    for (const [path, content] of Object.entries(contents)) {
      const bytes = Buffer.from(content);
      disk.#names.set(path, { written: bytes, durable: bytes });
    }
    disk.#durableNames = new Map(disk.#names);
    return disk;
  }

  async open(path: string, mode: 'append' | 'replace'): Promise<OpenFile> {
    this.#step('open', path);
    let inode = this.#names.get(path);
    if (inode === undefined) {
      inode = { written: Buffer.alloc(0), durable: Buffer.alloc(0) };
      this.#change([{ kind: 'set', path, inode }]);
    } else if (mode === 'replace') inode.written = Buffer.alloc(0);
    return this.#handle(path, inode);
  }

  #handle(path: string, inode: Inode): OpenFile {
    return {
      write: async (text) => {
        this.#step('write', path);
        inode.written = Buffer.concat([inode.written, Buffer.from(text)]);
      },
      sync: async () => {
        this.#step('sync', path);
        inode.durable = inode.written;
      },
      truncate: async (bytes) => {
        this.#step('truncate', path);
        const { written } = inode;
        inode.written = Buffer.concat([
          written.subarray(0, bytes),
          Buffer.alloc(Math.max(0, bytes - written.length)),
        ]);
      },
      close: async () => undefined,
    };
  }

  async read(path: string): Promise<string | undefined> {
    this.#look('read', path);
    return this.#names.get(path)?.written.toString('utf8');
  }

  async size(path: string): Promise<number> {
    this.#look('size', path);
    return this.#names.get(path)?.written.length ?? 0;
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step('rename', from);
    const inode = this.#existing(from);
    this.#change([
      { kind: 'set', path: to, inode },
      { kind: 'remove', path: from },
    ]);
  }

  async copy(from: string, to: string): Promise<void> {
    this.#step('copy', from);
    const { written } = this.#existing(from);
    this.#change([{ kind: 'set', path: to, inode: { written, durable: Buffer.alloc(0) } }]);
  }

  async remove(path: string): Promise<void> {
    this.#step('remove', path);
    if (this.#names.has(path)) this.#change([{ kind: 'remove', path }]);
  }

  async list(folder: string): Promise<string[]> {
    this.#look('list', folder);
    return [...this.#names.keys()].map((path) => path.slice(folder.length + 1));
  }

  async syncFolder(folder: string): Promise<void> {
    this.#step('syncFolder', folder);
    this.#durableNames = new Map(this.#names);
    this.#nameChanges = [];
  }

  /** For what somebody else does to a file while nobody looks. */
  damage(path: string, change: (content: Buffer) => Buffer): void {
    const inode = this.#existing(path);
    inode.written = change(inode.written);
    inode.durable = inode.written;
  }

  contentOf(path: string): string | undefined {
    return this.#names.get(path)?.written.toString('utf8');
  }

  /** As the running system sees it, everything flushed: what a killed process leaves behind. */
  afterKill(): ModelDisk {
    return ModelDisk.holding(
      Object.fromEntries([...this.#names].map(([path, { written }]) => [path, written])),
    );
  }

  /** Every content the disk could have after a power cut now. */
  *images(): Generator<ModelDisk> {
    for (let done = 0; done <= this.#nameChanges.length; done += 1) {
      const names = new Map(this.#durableNames);
      for (const step of this.#nameChanges.slice(0, done)) for (const change of step) applyTo(names, change);
      const paths = [...names.keys()];
      const choices = [...names.values()].map(possibleContents);
      for (const contents of combinations(choices))
        yield ModelDisk.holding(
          Object.fromEntries(paths.map((path, index) => [path, contents[index] ?? ''])),
        );
    }
  }

  #existing(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return inode;
  }

  #change(step: NameChange[]): void {
    for (const change of step) applyTo(this.#names, change);
    this.#nameChanges.push(step);
  }

  #step(operation: string, path: string): void {
    this.operations += 1;
    if (this.operations > this.cutBefore) throw new PowerCut(`No power for ${operation} of ${path}`);
    this.fault(operation, path);
  }

  #look(operation: string, path: string): void {
    if (this.operations > this.cutBefore) throw new PowerCut(`No power for ${operation} of ${path}`);
    this.fault(operation, path);
  }
}

function applyTo(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === 'set') names.set(change.path, change.inode);
  else names.delete(change.path);
}

/** Old, new, and where something was added also torn, zero-filled and with a hole. */
function possibleContents({ durable, written }: Inode): Buffer[] {
  if (durable.equals(written)) return [durable];
  // Cut back: in one piece or not at all.
  if (durable.subarray(0, written.length).equals(written)) return [durable, written];
  const kept = written.subarray(0, durable.length).equals(durable) ? durable.length : 0;
  const added = written.length - kept;
  const half = kept + (added >> 1);
  const texts = [9, added >> 1, added - 1]
    .filter((part) => part > 0 && part < added)
    .map((part) => written.subarray(0, kept + part));
  const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);
  return [
    durable,
    ...texts,
    Buffer.concat([written.subarray(0, kept), zeros(added)]),
    Buffer.concat([written.subarray(0, kept), zeros(half - kept), written.subarray(half)]),
    Buffer.concat([written.subarray(0, half), zeros(written.length - half)]),
    written,
  ];
}

function* combinations<T>(choices: readonly (readonly T[])[]): Generator<T[]> {
  const [first, ...others] = choices;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const rest of combinations(others)) for (const choice of first) yield [choice, ...rest];
}
