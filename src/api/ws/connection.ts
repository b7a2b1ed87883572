// What every WebSocket has, whatever it speaks: an identity that is read afresh, messages in order, limits, a heartbeat.
import type { WebSocket } from 'ws';
import type { Identity, Origin } from '../../access/identity.js';
import { TokenBucket } from '../../access/limiter.js';
import { closeCodes } from '../../protocol/v2.js';
import type { Services } from '../services.js';
import type { Reader, Transport } from '../sync/reader.js';

const messagesPerSecond = 100;
const messageBurst = 200;
/** Told this often in ten seconds that it is too fast, a client that goes on is cut off. */
const warningsAtMost = 10;
const warningWindowMs = 10_000;
const malformedAtMost = 5;
const malformedWindowMs = 60_000;
/** Messages that may wait while one is being worked on; the rest stays in the network. */
const waitingAtMost = 64;
const silenceMs = 35_000;

export const protocolError = 1008;
export const goingAway = 1001;

export abstract class Connection {
  readonly services: Services;
  readonly origin: Origin;
  readonly ws: WebSocket;
  identity: Identity;
  protected reader: Reader | undefined;
  readonly #bucket = new TokenBucket(messagesPerSecond, messageBurst);
  readonly #warnings: number[] = [];
  readonly #malformed: number[] = [];
  readonly #inbox: string[] = [];
  #working = false;
  #lastHeard = Date.now();

  constructor(services: Services, ws: WebSocket, identity: Identity, origin: Origin) {
    this.services = services;
    this.ws = ws;
    this.identity = identity;
    this.origin = origin;
  }

  /** Listens from the first moment: a message that arrives while something is awaited must not be lost. */
  start(): void {
    this.ws.on('message', (data: Buffer, isBinary) => {
      this.#lastHeard = Date.now();
      if (isBinary) this.malformed('Binary frames are not understood');
      else this.#take(data.toString('utf8'));
    });
    this.ws.on('pong', (mark: Buffer) => {
      this.#lastHeard = Date.now();
      if (this.reader !== undefined) this.services.sync.arrived(this.reader, mark.toString('latin1'));
    });
    this.ws.on('close', () => {
      this.stopReading();
      this.services.locks.releaseAll(this);
      void this.services.drags.leave(this);
    });
    this.ws.on('error', (error) => {
      this.services.log.debug({ err: error, address: this.origin.address }, 'socket failed');
    });
  }

  /** One JSON message that could be parsed. */
  protected abstract receive(message: unknown): Promise<void>;
  protected abstract sendMalformed(reason: string): void;
  protected abstract sendTooFast(retryAfter: number): void;
  /** The identity may do other things than before, or nothing any more. */
  abstract rightsChanged(): void;

  /** Whether anything may be done here without logging in first. */
  get isIdle(): boolean {
    return this.identity.anonymous && this.identity.mask === 0;
  }

  heartbeat(now: number): void {
    if (now - this.#lastHeard > silenceMs) this.ws.terminate();
    else this.ws.ping();
  }

  send(message: unknown): void {
    if (this.ws.readyState === this.ws.OPEN) this.ws.send(JSON.stringify(message));
  }

  protected get transport(): Transport {
    const { ws } = this;
    return {
      send: (data) => {
        ws.send(data, { binary: false });
      },
      ping: (mark) => {
        if (ws.readyState === ws.OPEN) ws.ping(mark);
      },
      get bufferedAmount() {
        return ws.bufferedAmount;
      },
    };
  }

  protected stopReading(): void {
    if (this.reader !== undefined) this.services.sync.leave(this.reader);
    this.reader = undefined;
  }

  protected malformed(reason: string): void {
    this.sendMalformed(reason);
    if (tooMany(this.#malformed, malformedAtMost, malformedWindowMs))
      this.ws.close(protocolError, 'malformed messages');
  }

  #take(text: string): void {
    if (!this.#bucket.take()) {
      this.sendTooFast(this.#bucket.wait);
      if (tooMany(this.#warnings, warningsAtMost, warningWindowMs))
        this.ws.close(closeCodes.limited, 'too fast');
      return;
    }
    this.#inbox.push(text);
    if (this.#inbox.length > waitingAtMost) this.ws.pause();
    if (!this.#working) void this.#work();
  }

  /** One after the other: a client may rely on the order of what it sends. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let text = this.#inbox.shift(); text !== undefined; text = this.#inbox.shift()) {
      if (this.ws.isPaused && this.#inbox.length < waitingAtMost / 2) this.ws.resume();
      let message: unknown;
      try {
        message = JSON.parse(text);
      } catch {
        this.malformed('Not JSON');
        continue;
      }
      try {
        await this.receive(message);
      } catch (error) {
        this.services.log.error({ err: error }, 'a message could not be handled');
        this.sendMalformed('The message could not be handled');
      }
    }
    this.#working = false;
  }
}

function tooMany(times: number[], most: number, windowMs: number): boolean {
  const now = Date.now();
  times.push(now);
  while (times[0] !== undefined && now - times[0] > windowMs) times.shift();
  return times.length >= most;
}
