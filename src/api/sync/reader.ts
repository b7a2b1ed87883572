// One connected reader. A slow one costs a set of changed keys, never a queue of messages.
import type { Cell } from '../../store/cell.js';
import type { StatusChange } from '../../store/status.js';
import type { Dialect } from './dialect.js';

/** The part of a socket that fan-out needs. */
export interface Transport {
  send(data: Buffer): void;
  ping(): void;
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
  /** What had been sent when the ping now under way left. */
  #pinged: number | undefined;

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
    if (this.#pinged === undefined && this.#sent - this.#proven > pingEvery) {
      this.#pinged = this.#sent;
      this.#transport.ping();
    }
  }

  /** Makes sure that a pong will come, for a reader that has to wait for one. */
  prove(): void {
    if (this.#pinged !== undefined) return;
    this.#pinged = this.#sent;
    this.#transport.ping();
  }

  /** The pong to the ping: everything sent before it has arrived. */
  arrived(): void {
    if (this.#pinged === undefined) return;
    this.#proven = this.#pinged;
    this.#pinged = undefined;
    if (this.#sent - this.#proven > pingEvery) {
      this.#pinged = this.#sent;
      this.#transport.ping();
    }
  }
}
