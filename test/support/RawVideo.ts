import { spawn, type ChildProcess } from 'node:child_process';

export interface RawVideoOptions {
  readonly transport?: 'tcp' | 'udp';
  /** What ffmpeg makes of each picture, as its filters. */
  readonly filters: string;
  readonly pixelFormat: 'gray' | 'rgb24';
  /** Bytes of what comes out of that. */
  readonly size: number;
}

/** ffmpeg as a viewer that hands over every decoded picture. */
export class RawVideo {
  ended: number | string | undefined;
  #complaints = '';
  readonly #child: ChildProcess;
  #looking: (() => void)[] = [];

  constructor(
    url: string,
    { transport = 'tcp', filters, pixelFormat, size }: RawVideoOptions,
    onPicture: (bytes: Buffer, seenAt: number) => void,
  ) {
    this.#child = spawn('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-flags', 'low_delay', '-threads', '1'],
      ...['-probesize', '100000', '-analyzeduration', '300000', '-rtsp_transport', transport, '-i', url],
      ...['-vf', filters, '-fps_mode', 'passthrough'],
      ...['-pix_fmt', pixelFormat, '-f', 'rawvideo', '-flush_packets', '1', '-'],
    ]);
    let rest = Buffer.alloc(0);
    this.#child.stdout?.on('data', (data: Buffer) => {
      const seenAt = performance.timeOrigin + performance.now();
      rest = Buffer.concat([rest, data]);
      for (; rest.length >= size; rest = rest.subarray(size)) onPicture(rest.subarray(0, size), seenAt);
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

  /** More has come; rejects where nothing will. */
  async more(): Promise<void> {
    if (this.ended !== undefined)
      throw new Error(`The viewer ended with ${String(this.ended)}: ${this.#complaints}`);
    await this.#change();
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    while (this.ended === undefined) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise<void>((resolve) => this.#looking.push(resolve));
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}
