// The pictures that one viewer gets over UDP: their packets, what becomes of each, retransmission, and when each picture is
// whole.
import type { Agenda } from './agenda.js';
import { Column } from './columns.js';
import type { Picture } from './encoder.js';
import type { Link } from './link.js';

const payloadBytes = 1200;
const headerBytes = 40;
/** Between packets of a picture, as the own network interface sends them. */
const packetGapMs = 0.01;
const nackMs = 10;

export interface MediaFlowSpec {
  /** How old a picture may be when a lost packet comes after all; it is not asked for where it would come later. */
  readonly repeatsForMs: number;
  /** Called when a packet is given up, at the time when the sender hears of it. */
  readonly onGivenUp: (at: number) => void;
}

/** A packet by its number, in the order of sending. */
export class MediaFlow {
  readonly sentAt = new Column();
  /** NaN for lost. */
  readonly arrivedAt = new Column();
  readonly bytes = new Column();
  /** NaN for dropped. */
  readonly waited = new Column();
  readonly pictures: ShownPicture[] = [];
  readonly link: Link;
  readonly #agenda: Agenda;
  readonly #spec: MediaFlowSpec;

  constructor(agenda: Agenda, link: Link, spec: MediaFlowSpec) {
    this.#agenda = agenda;
    this.link = link;
    this.#spec = spec;
  }

  send(at: number, picture: Picture): void {
    const shown: ShownPicture = { at, key: picture.key, missing: 0, completeAt: at };
    this.pictures.push(shown);
    let time = at;
    for (let left = picture.bytes; left > 0; left -= payloadBytes) {
      shown.missing += 1;
      this.#sendPacket(time, Math.round(Math.min(payloadBytes, left)) + headerBytes, shown);
      time += packetGapMs;
    }
  }

  #sendPacket(at: number, bytes: number, picture: ShownPicture): void {
    const backlog = this.link.backlogMs(at);
    const { arrives, waited } = this.link.send(at, bytes);
    this.sentAt.push(at);
    this.bytes.push(bytes);
    this.arrivedAt.push(arrives ?? Number.NaN);
    this.waited.push(waited ?? Number.NaN);
    if (arrives !== undefined) {
      picture.missing -= 1;
      picture.completeAt = Math.max(picture.completeAt, arrives);
      return;
    }
    // The viewer sees the gap when what was sent next arrives.
    const asked = at + backlog + 2 * this.link.spec.delayMs + nackMs;
    this.#agenda.enter(asked, (then) => {
      const comes = then + 2 * this.link.spec.delayMs + this.link.backlogMs(then);
      if (comes - picture.at < this.#spec.repeatsForMs) this.#sendPacket(then, bytes, picture);
      else this.#spec.onGivenUp(then);
    });
  }
}

export interface ShownPicture {
  readonly at: number;
  readonly key: boolean;
  /** Packets that have not arrived. */
  missing: number;
  completeAt: number;
}
