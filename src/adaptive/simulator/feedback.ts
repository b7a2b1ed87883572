// How samples come to be: what the viewer reports of a flow, made into samples as the media process does it.
import type { PacketTrain, ReportSample, TransportSample } from '../samples.js';
import type { MediaFlow } from './mediaFlow.js';

const trainMs = 5;

/** Transport-wide feedback: tells of packets once something later has arrived. */
export class TransportFeedback {
  readonly #viewer: string;
  readonly #flow: MediaFlow;
  /** The first packet that no feedback has covered. */
  #next = 0;
  /** Where the train begins that is not finished. */
  #trainFrom = 0;
  #unknownUntil = -1;

  constructor(viewer: string, flow: MediaFlow) {
    this.#viewer = viewer;
    this.#flow = flow;
  }

  /** What the viewer would report now: packets up to this number are known. Undefined where nothing new has arrived. */
  report(at: number): number | undefined {
    const { arrivedAt } = this.#flow;
    let known: number | undefined;
    for (let packet = this.#next; packet < arrivedAt.length; packet += 1) {
      const arrived = arrivedAt.at(packet);
      if (arrived > at) break;
      if (!Number.isNaN(arrived)) known = packet;
    }
    if (known !== undefined) this.#next = known + 1;
    return known;
  }

  /** A report that did not come: what it said is never known, which is not to say that it was lost. */
  miss(until: number): void {
    this.#unknownUntil = until;
  }

  receive(at: number, known: number): TransportSample {
    const { sentAt } = this.#flow;
    const trains: PacketTrain[] = [];
    for (let packet = this.#trainFrom + 1; packet <= known; packet += 1) {
      if (sentAt.at(packet) - sentAt.at(this.#trainFrom) < trainMs) continue;
      if (this.#trainFrom > this.#unknownUntil) trains.push(trainOf(this.#flow, this.#trainFrom, packet));
      this.#trainFrom = packet;
    }
    return { kind: 'transport', viewer: this.#viewer, at, trains, rttMs: at - sentAt.at(known) };
  }
}

function trainOf(flow: MediaFlow, from: number, until: number): PacketTrain {
  let packets = 0;
  let bytes = 0;
  let firstBytes = 0;
  let arrivedAt = 0;
  let arrivedUntil = 0;
  for (let packet = from; packet < until; packet += 1) {
    const arrived = flow.arrivedAt.at(packet);
    if (Number.isNaN(arrived)) continue;
    if (packets === 0) {
      arrivedAt = arrived;
      firstBytes = flow.bytes.at(packet);
    }
    arrivedUntil = arrived;
    packets += 1;
    bytes += flow.bytes.at(packet);
  }
  return {
    sentAt: flow.sentAt.at(from),
    sentUntil: flow.sentAt.at(until - 1),
    arrivedAt: quarter(arrivedAt),
    arrivedUntil: quarter(arrivedUntil),
    packets,
    lost: until - from - packets,
    bytes,
    firstBytes,
  };
}

/** The feedback counts in quarters of a millisecond. */
function quarter(ms: number): number {
  return Math.round(ms * 4) / 4;
}

export interface ReportSpec {
  /** By time, or by bytes that have arrived as ffmpeg does. */
  readonly everyMs?: number;
  readonly everyBytes?: number;
}

/** Receiver reports of RTCP. */
export class ReportFeedback {
  readonly #viewer: string;
  readonly #flow: MediaFlow;
  readonly #spec: ReportSpec;
  #next = 0;
  #arrived = 0;
  #expectedFrom = 0;
  #bytes = 0;
  #sentBytes = 0;
  #reportedAt = 0;
  #jitter = 0;
  #transit: number | undefined;

  constructor(viewer: string, flow: MediaFlow, spec: ReportSpec) {
    this.#viewer = viewer;
    this.#flow = flow;
    this.#spec = spec;
  }

  /** Looks at what has arrived; a report where one is due. */
  look(at: number): Omit<ReportSample, 'at'> | undefined {
    const { arrivedAt, sentAt, bytes } = this.#flow;
    for (; this.#next < arrivedAt.length; this.#next += 1) {
      const arrived = arrivedAt.at(this.#next);
      if (arrived > at || (Number.isNaN(arrived) && sentAt.at(this.#next) + 1000 > at)) break;
      this.#sentBytes += bytes.at(this.#next);
      if (Number.isNaN(arrived)) continue;
      this.#arrived += 1;
      this.#bytes += bytes.at(this.#next);
      const transit = arrived - sentAt.at(this.#next);
      this.#jitter += (Math.abs(transit - (this.#transit ?? transit)) - this.#jitter) / 16;
      this.#transit = transit;
    }
    const due =
      this.#spec.everyBytes === undefined
        ? at - this.#reportedAt >= (this.#spec.everyMs ?? 5000)
        : this.#bytes >= this.#spec.everyBytes;
    const expected = this.#next - this.#expectedFrom;
    if (!due || expected === 0) return undefined;
    const { delayMs } = this.#flow.link.spec;
    const report = {
      kind: 'report' as const,
      viewer: this.#viewer,
      loss: Math.floor((1 - this.#arrived / expected) * 256) / 256,
      jitterMs: this.#jitter,
      rttMs: 2 * delayMs + this.#flow.link.backlogMs(at),
      rttAgeMs: 500,
      sentBps: (this.#sentBytes * 8000) / Math.max(1, at - this.#reportedAt),
    };
    this.#expectedFrom = this.#next;
    this.#arrived = 0;
    this.#bytes = 0;
    this.#sentBytes = 0;
    this.#reportedAt = at;
    return report;
  }
}
