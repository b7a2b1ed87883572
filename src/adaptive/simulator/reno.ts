// A TCP flow as Reno has it: as much as the window allows, one packet more in each round trip, half after a loss.
import type { Agenda } from './agenda.js';
import type { Link } from './link.js';

const segmentBytes = 1500;

export interface TcpFlow {
  readonly delivered: () => number;
}

/** Sends all it can between two moments, or so many bytes. */
export function renoFlow(
  agenda: Agenda,
  link: Link,
  spec: { readonly from: number; readonly until: number; readonly bytes?: number },
): TcpFlow {
  const { delayMs, queueMs } = link.spec;
  let window = 10;
  let threshold = Infinity;
  let inFlight = 0;
  let next = 0;
  let recovering = -1;
  let delivered = 0;
  const pump = (at: number): void => {
    while (
      inFlight < window &&
      at < spec.until &&
      delivered + inFlight * segmentBytes < (spec.bytes ?? Infinity)
    ) {
      const sequence = next;
      next += 1;
      inFlight += 1;
      const { arrives } = link.send(at, segmentBytes);
      if (arrives === undefined)
        agenda.enter(at + 2 * delayMs + Math.max(20, queueMs / 2), (then) => lost(then, sequence));
      else agenda.enter(arrives + delayMs, acknowledged);
    }
  };
  const acknowledged = (at: number): void => {
    inFlight -= 1;
    delivered += segmentBytes;
    window += window < threshold ? 1 : 1 / window;
    pump(at);
  };
  const lost = (at: number, sequence: number): void => {
    inFlight -= 1;
    if (sequence > recovering) {
      threshold = Math.max(2, window / 2);
      window = threshold;
      recovering = next;
    }
    pump(at);
  };
  agenda.enter(spec.from, pump);
  return { delivered: () => delivered };
}
