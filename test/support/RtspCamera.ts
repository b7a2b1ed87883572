import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from './ports.js';

const source = new URL('../../bench/floor.c', import.meta.url).pathname;

/** A camera on the network that is none of ours: gst-rtsp-server alone, with whatever picture and encoder. */
export class RtspCamera {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** The launch text ends in a payloader named pay0. */
  static async start(launch: string): Promise<RtspCamera> {
    const folder = await mkdtemp(join(tmpdir(), 'obscura-camera-'));
    const program = join(folder, 'camera');
    const { stdout } = await promisify(execFile)('pkg-config', [
      '--cflags',
      '--libs',
      'gstreamer-rtsp-server-1.0',
    ]);
    await promisify(execFile)('gcc', ['-o', program, source, ...stdout.trim().split(/\s+/)]);
    const [port = 0] = await freePorts(1);
    const child = spawn(program, [String(port), `( ${launch} )`], { stdio: 'ignore' });
    while (!(await answers(port))) if (child.exitCode !== null) throw new Error('The camera has ended');
    return new RtspCamera(`rtsp://127.0.0.1:${String(port)}/stream1`, child, folder);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const is = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', is(true)).once('error', is(false));
  });
}
