import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppStore } from '../../src/access/accounts.js';
import { registry, rules } from '../../src/observables/registry.js';
import { runSchedules } from '../../src/start/schedules.js';
import { systemActor } from '../../src/store/actor.js';
import { Store } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { admin } from '../support/people.js';

const root = systemActor();
let store: AppStore;
let journal: MemoryJournal;
let warnings: string[];
let stop: () => void;

/** A server whose clock starts at the time given. */
function startAt(time: string): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  vi.setSystemTime(new Date(time));
  journal = new MemoryJournal();
  store = new Store({ registry, rules, persistence: journal });
  warnings = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  stop = runSchedules(store, log);
}

beforeEach(() => {
  stop = () => undefined;
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** The times at which the schedule changed something. */
async function runsUntil(end: string): Promise<string[]> {
  const before = journal.commits.length;
  const minutes = (Date.parse(end) - Date.now()) / 60_000;
  const seen: string[] = [];
  let known = before;
  for (let minute = 0; minute < minutes; minute += 1) {
    await vi.advanceTimersByTimeAsync(60_000);
    await store.settle();
    for (const commit of journal.commits.slice(known))
      if (commit.via === 'schedule') seen.push(new Date().toISOString().slice(0, 16));
    known = journal.commits.length;
    // Whatever it set goes back, so that the next run is a change again.
    await store.transact(root, { lightIntensity: 100 });
    known = journal.commits.length;
  }
  return seen;
}

const dim = { enabled: true, set: { lightIntensity: 5 } };

describe('a schedule', () => {
  it('runs at its times in the server’s zone, in its own name', async () => {
    startAt('2026-06-01T00:00:00Z');
    await store.transact(root, {
      timezone: 'Europe/Berlin',
      schedules: { dim: { ...dim, cron: '30 6 * * *' } },
    });
    expect(await runsUntil('2026-06-02T06:00:00Z')).toEqual(['2026-06-01T04:30', '2026-06-02T04:30']);
    const commit = journal.commits.find(({ via }) => via === 'schedule');
    expect(commit).toMatchObject({ by: 'schedule dim', note: 'schedule dim', set: { lightIntensity: 5 } });
  });

  it('runs once on the day that has its hour twice, and once on the day that has it not at all', async () => {
    startAt('2026-10-24T22:00:00Z');
    await store.transact(root, {
      timezone: 'Europe/Berlin',
      schedules: { dim: { ...dim, cron: '30 2 * * *' } },
    });
    expect(await runsUntil('2026-10-25T12:00:00Z')).toHaveLength(1);
    stop();
    vi.useRealTimers();
    startAt('2026-03-28T22:00:00Z');
    await store.transact(root, {
      timezone: 'Europe/Berlin',
      schedules: { dim: { ...dim, cron: '30 2 * * *' } },
    });
    expect(await runsUntil('2026-03-29T12:00:00Z')).toHaveLength(1);
  });

  it('follows the zone and itself as they change', async () => {
    startAt('2026-06-01T00:00:00Z');
    await store.transact(root, { schedules: { dim: { ...dim, cron: '30 6 * * *' } } });
    await store.transact(root, { timezone: 'America/New_York' });
    expect(await runsUntil('2026-06-01T12:00:00Z')).toEqual(['2026-06-01T10:30']);
    await store.transact(root, { schedules: { dim: { ...dim, enabled: false, cron: '30 6 * * *' } } });
    expect(await runsUntil('2026-06-02T12:00:00Z')).toEqual([]);
  });

  it('puts a preset in force', async () => {
    startAt('2026-06-01T00:00:00Z');
    const night = { values: { lightIntensity: 7 }, created: 0, by: 'admin' };
    await store.transact(root, {
      presets: { night },
      schedules: { evening: { enabled: true, cron: '0 20 * * *', preset: 'night' } },
    });
    expect(await runsUntil('2026-06-01T21:00:00Z')).toEqual(['2026-06-01T20:00']);
  });

  it('says in the log what it could not do', async () => {
    startAt('2026-06-01T00:00:00Z');
    await store.transact(root, {
      schedules: {
        gone: { enabled: true, cron: '0 1 * * *', preset: 'nowhere' },
        wrong: { enabled: true, cron: '0 2 * * *', set: { lightIntensity: 500 } },
      },
    });
    expect(await runsUntil('2026-06-01T03:00:00Z')).toEqual([]);
    expect(warnings.join('')).toContain('names the preset nowhere, which is not there');
    expect(warnings.join('')).toContain('Value must be between 0 and 100');
  });

  it('gives nobody more rights: it cannot touch accounts, the network or the system', async () => {
    startAt('2026-06-01T00:00:00Z');
    await store.transact(root, {
      schedules: { sly: { enabled: true, cron: '0 1 * * *', set: { timezone: 'Asia/Tokyo' } } },
    });
    await runsUntil('2026-06-01T02:00:00Z');
    expect(store.get('timezone')).toBe('UTC');
    expect(warnings).toHaveLength(1);
  });
});

it.each([
  ['cron', { ...dim, cron: 'every morning' }],
  ['cron', { ...dim, cron: '61 * * * *' }],
  ['cron', { ...dim, cron: '*/5 * * * * *' }],
  ['needs a preset', { enabled: true, cron: '0 6 * * *' }],
])('is refused by name where %s is wrong', async (words, schedule) => {
  startAt('2026-06-01T00:00:00Z');
  const outcome = await store.transact(admin, { schedules: { dim: schedule } });
  expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid', key: 'schedules' } });
  expect(JSON.stringify(outcome)).toContain(words);
});
