// The fan-out alone, with sockets made by hand: what is sent to whom, once, and what a pong proves.
import { afterEach, describe, expect, it } from 'vitest';
import { v2Dialect } from '../../../src/api/sync/dialect.js';
import type { Transport } from '../../../src/api/sync/reader.js';
import { Sync } from '../../../src/api/sync/sync.js';
import { registry, rules, type AppRegistry } from '../../../src/observables/registry.js';
import { maskOf } from '../../../src/observables/permissions.js';
import { systemActor } from '../../../src/store/actor.js';
import { Store } from '../../../src/store/store.js';
import { MemoryJournal } from '../../support/MemoryJournal.js';
import { admin, person } from '../../support/people.js';

interface Heard {
  readonly revision: number;
  readonly set: Readonly<Record<string, unknown>>;
  readonly by?: string;
  readonly gone?: readonly string[];
}

class Line implements Transport {
  readonly heard: Heard[] = [];
  readonly pings: string[] = [];
  bufferedAmount = 0;

  send(data: Buffer): void {
    this.heard.push(JSON.parse(data.toString()) as Heard);
  }

  ping(mark: string): void {
    this.pings.push(mark);
  }
}

const opened: Sync[] = [];
afterEach(() => {
  for (const sync of opened.splice(0)) sync.close();
});

function makeWorld(): { store: Store<AppRegistry>; sync: Sync } {
  const store = new Store({ registry, rules, persistence: new MemoryJournal() });
  const sync = new Sync(store);
  opened.push(sync);
  return { store, sync };
}

const everything = { dialect: v2Dialect, mask: admin.mask, watches: () => true };
const filler = 'x'.repeat(120);
/** A value of some kilobytes, so that a few of them fill the window. */
const bulky = (count: number): { adaptiveState: AppRegistry['adaptiveState']['default'] } => ({
  adaptiveState: {
    active: true,
    streams: {},
    viewers: Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`viewer${String(index)}`, { target: count, reason: filler }]),
    ),
  },
});

describe('a new reader', () => {
  it('is not told again what its own picture already showed', async () => {
    const { store, sync } = makeWorld();
    await store.transact(admin, { streamBitrate: 5_000_000 });
    // The change is committed but has not been sent to anybody yet.
    const line = new Line();
    const reader = sync.join({ ...everything, transport: line });
    const picture = sync.visible(reader).find(({ key }) => key === 'streamBitrate');
    expect(picture?.value).toBe(5_000_000);
    sync.flush();
    expect(line.heard).toEqual([]);
    await store.transact(admin, { streamBitrate: 6_000_000 });
    sync.flush();
    expect(line.heard).toMatchObject([{ set: { streamBitrate: 6_000_000 } }]);
  });

  it('that asks for what it missed is sent that and nothing twice', async () => {
    const { store, sync } = makeWorld();
    const since = store.revision;
    await store.transact(admin, { streamBitrate: 5_000_000 });
    await store.transact(admin, { streamBitrate: 6_000_000, hue: 10 });
    const line = new Line();
    sync.join({ ...everything, transport: line, since });
    sync.flush();
    expect(line.heard).toHaveLength(1);
    expect(line.heard[0]?.set).toMatchObject({ streamBitrate: 6_000_000, hue: 10 });
    sync.flush();
    expect(line.heard).toHaveLength(1);
  });

  it('is told who changes things only where it may know accounts, and nobody without a name', async () => {
    const { store, sync } = makeWorld();
    const [all, few] = [new Line(), new Line()];
    sync.join({ ...everything, transport: all });
    sync.join({ ...everything, mask: maskOf(['Media_r']), transport: few });
    await store.transact(admin, { streamBitrate: 5_000_000 });
    sync.flush();
    expect(all.heard.at(-1)).toMatchObject({ by: 'admin' });
    expect(few.heard.at(-1)).not.toHaveProperty('by');
    await store.transact(person('', ['Media_r', 'Media_rw']), { streamBitrate: 6_000_000 });
    sync.flush();
    expect(all.heard.at(-1)).not.toHaveProperty('by');
  });
});

describe('a reader that does not keep up', () => {
  function stall(): ReturnType<typeof makeWorld> & { line: Line; reader: ReturnType<Sync['join']> } {
    const { store, sync } = makeWorld();
    const line = new Line();
    const reader = sync.join({ ...everything, transport: line });
    for (let count = 1; reader.behindSince === undefined; count += 1) {
      expect(count).toBeLessThan(100);
      store.write(bulky(count));
      sync.flush();
    }
    return { store, sync, line, reader };
  }

  it('is sent no more until the pong to the ping that followed its messages', () => {
    const { store, sync, line, reader } = stall();
    const sent = line.heard.length;
    for (const mark of ['', '0', 'heartbeat', `${line.pings[0] ?? ''}0`]) {
      sync.arrived(reader, mark);
      store.write(bulky(1000));
      sync.flush();
    }
    expect(line.heard).toHaveLength(sent);
    expect(sync.behind).toBe(1);
    sync.arrived(reader, line.pings[0] ?? '');
    expect(line.heard.length).toBeGreaterThan(sent);
  });

  it('is owed keys, not messages: one with the newest value of each, under the newest revision', async () => {
    const { store, sync, line, reader } = stall();
    const sent = line.heard.length;
    for (let value = 0; value < 500; value += 1) {
      await store.transact(systemActor(), { streamBitrate: 1_000_000 + value, hue: value % 180 });
      sync.flush();
    }
    expect(reader.dirty.size).toBeLessThan(10);
    await store.transact(admin, { gain: 3 });
    // The last change is committed and not flushed when the sign comes.
    sync.arrived(reader, line.pings[0] ?? '');
    const [late, ...more] = line.heard.slice(sent);
    expect(late).toMatchObject({
      revision: store.revision,
      set: { streamBitrate: 1_000_499, hue: 499 % 180, gain: 3 },
    });
    sync.flush();
    expect(more).toEqual([]);
    expect(line.heard).toHaveLength(sent + 1);
  });

  it('hears of a key again whose loss it was never told of', async () => {
    const { store, sync, line, reader } = stall();
    await store.transact(admin, { streamBitrate: 5_000_000 });
    sync.flush();
    sync.move(reader, maskOf(['System_r']), () => true);
    sync.move(reader, admin.mask, () => true, 'quietly');
    sync.arrived(reader, line.pings[0] ?? '');
    expect(line.heard.at(-1)?.set).toMatchObject({ streamBitrate: 5_000_000 });
    expect(line.heard.at(-1)).not.toHaveProperty('gone');
  });

  it('does not hold up the others', () => {
    const { store, sync, line } = stall();
    const other = new Line();
    sync.join({ ...everything, transport: other });
    const sent = line.heard.length;
    for (let count = 0; count < 50; count += 1) {
      store.write({ networkStats: { availableBandwidth: count + 1, packetLoss: 0, rtt: 0, jitter: 0 } });
      sync.flush();
    }
    expect(other.heard).toHaveLength(50);
    expect(line.heard).toHaveLength(sent);
  });
});
