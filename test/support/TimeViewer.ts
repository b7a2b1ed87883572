import { spawn, type ChildProcess } from 'node:child_process';
import { readTimeRow } from './timeBlock.js';

/** Of the row that ffmpeg hands over, whatever the size of the picture. */
const rowWidth = 640;
const cell = 8;
const cellOfPicture = 'floor(iw/160)*2';

export interface TimedFrame {
  /** Microseconds since 1970 at which it was captured, as drawn in the picture; undefined where it could not be read. */
  readonly captured: number | undefined;
  /** And at which this viewer had it decoded. */
  readonly seen: number;
}

/** ffmpeg as a viewer that reads the time block of every decoded picture. */
export class TimeViewer {
  readonly frames: TimedFrame[] = [];
  ended: number | string | undefined;
  #complaints = '';
  readonly #child: ChildProcess;
  #looking: (() => void)[] = [];

  constructor(url: string, transport: 'tcp' | 'udp') {
    this.#child = spawn('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-fflags', 'nobuffer', '-flags', 'low_delay', '-threads', '1'],
      ...['-probesize', '100000', '-analyzeduration', '300000', '-rtsp_transport', transport, '-i', url],
      ...[
        '-vf',
        `format=gray,crop=iw:1:0:floor(2.5*${cellOfPicture}),scale=${String(rowWidth)}:1:flags=neighbor`,
      ],
      ...['-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', '-flush_packets', '1', '-'],
    ]);
    let rest = Buffer.alloc(0);
    this.#child.stdout?.on('data', (data: Buffer) => {
      const seen = (performance.timeOrigin + performance.now()) * 1000;
      rest = Buffer.concat([rest, data]);
      for (; rest.length >= rowWidth; rest = rest.subarray(rowWidth))
        this.frames.push({ captured: readTimeRow(rest, cell), seen });
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

  /** So many more pictures, from now on. */
  async more(count: number): Promise<void> {
    const enough = this.frames.length + count;
    while (this.frames.length < enough) {
      if (this.ended !== undefined)
        throw new Error(`The viewer ended with ${String(this.ended)}: ${this.#complaints}`);
      await new Promise<void>((resolve) => this.#looking.push(resolve));
    }
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    while (this.ended === undefined) await new Promise<void>((resolve) => this.#looking.push(resolve));
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}
