import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registry, rules } from '../../src/observables/registry.js';
import { Locks } from '../../src/store/locks.js';
import { Store } from '../../src/store/store.js';
import { Trials } from '../../src/store/trials.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { systemActor } from '../../src/store/actor.js';
import { admin, operator } from '../support/people.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a lock', () => {
  it('keeps others out until its time is over, and its holder in', async () => {
    const store = new Store({ registry, rules });
    const told: object[] = [];
    const locks = new Locks({ publish: (held) => told.push(held) });
    store.addObstacle(locks.obstacle);
    const until = locks.lock(admin, ['gain'], 60, {});
    expect(await store.transact(operator, { gain: 1 })).toMatchObject({
      error: { code: 'conflict', message: `gain is locked by admin until ${new Date(until).toISOString()}` },
    });
    expect(await store.transact(admin, { gain: 1 })).toMatchObject({ ok: true });
    expect(() => locks.lock(operator, ['gain'], 1, {})).toThrow('locked by admin');
    vi.advanceTimersByTime(60_000);
    expect(told.at(-1)).toEqual({});
    expect(await store.transact(operator, { gain: 2 })).toMatchObject({ ok: true });
  });

  it('ends with what it belongs to, and not with anything else', async () => {
    const store = new Store({ registry, rules });
    const locks = new Locks();
    store.addObstacle(locks.obstacle);
    const [mine, other] = [{}, {}];
    locks.lock(admin, ['gain'], 60, mine);
    locks.releaseAll(other);
    expect(await store.transact(operator, { gain: 1 })).toMatchObject({ ok: false });
    locks.releaseAll(mine);
    expect(await store.transact(operator, { gain: 1 })).toMatchObject({ ok: true });
    locks.close();
  });
});

describe('a change on trial', () => {
  function parts(): {
    store: Store<typeof registry>;
    journal: MemoryJournal;
    trials: Trials;
    faults: string[];
  } {
    const journal = new MemoryJournal();
    const store = new Store({ registry, rules, persistence: journal });
    const faults: string[] = [];
    return { store, journal, faults, trials: new Trials(store, (message) => faults.push(message)) };
  }

  it('returns by itself, and is never saved meanwhile', async () => {
    const { store, journal, trials } = parts();
    const { outcome } = await trials.begin(admin, { httpPort: 9090 }, 60, {}, {});
    expect(outcome).toMatchObject({ ok: true });
    expect(store.get('httpPort')).toBe(9090);
    expect(journal.commits).toEqual([]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.get('httpPort')).toBe(8080);
  });

  it('stays once another connection has confirmed it, and is saved then', async () => {
    const { store, journal, trials } = parts();
    const [first, second] = [{}, {}];
    const { outcome } = await trials.begin(admin, { httpPort: 9090 }, 60, first, {});
    await expect(trials.confirm(admin, outcome.revision, first)).rejects.toThrow('another connection');
    expect(await trials.confirm(admin, outcome.revision, second)).toMatchObject({ ok: true });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(store.get('httpPort')).toBe(9090);
    expect(journal.commits).toMatchObject([{ set: { httpPort: 9090 }, was: { httpPort: 8080 } }]);
  });

  it('saves what people have made of it, and not what the adaptive loop has for a while', async () => {
    const { store, journal, trials } = parts();
    const loop = systemActor('adaptive', 'adaptive');
    const { outcome } = await trials.begin(admin, { streamBitrate: 3_000_000 }, 60, {}, {});
    await store.transact(loop, { streamBitrate: 6_000_000 }, { transient: true });
    await trials.confirm(admin, outcome.revision, {});
    expect(journal.commits).toMatchObject([{ set: { streamBitrate: 3_000_000 } }]);
    const again = await trials.begin(admin, { streamBitrate: 4_000_000 }, 60, {}, {});
    await store.transact(admin, { streamBitrate: 4_500_000 }, { transient: true });
    await store.transact(loop, { streamBitrate: 5_400_000 }, { transient: true });
    await trials.confirm(admin, again.outcome.revision, {});
    expect(journal.commits.at(-1)).toMatchObject({ set: { streamBitrate: 4_500_000 } });
  });

  it('that is refused leaves nothing to confirm', async () => {
    const { store, trials } = parts();
    const { outcome, confirmBefore } = await trials.begin(admin, { httpPort: 0 }, 60, {}, {});
    expect(outcome.ok).toBe(false);
    expect(confirmBefore).toBeUndefined();
    await expect(trials.confirm(admin, store.revision, {})).rejects.toThrow('No change of revision');
  });
});
