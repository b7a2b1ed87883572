import { spawn, type ChildProcess } from 'node:child_process';

export interface Picture {
  /** Red, green and blue of a place, which counts from 0 to 1 from the left and the top. */
  at(x: number, y: number): readonly [number, number, number];
}

/** ffmpeg as a viewer that looks at the colours of every decoded picture. */
export class PictureViewer {
  readonly pictures: Picture[] = [];
  ended: number | string | undefined;
  #complaints = '';
  readonly #child: ChildProcess;
  #looking: (() => void)[] = [];

  /** Pictures are looked at in this size, whatever they come in. */
  constructor(url: string, width = 64, height = 36) {
    this.#child = spawn('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-fflags', 'nobuffer', '-flags', 'low_delay', '-threads', '1'],
      ...['-probesize', '100000', '-analyzeduration', '300000', '-rtsp_transport', 'tcp', '-i', url],
      ...['-vf', `scale=${String(width)}:${String(height)}:flags=area`, '-fps_mode', 'passthrough'],
      ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', '-flush_packets', '1', '-'],
    ]);
    const size = width * height * 3;
    let rest = Buffer.alloc(0);
    this.#child.stdout?.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      for (; rest.length >= size; rest = rest.subarray(size))
        this.pictures.push(picture(Buffer.from(rest.subarray(0, size)), width, height));
      this.#wake();
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#complaints += data.toString();
    });
    this.#child.once('exit', (code, signal) => {
      this.ended = code ?? signal ?? 'unknown';
      this.#wake();
    });
  }

  /** The first picture from now on that fits. */
  async until(fits: (picture: Picture) => boolean): Promise<Picture> {
    for (let next = this.pictures.length; ;) {
      for (; next < this.pictures.length; next += 1) {
        const seen = this.pictures[next];
        if (seen !== undefined && fits(seen)) return seen;
      }
      if (this.ended !== undefined)
        throw new Error(`The viewer ended with ${String(this.ended)}: ${this.#complaints}`);
      await new Promise<void>((resolve) => this.#looking.push(resolve));
    }
  }

  /** So many more pictures, from now on. */
  async more(count: number): Promise<Picture[]> {
    const begin = this.pictures.length;
    await this.until(() => this.pictures.length >= begin + count);
    return this.pictures.slice(begin, begin + count);
  }

  async stop(): Promise<void> {
    if (this.ended !== undefined) return;
    this.#child.kill('SIGKILL');
    await new Promise<void>((resolve) => this.#looking.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#looking.splice(0)) resolve();
  }
}

function picture(bytes: Buffer, width: number, height: number): Picture {
  return {
    at: (x, y) => {
      const column = Math.min(width - 1, Math.floor(x * width));
      const row = Math.min(height - 1, Math.floor(y * height));
      const place = (row * width + column) * 3;
      return [bytes[place] ?? 0, bytes[place + 1] ?? 0, bytes[place + 2] ?? 0];
    },
  };
}

/** Whether a place has about this colour: encoding and decoding change it a little. */
export function isLike(
  seen: readonly [number, number, number],
  wanted: readonly [number, number, number],
): boolean {
  return seen.every((value, index) => Math.abs(value - (wanted[index] ?? 0)) < 40);
}
