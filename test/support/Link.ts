import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { Namespaces } from './Namespaces.js';

const run = promisify(execFile);

/** A tenth of a second on the link. */
export interface LinkReport {
  /** Seconds, on the monotonic clock. */
  readonly at: number;
  /** bit/s */
  readonly capacity: number;
  /** What passed the queue, lost afterwards or not. */
  readonly bytes: number;
  /** For want of room. */
  readonly dropped: number;
  /** By chance. */
  readonly lost: number;
  /** How long packets have waited: least, middle, and that of the worst twentieth. Empty where none passed. */
  readonly queueMs: readonly number[];
}

export interface LinkOptions {
  /** In each direction. */
  readonly delayMs: number;
  /** How much of the link's time the queue holds. */
  readonly queueMs: number;
  readonly loss?: number;
  readonly seed?: number;
}

/** Two machines with a link between them that is as wide as it is told to be. */
export class Link extends Namespaces {
  readonly #options: LinkOptions;
  readonly #reports: LinkReport[] = [];
  #folder = '';
  #emulator: ChildProcessByStdio<Writable, Readable, null> | undefined;

  constructor(options: LinkOptions) {
    super();
    this.#options = options;
  }

  static override async isPossible(): Promise<boolean> {
    try {
      await access('/dev/net/tun', constants.R_OK | constants.W_OK);
    } catch {
      return false;
    }
    return await Namespaces.isPossible();
  }

  /** So far, the oldest first. */
  get reports(): readonly LinkReport[] {
    return this.#reports;
  }

  override async open(): Promise<void> {
    await super.open();
    this.#folder = await mkdtemp(join(tmpdir(), 'obscura-link-'));
    const program = join(this.#folder, 'linkEmulator');
    await run('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'linkEmulator.c')]);
    const { delayMs, queueMs, loss = 0, seed = 1 } = this.#options;
    const { server, client } = this.names;
    this.#emulator = spawn(program, [server, client, ...[delayMs, queueMs, loss, seed].map(String)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface(this.#emulator.stdout);
    await once(lines, 'line');
    lines.on('line', (line) => this.#reports.push(JSON.parse(line) as LinkReport));
    for (const [name, own, other] of [
      [server, this.serverAddress, this.clientAddress],
      [client, this.clientAddress, this.serverAddress],
    ] as const) {
      await this.ip(name, 'address', 'add', own, 'peer', other, 'dev', 'link0');
      await this.ip(name, 'link', 'set', 'link0', 'up');
    }
  }

  /** bit/s from the server to the client. */
  setCapacity(bps: number): void {
    this.#emulator?.stdin.write(`capacity ${String(bps)}\n`);
  }

  /** The part of the packets that is lost by chance. */
  setLoss(part: number): void {
    this.#emulator?.stdin.write(`loss ${String(part)}\n`);
  }

  override async close(): Promise<void> {
    if (this.#emulator !== undefined) {
      const ended = once(this.#emulator, 'exit');
      this.#emulator.stdin.end();
      await ended;
    }
    await super.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
