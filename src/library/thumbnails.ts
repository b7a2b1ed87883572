// Small pictures of photos, made when somebody first looks at them and remembered for a while. Each is made by a process
// of its own: a broken file takes nothing with it, and the pipelines of the video are not touched.
import { spawn } from 'node:child_process';
import { messageOf, ObscuraError } from '../errors.js';
import { headBytes, pictureFacts } from './pictureFacts.js';
import type { OpenedFile } from './places.js';

/** Twice as many pixels as the page shows them with, for screens of which each dot is four. */
const widest = 480;
const quality = 72;
const decoders = { jpeg: 'jpegdec', webp: 'webpdec' } as const;
const atOnce = 2;
const waitingAtMost = 500;
/** Of about 15 KB each. */
const rememberedAtMost = 500;
const withinMs = 10_000;
const largest = 1024 * 1024;

export class Thumbnails {
  readonly #program: string;
  readonly #remembered = new Map<string, Promise<Buffer>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(program = 'gst-launch-1.0') {
    this.#program = program;
  }

  /** As JPEG, whatever the photo is. The file is closed in any case. */
  async of(file: OpenedFile): Promise<Buffer> {
    const id = `${file.path} ${String(file.size)} ${String(file.modified.getTime())}`;
    const known = this.#remembered.get(id);
    if (known !== undefined) {
      await file.handle.close();
      return await known;
    }
    const made = this.#inTurn(file);
    this.#remembered.set(id, made);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= rememberedAtMost) break;
      this.#remembered.delete(oldest);
    }
    try {
      return await made;
    } catch (error) {
      // It may be another time.
      this.#remembered.delete(id);
      throw error;
    }
  }

  async #inTurn(file: OpenedFile): Promise<Buffer> {
    try {
      while (this.#running >= atOnce) {
        if (this.#waiting.length >= waitingAtMost)
          throw new ObscuraError('limited', 'Too many small pictures at once; try again in a moment', {
            retryAfter: 5,
          });
        await new Promise<void>((resolve) => {
          this.#waiting.push(resolve);
        });
      }
      this.#running += 1;
      try {
        return await this.#make(file);
      } finally {
        this.#running -= 1;
        this.#waiting.shift()?.();
      }
    } finally {
      await file.handle.close();
    }
  }

  async #make({ handle, name }: OpenedFile): Promise<Buffer> {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const facts = pictureFacts(buffer.subarray(0, bytesRead));
    if (facts === undefined) throw new ObscuraError('invalid', `${name} is no picture`);
    const width = Math.min(widest, facts.width);
    const height = Math.max(1, Math.round((facts.height * width) / facts.width));
    const pipeline = [
      ...['fdsrc', 'fd=0', '!', decoders[facts.format], '!', 'videoconvert', '!', 'videoscale', '!'],
      `video/x-raw,width=${String(width)},height=${String(height)},pixel-aspect-ratio=1/1`,
      ...['!', 'jpegenc', `quality=${String(quality)}`, '!', 'fdsink', 'fd=1'],
    ];
    const picture = await this.#run(pipeline, handle.createReadStream({ start: 0, autoClose: false }));
    if (pictureFacts(picture) === undefined)
      throw new ObscuraError('failed', `No small picture can be made of ${name}`);
    return picture;
  }

  #run(words: readonly string[], source: NodeJS.ReadableStream): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, ['-q', ...words], {
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: withinMs,
        killSignal: 'SIGKILL',
      });
      const parts: Buffer[] = [];
      let size = 0;
      child.stdout.on('data', (part: Buffer) => {
        size += part.length;
        if (size > largest) child.kill('SIGKILL');
        else parts.push(part);
      });
      child.on('error', (error) => {
        reject(new ObscuraError('failed', `Small pictures cannot be made: ${messageOf(error)}`));
      });
      child.on('close', () => {
        resolve(Buffer.concat(parts));
      });
      // It may have seen enough, or be gone, before the file ends.
      child.stdin.on('error', () => undefined);
      source.on('error', () => child.stdin.end());
      source.pipe(child.stdin);
    });
  }
}
