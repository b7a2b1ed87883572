import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registry, rules } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { Drags } from '../../src/store/drags.js';
import { Store } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { admin, operator, viewer } from '../support/people.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const shown = { transient: true } as const;
const [mine, other] = [{}, {}];

function parts() {
  const journal = new MemoryJournal();
  const store = new Store({ registry, rules, persistence: journal });
  const faults: string[] = [];
  return { store, journal, faults, drags: new Drags(store, (message) => faults.push(message)) };
}

describe('what is left in the middle of a drag', () => {
  it('is kept as it was left when its connection ends, as one change from before the drag', async () => {
    const { store, journal, drags } = parts();
    for (const gain of [1, 2, 3]) await drags.submit(operator, { gain }, shown, mine);
    await drags.leave(other);
    expect(journal.commits).toEqual([]);
    await drags.leave(mine);
    expect(journal.commits).toMatchObject([
      { by: 'operator', set: { gain: 3 }, was: { gain: 50 }, note: 'left in the middle' },
    ]);
    expect(store.cell('gain')?.durable).toBeUndefined();
  });

  it('is kept after a minute without another step', async () => {
    const { journal, drags } = parts();
    await drags.submit(operator, { gain: 1 }, shown, mine);
    await vi.advanceTimersByTimeAsync(50_000);
    await drags.submit(operator, { gain: 2 }, shown, mine);
    await vi.advanceTimersByTimeAsync(50_000);
    expect(journal.commits).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(journal.commits).toMatchObject([{ by: 'operator', set: { gain: 2 } }]);
  });

  it('is nothing where it was let go of, taken back, or taken over', async () => {
    const { store, journal, drags } = parts();
    await drags.submit(operator, { gain: 1 }, shown, mine);
    await drags.submit(operator, { gain: 2 }, {}, mine);
    await drags.submit(operator, { hue: 5 }, shown, mine);
    await drags.submit(operator, { hue: 0 }, shown, mine);
    await drags.submit(operator, { streamBitrate: 3_000_000 }, shown, mine);
    await store.transact(systemActor('adaptive', 'adaptive'), { streamBitrate: 2_000_000 }, shown);
    expect(journal.commits).toHaveLength(1);
    await drags.leave(mine);
    await drags.close();
    expect(journal.commits).toHaveLength(1);
  });

  it('returns where they may not change it any more', async () => {
    const { store, journal, drags, faults } = parts();
    const demoted = { ...operator, mask: operator.mask };
    await drags.submit(demoted, { gain: 7 }, shown, mine);
    demoted.mask = viewer.mask;
    await drags.leave(mine);
    expect(store.get('gain')).toBe(50);
    expect(journal.commits.filter(({ set }) => set?.['gain'] !== 50)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('is kept at the stop, under the name of whoever left it', async () => {
    const { journal, drags } = parts();
    await drags.submit(admin, { gain: 4 }, shown, mine);
    await drags.close();
    expect(journal.commits).toMatchObject([{ by: 'admin', set: { gain: 4 } }]);
  });

  it('was refused is nothing to keep', async () => {
    const { journal, drags } = parts();
    expect(await drags.submit(viewer, { gain: 4 }, shown, mine)).toMatchObject({ ok: false });
    expect(await drags.submit(operator, { gain: 4 }, { ...shown, dryRun: true }, mine)).toMatchObject({
      ok: true,
    });
    await drags.leave(mine);
    expect(journal.commits).toEqual([]);
  });
});
