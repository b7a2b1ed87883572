import { spawn, type ChildProcess } from 'node:child_process';

export interface SeenFrame {
  /**
   * Seconds on the stream's own clock; NaN for the first. What a player gets of the time before it came is close together.
   */
  readonly time: number;
  readonly width: number;
  readonly height: number;
  readonly isKey: boolean;
}

/** ffprobe as a viewer: decodes what comes and tells of every picture. */
export class RtspViewer {
  readonly frames: SeenFrame[] = [];
  /** What it complained of. */
  complaints = '';
  ended: number | string | undefined;
  readonly #child: ChildProcess;
  #looking: (() => void)[] = [];

  constructor(url: string, transport: 'tcp' | 'udp' = 'tcp', options: readonly string[] = []) {
    this.#child = spawn('stdbuf', [
      // Otherwise it tells of a second's pictures together.
      ...['-oL', 'ffprobe'],
      ...['-v', 'error', '-rtsp_transport', transport, '-probesize', '100000', '-analyzeduration', '300000'],
      ...[
        '-show_entries',
        'frame=best_effort_timestamp_time,width,height,key_frame',
        '-of',
        'json=compact=1',
      ],
      ...options,
      url,
    ]);
    let rest = '';
    this.#child.stdout?.on('data', (data: Buffer) => {
      const lines = `${rest}${data.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
      this.#wake();
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.complaints += data.toString();
    });
    this.#child.once('exit', (code, signal) => {
      this.ended = code ?? signal ?? 'unknown';
      this.#wake();
    });
  }

  /** Resolves when what was seen fits; rejects when the viewer ends before. */
  async until(fits: (frames: readonly SeenFrame[]) => boolean): Promise<void> {
    while (!fits(this.frames)) {
      if (this.ended !== undefined)
        throw new Error(`The viewer ended with ${String(this.ended)}: ${this.complaints}`);
      await new Promise<void>((resolve) => this.#looking.push(resolve));
    }
  }

  /** So many more pictures, from now on. */
  async more(count: number): Promise<void> {
    const before = this.frames.length;
    await this.until(({ length }) => length >= before + count);
  }

  async whenEnded(): Promise<number | string> {
    while (this.ended === undefined) await new Promise<void>((resolve) => this.#looking.push(resolve));
    return this.ended;
  }

  /** Takes nothing any more until it is thawed. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.whenEnded();
  }

  #take(line: string): void {
    const time = /"best_effort_timestamp_time": "([\d.]+)"/.exec(line)?.[1];
    const width = /"width": (\d+)/.exec(line)?.[1];
    const height = /"height": (\d+)/.exec(line)?.[1];
    if (width === undefined || height === undefined) return;
    this.frames.push({
      time: Number(time ?? Number.NaN),
      width: Number(width),
      height: Number(height),
      isKey: line.includes('"key_frame": 1'),
    });
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}
