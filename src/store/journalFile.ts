// The one file that is added to. What an addition that failed has left behind is cut off before anything follows it.
import { join } from 'node:path';
import { replaceFile, type Files, type OpenFile } from './files.js';

export class JournalFile {
  readonly #files: Files;
  readonly #dir: string;
  readonly #name: string;
  #open: OpenFile | undefined;
  #size: number;
  /** The end of the file is unknown until it has been cut back to the size. */
  #damaged: boolean;

  constructor(files: Files, dir: string, name: string, found: { size: number; damaged: boolean }) {
    this.#files = files;
    this.#dir = dir;
    this.#name = name;
    this.#size = found.size;
    this.#damaged = found.damaged;
  }

  get size(): number {
    return this.#size;
  }

  async text(): Promise<string> {
    return (await this.#files.read(join(this.#dir, this.#name))) ?? '';
  }

  /** Open, and holding nothing but what was acknowledged. */
  async ready(): Promise<OpenFile> {
    this.#open ??= await this.#opened();
    if (this.#damaged) await this.#cutBack(this.#open);
    return this.#open;
  }

  /** Durable when it resolves, gone when it rejects. */
  async add(text: string): Promise<void> {
    const file = await this.ready();
    this.#damaged = true;
    try {
      await file.write(text);
      await file.sync();
    } catch (error) {
      // Before the next addition at the latest; now is better, in case there is none.
      await this.#cutBack(file).catch(() => undefined);
      throw error;
    }
    this.#damaged = false;
    this.#size += Buffer.byteLength(text);
  }

  async beginAnew(text: string): Promise<void> {
    // Should this fail halfway, the name decides which of the two files is the one: it is opened by its name again.
    await this.close();
    await replaceFile(this.#files, this.#dir, this.#name, text);
    this.#damaged = false;
    await this.ready();
  }

  async close(): Promise<void> {
    const file = this.#open;
    this.#open = undefined;
    await file?.close();
  }

  async #opened(): Promise<OpenFile> {
    const path = join(this.#dir, this.#name);
    const file = await this.#files.open(path, 'append');
    try {
      // A new name must survive a crash as well as what is written under it.
      await this.#files.syncFolder(this.#dir);
      if (!this.#damaged) this.#size = await this.#files.size(path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  }

  async #cutBack(file: OpenFile): Promise<void> {
    await file.truncate(this.#size);
    await file.sync();
    this.#damaged = false;
  }
}
