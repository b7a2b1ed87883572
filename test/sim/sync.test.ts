// Readers on simulated networks against a history of every revision: whatever a reader has been sent must be exactly
// what it could have read at the revision its last message names.
import { Type } from '@sinclair/typebox';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Sync } from '../../src/api/sync/sync.js';
import { v2Dialect } from '../../src/api/sync/dialect.js';
import type { Reader, Transport } from '../../src/api/sync/reader.js';
import { defineObservable } from '../../src/observables/define.js';
import { everythingMask, maskOf, type Permission } from '../../src/observables/permissions.js';
import { buildCells, type Cell } from '../../src/store/cell.js';
import { StatusBoard } from '../../src/store/status.js';
import { isReadable, type Commit } from '../../src/store/store.js';
import { admin } from '../support/people.js';

const needs: readonly Permission[] = ['User_r', 'User_rw'];
const masks = [everythingMask, maskOf(['User_r']), maskOf(['User_rw'])];

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function makeCells(): Cell[] {
  const definitions = Array.from({ length: 12 }, (_, index) => {
    const need = needs[index % 2];
    if (need === undefined) throw new Error('no need');
    return defineObservable(`key${String(index)}`, {
      schema: Type.String(),
      title: 'A key',
      description: 'A key of the simulation.',
      default: '',
      read: [need],
      write: [need],
      save: false,
      effect: 'none',
    });
  });
  return buildCells(Object.fromEntries(definitions.map((definition) => [definition.key, definition])));
}

interface Change {
  readonly revision: number;
  readonly set: Readonly<Record<string, string>>;
  readonly gone?: readonly string[];
}

class World {
  checks = 0;
  readonly cells = makeCells();
  readonly #commits = new Subject<Commit>();
  readonly store = { cells: this.cells, revision: 0, commits$: this.#commits, statuses: new StatusBoard() };
  readonly sync = new Sync(this.store);
  readonly history: ReadonlyMap<string, string>[] = [this.now()];

  now(): Map<string, string> {
    return new Map(this.cells.map(({ key, value }) => [key, String(value)]));
  }

  commit(changed: readonly Cell[], padding: number): void {
    this.store.revision += 1;
    for (const cell of changed) {
      cell.value = `${String(this.store.revision)}${'x'.repeat(padding)}`;
      cell.revision = this.store.revision;
    }
    this.history.push(this.now());
    this.#commits.next({ revision: this.store.revision, at: 0, actor: admin, changed });
  }
}

class Client {
  readonly held = new Map<string, string>();
  mask: number;
  revision = -1;
  pings: string[] = [];
  unproven = 0;
  reader: Reader;
  readonly #world: World;

  constructor(world: World, mask: number) {
    this.#world = world;
    this.mask = mask;
    this.reader = this.connect();
  }

  connect(): Reader {
    const { sync, store } = this.#world;
    this.pings = [];
    this.unproven = 0;
    const transport: Transport = {
      send: (data) => {
        this.unproven += data.length;
        this.#receive(JSON.parse(data.toString()) as Change);
      },
      ping: (mark) => {
        this.pings.push(mark);
      },
      bufferedAmount: 0,
    };
    const reader = sync.join({ transport, dialect: v2Dialect, mask: this.mask, watches: () => true });
    for (const cell of sync.visible(reader, this.revision)) this.held.set(cell.key, String(cell.value));
    this.revision = store.revision;
    this.#check();
    this.reader = reader;
    return reader;
  }

  pong(): void {
    const mark = this.pings.shift();
    if (mark === undefined) return;
    this.unproven = 0;
    this.#world.sync.arrived(this.reader, mark);
  }

  #receive({ revision, set, gone = [] }: Change): void {
    expect(revision).toBeGreaterThanOrEqual(this.revision);
    this.revision = revision;
    for (const key of gone) this.held.delete(key);
    for (const [key, value] of Object.entries(set)) this.held.set(key, value);
    this.#check();
  }

  /** Plain comparisons, for there are millions of them. */
  #check(): void {
    const then = this.#world.history[this.revision];
    for (const cell of this.#world.cells) {
      const expected = isReadable(cell, this) ? then?.get(cell.key) : undefined;
      this.#world.checks += 1;
      if (this.held.get(cell.key) !== expected)
        throw new Error(`${cell.key} is not what it was at revision ${String(this.revision)}`);
    }
  }
}

function simulate(seed: number): World {
  const random = seeded(seed);
  const world = new World();
  const clients = Array.from({ length: 6 }, (_, index) => new Client(world, masks[index % 3] ?? 0));
  for (let step = 0; step < 1500; step += 1) {
    const client = clients[random(clients.length)];
    if (client === undefined) continue;
    const what = random(100);
    if (what < 55) {
      const changed = world.cells.filter(() => random(4) === 0);
      if (changed.length > 0) world.commit(changed, random(3) === 0 ? 6000 : 0);
    } else if (what < 75) world.sync.flush();
    else if (what < 92) client.pong();
    else if (what < 96) {
      world.sync.leave(client.reader);
      client.connect();
    } else {
      world.sync.flush();
      // A reader that cannot be told at once still holds what its old rights allowed; such ones keep their rights here.
      if (client.reader.behindSince !== undefined || client.reader.isFull) continue;
      const mask = masks[random(masks.length)] ?? 0;
      world.sync.move(client.reader, mask, () => true);
      client.mask = mask;
      world.sync.flush();
    }
  }
  world.sync.flush();
  for (const client of clients) while (client.pings.length > 0) client.pong();
  world.sync.flush();
  for (const client of clients) {
    expect(client.reader.behindSince).toBeUndefined();
    const readable = world.cells.filter((cell) => isReadable(cell, client));
    expect(client.held).toEqual(new Map(readable.map(({ key, value }) => [key, value])));
  }
  world.sync.close();
  return world;
}

describe('readers on good, bad and broken networks', () => {
  it('hold at every message exactly what could be read at its revision, and in the end everything', () => {
    let checks = 0;
    for (let seed = 1; seed <= 20; seed += 1) checks += simulate(seed).checks;
    expect(checks).toBeGreaterThan(100_000);
  });

  it('go the same way whenever the seed is the same', () => {
    expect(simulate(7).checks).toBe(simulate(7).checks);
  });

  it('are never sent a value that was withdrawn while they were behind', () => {
    const world = new World();
    const client = new Client(world, everythingMask);
    for (let round = 0; round < 4; round += 1) {
      world.commit(world.cells, 6000);
      world.sync.flush();
    }
    expect(client.reader.behindSince).toBeDefined();
    client.mask = maskOf(['User_r']);
    world.sync.move(client.reader, client.mask, () => true);
    world.sync.flush();
    client.pong();
    expect([...client.held.keys()].toSorted()).toEqual(['key0', 'key10', 'key2', 'key4', 'key6', 'key8']);
    world.sync.close();
  });
});
