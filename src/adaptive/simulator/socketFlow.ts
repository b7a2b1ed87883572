// A viewer over TCP: pictures go into a socket, the socket sends what its window allows, and what cannot be sent waits here
// or in the system. The newest pictures are left out while too much waits.
import type { SocketSample } from '../samples.js';
import type { Agenda } from './agenda.js';
import { Column } from './columns.js';
import type { Picture } from './encoder.js';
import type { Link } from './link.js';
import type { ShownPicture } from './mediaFlow.js';

const segmentBytes = 1460;
const headerBytes = 40;
const systemTakesBytes = 256 * 1024;
const longestHeldMs = 1000;

export class SocketFlow {
  readonly pictures: ShownPicture[] = [];
  readonly arrivals = { at: new Column(), bytes: new Column() };
  readonly #agenda: Agenda;
  readonly #link: Link;
  readonly #viewer: string;
  /** Pictures that are not all delivered, with the place of their last byte in the stream. */
  readonly #pending: { readonly picture: ShownPicture; readonly end: number }[] = [];
  #written = 0;
  #sent = 0;
  #acked = 0;
  #window = 10;
  #threshold = Infinity;
  #recoverAt = 0;
  #shedding = false;
  #deliveredAt: { readonly at: number; readonly acked: number }[] = [];
  #rtt: number;

  constructor(agenda: Agenda, link: Link, viewer: string) {
    this.#agenda = agenda;
    this.#link = link;
    this.#viewer = viewer;
    this.#rtt = 2 * link.spec.delayMs;
  }

  send(at: number, picture: Picture): void {
    const shown: ShownPicture = { at, key: picture.key, missing: 1, completeAt: at };
    this.pictures.push(shown);
    const waits = ((this.#written - this.#acked) * 8000) / Math.max(1, this.#rate(at) ?? Infinity);
    if (waits > longestHeldMs) this.#shedding = true;
    else if (picture.key) this.#shedding = false;
    if (this.#shedding) return;
    this.#written += Math.round(picture.bytes);
    this.#pending.push({ picture: shown, end: this.#written });
    this.#pump(at);
  }

  sample(at: number): SocketSample {
    const inSystem = Math.min(systemTakesBytes, this.#written - this.#acked);
    return {
      kind: 'socket',
      viewer: this.#viewer,
      at,
      queuedBytes: inSystem,
      unsentBytes: Math.max(0, inSystem - (this.#sent - this.#acked)),
      ackedBytes: this.#acked,
      heldBytes: this.#written - this.#acked - inSystem,
      rttMs: this.#rtt,
      minRttMs: 2 * this.#link.spec.delayMs,
      deliveryBps: this.#rate(at) ?? null,
    };
  }

  #rate(at: number): number | undefined {
    this.#deliveredAt = this.#deliveredAt.filter((point) => point.at > at - 500);
    const first = this.#deliveredAt[0];
    if (first === undefined || at - first.at < 50) return undefined;
    return ((this.#acked - first.acked) * 8000) / (at - first.at);
  }

  #pump(at: number): void {
    while (this.#sent < this.#written && this.#sent - this.#acked < this.#window * segmentBytes) {
      const bytes = Math.min(segmentBytes, this.#written - this.#sent);
      this.#sent += bytes;
      this.#sendSegment(at, at, bytes);
    }
  }

  #sendSegment(at: number, first: number, bytes: number): void {
    const backlog = this.#link.backlogMs(at);
    const { arrives } = this.#link.send(at, bytes + headerBytes);
    const { delayMs } = this.#link.spec;
    if (arrives === undefined)
      this.#agenda.enter(at + backlog + 2 * delayMs + 10, (then) => {
        this.#lost(then);
        this.#sendSegment(then, first, bytes);
      });
    else this.#agenda.enter(arrives + delayMs, (then) => this.#acknowledged(then, first, arrives, bytes));
  }

  #acknowledged(at: number, first: number, arrived: number, bytes: number): void {
    this.#deliveredAt.push({ at, acked: this.#acked });
    this.#acked += bytes;
    this.arrivals.at.push(arrived);
    this.arrivals.bytes.push(bytes + headerBytes);
    this.#rtt += (at - first - this.#rtt) / 8;
    // Only a window that is used grows.
    if (this.#sent < this.#written) this.#window += this.#window < this.#threshold ? 1 : 1 / this.#window;
    for (
      let head = this.#pending[0];
      head !== undefined && head.end <= this.#acked;
      head = this.#pending[0]
    ) {
      head.picture.missing = 0;
      head.picture.completeAt = arrived;
      this.#pending.shift();
    }
    this.#pump(at);
  }

  #lost(at: number): void {
    if (at < this.#recoverAt) return;
    this.#threshold = Math.max(2, this.#window / 2);
    this.#window = this.#threshold;
    this.#recoverAt = at + this.#rtt;
  }
}
