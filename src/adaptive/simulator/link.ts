// A virtual bottleneck: a link whose capacity changes, with a queue that drops what does not fit, and a way behind it that
// loses and delays. Since packets leave in the order in which they come, the fate of each is known when it is sent.
import { chance, type Chance } from './random.js';

/** Seconds and bit/s, from then on. */
export type Trace = readonly (readonly [second: number, bps: number])[];

export interface LinkSpec {
  readonly capacity: Trace;
  /** One way, without the queue. */
  readonly delayMs: number;
  /** How long the full queue takes to drain. */
  readonly queueMs: number;
  readonly jitterMs?: number;
  /** Share of the packets, or a probability by second. */
  readonly loss?: number | ((second: number) => number);
  /** Bytes that pass at once after a pause (token bucket). */
  readonly bucketBytes?: number;
  /** Packets arrive in bunches, so many milliseconds apart (Wi-Fi). */
  readonly bunchMs?: number;
}

export interface Fate {
  /** Milliseconds; undefined where it is lost. */
  readonly arrives: number | undefined;
  /** Undefined where the queue was full. */
  readonly waited: number | undefined;
}

const lineBps = 100e6;
const smallestQueueBytes = 15_000;

export class Link {
  readonly spec: LinkSpec;
  readonly #chance: Chance;
  #freeAt = 0;
  #lastArrival = 0;
  #tokens: number;
  #tokensAt = 0;
  /** When each waiting packet has left, and its size. */
  #waiting: { readonly until: number; readonly bytes: number }[] = [];
  #first = 0;
  #queued = 0;
  #segment = 0;

  constructor(spec: LinkSpec, seed: number) {
    this.spec = spec;
    this.#chance = chance(seed);
    this.#tokens = spec.bucketBytes ?? 0;
  }

  /** How long what is sent now would wait. */
  backlogMs(at: number): number {
    return Math.max(0, this.#freeAt - at);
  }

  send(at: number, bytes: number): Fate {
    this.#release(at);
    while ((this.spec.capacity[this.#segment + 1]?.[0] ?? Infinity) * 1000 <= at) this.#segment += 1;
    const room = Math.max(
      smallestQueueBytes,
      (this.spec.queueMs * (this.spec.capacity[this.#segment]?.[1] ?? 0)) / 8000,
    );
    if (this.#queued + bytes > room) return { arrives: undefined, waited: undefined };
    const begins = Math.max(at, this.#freeAt);
    this.#freeAt =
      this.spec.bucketBytes === undefined ? this.#ends(begins, bytes) : this.#spend(begins, bytes);
    this.#waiting.push({ until: this.#freeAt, bytes });
    this.#queued += bytes;
    const waited = begins - at;
    if (this.#chance.next() < this.#lossAt(at)) return { arrives: undefined, waited };
    return { arrives: this.#arrival(), waited };
  }

  #release(at: number): void {
    for (let head = this.#waiting[this.#first]; head !== undefined && head.until <= at;) {
      this.#queued -= head.bytes;
      this.#first += 1;
      head = this.#waiting[this.#first];
    }
    if (this.#first < 2000) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }

  #lossAt(at: number): number {
    const { loss } = this.spec;
    return typeof loss === 'function' ? loss(at / 1000) : (loss ?? 0);
  }

  #arrival(): number {
    const { jitterMs = 0, bunchMs = 0, delayMs } = this.spec;
    let arrives = this.#freeAt + delayMs;
    if (jitterMs > 0) arrives += Math.min(jitterMs, (Math.abs(this.#chance.normal()) * jitterMs) / 3);
    if (bunchMs > 0) arrives = Math.ceil(arrives / bunchMs) * bunchMs;
    this.#lastArrival = Math.max(this.#lastArrival, arrives);
    return this.#lastArrival;
  }

  /** When bytes that begin to leave now have left, whatever the capacity becomes meanwhile. */
  #ends(begins: number, bytes: number): number {
    const { capacity } = this.spec;
    let bits = bytes * 8;
    let at = begins;
    for (let segment = this.#segment; ; segment += 1) {
      const bps = capacity[segment]?.[1] ?? 0;
      const next = (capacity[segment + 1]?.[0] ?? Infinity) * 1000;
      if (next <= at) continue;
      const takes = (bits / bps) * 1000;
      if (at + takes <= next) return at + takes;
      bits -= ((next - at) * bps) / 1000;
      at = next;
    }
  }

  #spend(begins: number, bytes: number): number {
    const { bucketBytes = 0, capacity } = this.spec;
    const refill = (capacityAt(capacity, begins) * (begins - this.#tokensAt)) / 8000;
    const tokens = Math.min(bucketBytes, this.#tokens + refill);
    const onLine = begins + (bytes * 8000) / lineBps;
    const ends = tokens >= bytes ? onLine : Math.max(onLine, this.#ends(begins, bytes - tokens));
    this.#tokens = Math.max(0, tokens - bytes);
    this.#tokensAt = tokens >= bytes ? begins : ends;
    return ends;
  }
}

export function capacityAt(trace: Trace, at: number): number {
  let bps = trace[0]?.[1] ?? 0;
  for (const [second, value] of trace) {
    if (second * 1000 > at) break;
    bps = value;
  }
  return bps;
}
