// What the state side costs, each figure beside a floor measured in the same run: a bare `ws` loop, bare fdatasync.
import { open } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { registry, rules } from '../src/observables/registry.js';
import type { RunningServer } from '../src/start/server.js';
import { systemActor } from '../src/store/actor.js';
import { Store } from '../src/store/store.js';
import { Crowd, hello, median, openLab, percentile, tell, tick } from './lab.js';

const ticks = 200;
const rounds = 3;

export async function benchState(): Promise<void> {
  const { server, folder, close } = await openLab();
  const bare = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(bare, 'listening');
  try {
    await fanOut(server, bare, 100);
    await fanOut(server, bare, 1000);
    await echo(server, bare);
    await durable(server, folder);
    memory();
  } finally {
    bare.close();
    for (const socket of bare.clients) socket.terminate();
    await close();
  }
}

/** (a) Updates that reach all watchers in a second; the bare loop sends the same bytes, one by one. */
async function fanOut(server: RunningServer, bare: WebSocketServer, count: number): Promise<void> {
  const stats = server.store.get('networkStats');
  const mine = new Crowd();
  await mine.ask({ kind: 'connect', count, ...hello(server, ['networkStats']) }, 'connected');
  const theirs = new Crowd();
  const url = `ws://127.0.0.1:${String((bare.address() as AddressInfo).port)}`;
  await theirs.ask({ kind: 'connect', url, count, hello: [] }, 'connected');

  const sample = `{"op":"change","revision":10000,"set":{"networkStats":${JSON.stringify({ ...stats, availableBandwidth: 10_000 })}},"by":"system"}`;
  const ratios: number[] = [];
  const joinedRatios: number[] = [];
  const rates: number[] = [];
  let serial = 10_000;
  for (let round = 0; round < rounds; round += 1) {
    const floor = await timed(theirs, `"last${String(round)}"`, async () => {
      for (let sent = 1; sent <= ticks; sent += 1) {
        const text = sent === ticks ? sample.replace('"system"', `"last${String(round)}"`) : sample;
        const bytes = Buffer.from(text);
        for (const socket of bare.clients) socket.send(bytes, { binary: false });
        await tick();
      }
    });
    const run = (perTick: number): Promise<number> => {
      const end = serial + ticks * perTick;
      return timed(mine, `"availableBandwidth":${String(end)},`, async () => {
        while (serial < end) {
          for (let each = 0; each < perTick; each += 1) {
            serial += 1;
            server.store.write({ networkStats: { ...stats, availableBandwidth: serial } });
          }
          await tick();
        }
      });
    };
    const single = await run(1);
    const joined = await run(16);
    rates.push((ticks * count) / single);
    ratios.push(floor / single);
    joinedRatios.push((floor * 16) / joined);
  }
  tell(
    `(a) ${String(count)} watchers, one change a tick: ${Math.round(median(rates)).toLocaleString('en')} updates/s, ${median(ratios).toFixed(2)} of the bare ws loop`,
  );
  tell(
    `(a) ${String(count)} watchers, 16 changes a tick: ${median(joinedRatios).toFixed(2)} of the bare ws loop that sends each`,
  );
  mine.end();
  theirs.end();
}

/** Seconds from the first byte until the last client has the last one. */
async function timed(crowd: Crowd, last: string, send: () => Promise<void>): Promise<number> {
  await crowd.ask({ kind: 'until', last }, 'connected');
  const reached = crowd.hear('reached');
  const began = performance.now();
  await send();
  await reached;
  return (performance.now() - began) / 1000;
}

/** (b) From one client's request to another client's screen; the bare loop hands the message on and saves nothing. */
async function echo(server: RunningServer, bare: WebSocketServer): Promise<void> {
  const hand = (socket: WebSocket): void => {
    socket.on('message', (data: Buffer) => {
      for (const other of bare.clients) other.send(data, { binary: false });
    });
  };
  bare.on('connection', hand);
  const rounds = 300;
  const ask = '{"id":7,"op":"set","set":{"streamBitrate":VALUE}}';
  const crowd = new Crowd();
  const mine = await crowd.ask(
    { kind: 'echo', ...hello(server, ['streamBitrate']), ask, rounds, sees: '"streamBitrate":VALUE' },
    'times',
  );
  const url = `ws://127.0.0.1:${String((bare.address() as AddressInfo).port)}`;
  const theirs = await crowd.ask(
    { kind: 'echo', url, hello: ['{}', '{}'], ask, rounds, sees: '"streamBitrate":VALUE' },
    'times',
  );
  crowd.end();
  bare.off('connection', hand);
  const text = (times: readonly number[]): string =>
    `p50 ${median(times).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms`;
  tell(`(b) set to another client's change, durable: ${text(mine.milliseconds)}`);
  tell(`(b) bare ws hand-over, nothing saved:        ${text(theirs.milliseconds)}`);
}

/** (c) Durable transactions in a second, beside appending the same bytes and waiting for the disk each time. */
async function durable({ store }: RunningServer, folder: string): Promise<void> {
  const actor = systemActor();
  let value = 1_000_000;
  const next = (): Promise<unknown> => store.transact(actor, { streamBitrate: (value += 1) });
  const perSecond = async (writers: number, each: number): Promise<number> => {
    const began = performance.now();
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (let count = 0; count < each; count += 1) await next();
      }),
    );
    return (writers * each) / ((performance.now() - began) / 1000);
  };
  const file = await open(join(folder, 'floor'), 'a');
  const line = `${'x'.repeat(180)}\n`;
  const floors: number[] = [];
  const alone: number[] = [];
  const crowd: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    for (let count = 0; count < 1000; count += 1) {
      await file.appendFile(line);
      await file.datasync();
    }
    floors.push(1000 / ((performance.now() - began) / 1000));
    alone.push(await perSecond(1, 1000));
    crowd.push(await perSecond(100, 50));
  }
  await file.close();
  const floor = median(floors);
  tell(`(c) append and fdatasync, bare:   ${Math.round(floor).toLocaleString('en')}/s`);
  tell(
    `(c) transactions, one writer:     ${Math.round(median(alone)).toLocaleString('en')}/s, ${(median(alone) / floor).toFixed(2)} of that`,
  );
  tell(
    `(c) transactions, 100 writers:    ${Math.round(median(crowd)).toLocaleString('en')}/s, ${(median(crowd) / floor).toFixed(2)} of that`,
  );
}

/** (d) What a store with all observables takes. */
function memory(): void {
  const collect = (globalThis as { readonly gc?: () => void }).gc;
  collect?.();
  const before = process.memoryUsage().heapUsed;
  const stores = Array.from({ length: 10 }, () => new Store({ registry, rules }));
  collect?.();
  const each = (process.memoryUsage().heapUsed - before) / stores.length;
  tell(
    `(d) a store with ${String(stores[0]?.cells.length ?? 0)} observables: ${(each / 1024).toFixed(0)} KB of heap`,
  );
}
