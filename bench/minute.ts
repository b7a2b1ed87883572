// A minute in a crowd: 1000 sockets watch 100 durable transactions a second, with and without one that reads nothing,
// beside a bare `ws` loop that sends the same bytes at the same pace and saves nothing.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { systemActor } from '../src/store/actor.js';
import { now } from './clock.js';
import type { CrowdReport } from './crowd.js';
import { Crowd, hello, openLab, tell } from './lab.js';

const watchers = 1000;
const perSecond = 100;
const seconds = 60;
const patienceMs = 10_000;
const last = '"availableBandwidth":4242,';

type Measured = Extract<CrowdReport, { kind: 'measured' }>;

export async function benchMinute(): Promise<void> {
  const { server, close } = await openLab();
  const bare = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(bare, 'listening');
  try {
    const url = `ws://127.0.0.1:${String((bare.address() as AddressInfo).port)}`;
    let bytes = 0;
    for (const stalled of [0, 1]) {
      const words = stalled === 0 ? 'all read' : 'one reads nothing';
      const theirs = await run({ url, hello: [] }, stalled, (stats, count) => {
        const text = JSON.stringify({
          op: 'change',
          revision: count,
          set: { networkStats: stats, streamBitrate: count },
          by: 'system',
        });
        for (const socket of bare.clients) socket.send(text);
        const waiting = [...bare.clients].map(({ bufferedAmount }) => bufferedAmount);
        bytes = Math.max(bytes, ...waiting);
      });
      tell(`bare ws loop, ${words}: ${text(theirs)}; most bytes waiting for one socket: ${String(bytes)}`);
      const actor = systemActor();
      const mine = await run(hello(server, ['networkStats', 'streamBitrate']), stalled, (stats, count) => {
        void server.store.transact(actor, { networkStats: stats, streamBitrate: 1_000_000 + count });
      });
      tell(`durable transactions, ${words}: ${text(mine)}`);
      tell(
        `  p50 ${(mine.p50 / theirs.p50).toFixed(2)} and p99 ${(mine.p99 / theirs.p99).toFixed(2)} of the bare loop; heap ${mine.heap}`,
      );
    }
  } finally {
    bare.close();
    for (const socket of bare.clients) socket.terminate();
    await close();
  }
}

interface Stats {
  readonly availableBandwidth: number;
  readonly packetLoss: number;
  readonly rtt: number;
  readonly jitter: number;
}

async function run(
  door: { readonly url: string; readonly hello: readonly string[] },
  stalled: number,
  send: (stats: Stats, count: number) => void,
): Promise<Measured & { readonly heap: string }> {
  const crowd = new Crowd();
  await crowd.ask({ kind: 'connect', count: watchers, ...door }, 'connected');
  await crowd.ask({ kind: 'measure', last, stalled }, 'connected');
  const measured = crowd.hear('measured');
  const before = heap();
  const began = performance.now();
  for (let count = 1; count <= seconds * perSecond; count += 1) {
    const end = count === seconds * perSecond;
    send({ availableBandwidth: end ? 4242 : count + 10_000, packetLoss: 0, rtt: now(), jitter: 0 }, count);
    const due = began + (count * 1000) / perSecond - performance.now();
    if (due > 0) await pause(due);
  }
  const result = await Promise.race([measured, pause(patienceMs)]);
  const answer = result ?? (await crowd.ask({ kind: 'missing' }, 'measured'));
  const after = heap();
  crowd.end();
  return { ...answer, heap: `${megabytes(before)} before, ${megabytes(after)} after` };
}

function heap(): number {
  (globalThis as { readonly gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

function text({ p50, p99, missed }: Measured): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${String(missed)} of ${String(watchers)} watchers without the last value`;
}
