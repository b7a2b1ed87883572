// Cameras where the kernel has none and no loopback device: the media process of a test's server is given a library
// (fakeV4l2.c) that makes files look like V4L2 devices to it. Its driver is ours; what opens and asks the device is real.
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaServer, run, type MediaServer } from './mediaServer.js';

export class FakeCameras {
  readonly folder: string;
  readonly #library: string;

  private constructor(folder: string, library: string) {
    this.folder = folder;
    this.#library = library;
  }

  static async make(): Promise<FakeCameras> {
    const place = await mkdtemp(join(tmpdir(), 'obscura-cameras-'));
    const library = join(place, 'fakeV4l2.so');
    const source = join(import.meta.dirname, 'fakeV4l2.c');
    const built = await run('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, source]);
    if (built.code !== 0) throw new Error(built.err);
    const folder = join(place, 'dev');
    await mkdir(folder);
    return new FakeCameras(folder, library);
  }

  /** A server whose media process sees these cameras, and no other process does. */
  async server(): Promise<MediaServer> {
    const variables = { LD_PRELOAD: this.#library, FAKE_V4L2: this.folder };
    Object.assign(process.env, variables);
    try {
      return await mediaServer({ deviceFolder: this.folder });
    } finally {
      for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
    }
  }

  path(number: number): string {
    return join(this.folder, `video${String(number)}`);
  }

  /** The lines are those that fakeV4l2.c understands. */
  async plug(number: number, lines: readonly string[]): Promise<void> {
    await rm(`${this.path(number)}.set`, { force: true });
    await writeFile(this.path(number), `${lines.join('\n')}\n`);
  }

  async unplug(number: number): Promise<void> {
    await rm(this.path(number));
  }

  /** A name that stays, as the system gives to cameras. */
  async link(name: string, number: number): Promise<string> {
    const folder = join(this.folder, 'v4l', 'by-id');
    await mkdir(folder, { recursive: true });
    await symlink(this.path(number), join(folder, name));
    return join(folder, name);
  }

  /** What has been set since it was plugged in: id and value, in order. */
  async wasSet(number: number): Promise<readonly (readonly [id: number, value: number])[]> {
    const text = await readFile(`${this.path(number)}.set`, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id = '', value = ''] = line.split(' ');
        return [Number.parseInt(id, 16), Number(value)];
      });
  }

  async remove(): Promise<void> {
    await rm(join(this.folder, '..'), { recursive: true });
  }
}
