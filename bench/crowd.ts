// A process full of plain WebSocket clients: counts what arrives, so that server and clients do not share a core.
import { WebSocket } from 'ws';
import { now } from './clock.js';

export type CrowdOrder =
  | {
      readonly kind: 'connect';
      readonly url: string;
      readonly count: number;
      readonly hello: readonly string[];
    }
  | { readonly kind: 'until'; readonly last: string }
  /** Take the times from the moment that each message carries as `"rtt":` to its arrival, until the last one. */
  | { readonly kind: 'measure'; readonly last: string; readonly stalled: number }
  /** Ends a measurement whose last message did not come to all. */
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'echo';
      readonly url: string;
      readonly hello: readonly string[];
      readonly ask: string;
      readonly rounds: number;
      readonly sees: string;
    };

export type CrowdReport =
  | { readonly kind: 'connected' }
  | { readonly kind: 'reached'; readonly messages: number }
  | { readonly kind: 'measured'; readonly p50: number; readonly p99: number; readonly missed: number }
  | { readonly kind: 'times'; readonly milliseconds: readonly number[] };

const betweenAsksMs = 12;
const sockets: WebSocket[] = [];
let messages = 0;
let last = '';
let reached = 0;
let measuring:
  { readonly last: string; readonly waiting: Set<WebSocket>; readonly times: Histogram } | undefined;

/** Times of millions of messages in little space: how many took how many hundredths of a millisecond. */
class Histogram {
  readonly #counts = new Uint32Array(1_000_000);
  #total = 0;

  add(milliseconds: number): void {
    const place = Math.min(this.#counts.length - 1, Math.max(0, Math.round(milliseconds * 100)));
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#total += 1;
  }

  at(share: number): number {
    let seen = 0;
    for (const [place, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= this.#total * share) return place / 100;
    }
    return Number.NaN;
  }
}

function measure(socket: WebSocket, data: Buffer): void {
  if (measuring === undefined) return;
  const text = data.toString('latin1');
  const at = text.indexOf('"rtt":');
  if (at >= 0) measuring.times.add(now() - Number.parseFloat(text.slice(at + 6, at + 32)));
  if (!text.includes(measuring.last)) return;
  measuring.waiting.delete(socket);
  if (measuring.waiting.size > 0) return;
  const { times } = measuring;
  measuring = undefined;
  report({ kind: 'measured', p50: times.at(0.5), p99: times.at(0.99), missed: 0 });
}

function report(message: CrowdReport): void {
  process.send?.(message);
}

async function open(url: string, hello: readonly string[]): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  for (const message of hello) {
    const answered = new Promise((resolve) => socket.once('message', resolve));
    socket.send(message);
    await answered;
  }
  return socket;
}

process.on('message', (order: CrowdOrder) => {
  void obey(order);
});

async function obey(order: CrowdOrder): Promise<void> {
  switch (order.kind) {
    case 'connect':
      for (let index = 0; index < order.count; index += 1) {
        const socket = await open(order.url, order.hello);
        socket.on('message', (data: Buffer) => {
          messages += 1;
          measure(socket, data);
          if (last !== '' && data.includes(last)) {
            reached += 1;
            if (reached === sockets.length) report({ kind: 'reached', messages });
          }
        });
        sockets.push(socket);
      }
      report({ kind: 'connected' });
      break;
    case 'until':
      messages = 0;
      reached = 0;
      last = order.last;
      report({ kind: 'connected' });
      break;
    case 'measure': {
      const readers = sockets.slice(order.stalled);
      for (const socket of sockets.slice(0, order.stalled)) socket.pause();
      measuring = { last: order.last, waiting: new Set(readers), times: new Histogram() };
      report({ kind: 'connected' });
      break;
    }
    case 'missing':
      report({ kind: 'measured', p50: Number.NaN, p99: Number.NaN, missed: measuring?.waiting.size ?? 0 });
      measuring = undefined;
      break;
    case 'echo': {
      const [asker, seer] = [
        await open(order.url, order.hello.slice(0, 1)),
        await open(order.url, order.hello),
      ];
      const milliseconds: number[] = [];
      for (let round = 0; round < order.rounds; round += 1) {
        const value = String(1_000_000 + round);
        const seen = new Promise<void>((resolve) => {
          const look = (data: Buffer): void => {
            if (!data.includes(order.sees.replace('VALUE', value))) return;
            seer.off('message', look);
            resolve();
          };
          seer.on('message', look);
        });
        const began = performance.now();
        asker.send(order.ask.replaceAll('VALUE', value));
        await seen;
        milliseconds.push(performance.now() - began);
        // Below the hundred messages a second that one socket may send.
        await new Promise((resolve) => setTimeout(resolve, betweenAsksMs));
      }
      asker.terminate();
      seer.terminate();
      report({ kind: 'times', milliseconds });
      break;
    }
  }
}
