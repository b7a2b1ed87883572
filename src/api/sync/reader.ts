// One connected reader. A slow one costs a set of changed keys, never a queue of messages.
import type { Cell } from '../../store/cell.js';
import type { StatusChange } from '../../store/status.js';
import type { Dialect } from './dialect.js';

/** The part of a socket that fan-out needs. */
export interface Transport {
  send(data: Buffer): void;
  /** The pong will bring the mark back. */
  ping(mark: string): void;
  /** Bytes that this process has not yet handed to the kernel. */
  readonly bufferedAmount: number;
}

/** Readers that may see the same keys in the same dialect. */
export interface Cohort {
  readonly id: string;
  readonly dialect: Dialect;
  /** One byte per cell: 1 where it is watched and may be read. */
  readonly visible: Uint8Array;
  /** Whether these may know who changes things. */
  readonly seesActors: boolean;
  readonly members: Set<Reader>;
}

/**
 * Bytes that may be under way without proof of arrival. The kernel takes megabytes for a peer that reads nothing,
 * so only a pong shows what has got through.
 */
const windowBytes = 64 * 1024;
const pingEvery = 16 * 1024;

export class Reader {
  cohort: Cohort;
  /** Keys whose newest value this reader has not been sent. */
  readonly dirty: Set<Cell> = new Set();
  readonly gone: Set<string> = new Set();
  readonly statuses: Map<string, StatusChange> = new Map();
  behindSince: number | undefined;
  readonly #transport: Transport;
  #sent = 0;
  #proven = 0;
  /** The ping now under way, and what had been sent when it left. */
  #pinged: { readonly mark: string; readonly sent: number } | undefined;

  constructor(transport: Transport, cohort: Cohort) {
    this.#transport = transport;
    this.cohort = cohort;
  }

  get isFull(): boolean {
    return this.#transport.bufferedAmount > windowBytes || this.#sent - this.#proven > windowBytes;
  }

  /** Has something of its own to get, beside what its cohort gets. */
  get owesNothing(): boolean {
    return this.dirty.size === 0 && this.gone.size === 0;
  }

  send(data: Buffer): void {
    this.#sent += data.length;
    this.#transport.send(data);
    if (this.#sent - this.#proven > pingEvery) this.prove();
  }

  /** Makes sure that a pong will come, for a reader that has to wait for one. */
  prove(): void {
    if (this.#pinged !== undefined) return;
    pings += 1;
    this.#pinged = { mark: String(pings), sent: this.#sent };
    this.#transport.ping(this.#pinged.mark);
  }

  /**
   * Everything sent before the ping has arrived when its pong has. Other pongs prove nothing: those to heartbeats, to
   * pings of an earlier reader on the same socket, and those that nobody asked for.
   */
  arrived(mark: string): boolean {
    if (this.#pinged?.mark !== mark) return false;
    this.#proven = this.#pinged.sent;
    this.#pinged = undefined;
    if (this.#sent - this.#proven > pingEvery) this.prove();
    return true;
  }
}

/** Of all readers, so that no two pings carry the same mark. */
let pings = 0;
