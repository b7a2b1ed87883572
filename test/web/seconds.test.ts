import { describe, expect, it } from 'vitest';
import { csvOf } from '../../src/web/statistics/figuresCsv.js';
import { joinedDecisions, type Decision } from '../../src/web/statistics/decisions.js';
import {
  closest,
  drawn,
  filled,
  joined,
  secondOf,
  secondsOf,
  type Second,
} from '../../src/web/statistics/seconds.js';
import { summaryOf } from '../../src/web/statistics/summary.js';

function second(at: number, loss: number | null = 0): Second {
  return { at, figures: { loss } };
}

function timesOf(seconds: readonly Second[]): number[] {
  return seconds.map(({ at }) => at);
}

function decision(id: number, at: number, more: Partial<Decision> = {}): Decision {
  return {
    id,
    kind: 'bitrate',
    stream: 'stream1',
    at,
    until: at,
    from: 4,
    to: 2,
    reason: 'a queue',
    ...more,
  };
}

describe('the seconds of the charts', () => {
  it('are the same whether the server kept or told them', () => {
    const [kept] = secondsOf({ at: [5000], loss: [0.1], rtt: [20], available: [7], 'stream1.fps': [30] });
    expect(secondOf({ at: 5000, loss: 0.1, rtt: 20, available: 7, stream1: { fps: 30 } })).toEqual(kept);
    expect(kept?.figures).toEqual({ loss: 0.1, rtt: 20, available: 7, 'stream1.fps': 30 });
  });

  it('say nothing of ways that nobody knows', () => {
    const { figures } = secondOf({ at: 1, loss: 0, rtt: 0, jitter: 0, available: 0, drops: 0 });
    expect(figures).toEqual({ loss: null, rtt: null, jitter: null, available: null, drops: 0 });
    const heard = secondOf({ at: 1, loss: 0, rtt: 12, jitter: 0, available: 0 });
    expect(heard.figures).toEqual({ loss: 0, rtt: 12, jitter: 0, available: null });
  });

  it('reach back ten minutes, and are told once', () => {
    const all = filled([second(0), second(1000)], [second(1000, 0.5), second(2000)]);
    expect(timesOf(all)).toEqual([0, 1000, 2000]);
    expect(all[1]?.figures['loss']).toBe(0.5);
    expect(timesOf(joined(all, second(601_000)))).toEqual([1000, 2000, 601_000]);
    expect(timesOf(joined(all, second(2000)))).toEqual([0, 1000, 2000]);
  });

  it('keep what a server that was started anew does not know, and fill what the connection has swallowed', () => {
    expect(timesOf(filled([second(1000)], []))).toEqual([1000]);
    expect(timesOf(filled([second(1000), second(9000)], [second(7000), second(8000)]))).toEqual([
      1000, 7000, 8000, 9000,
    ]);
  });

  it('go on from where the clock of the server was set back to', () => {
    expect(timesOf(joined([second(1000), second(5000), second(6000)], second(4000)))).toEqual([1000, 4000]);
  });

  it('leave a gap where there was nothing, and none where one is late', () => {
    const [times, loss] = drawn([second(0, 0.1), second(2500, 0.2), second(9000, 0.3)], ['loss']);
    expect(times).toEqual([0, 2.5, 3.5, 9]);
    expect(loss).toEqual([0.1, 0.2, null, 0.3]);
    expect(drawn([second(0)], ['unheard'])).toEqual([[0], [null]]);
  });

  it('are found by the time that is closest', () => {
    const seconds = [second(0), second(1000), second(9000)];
    expect(closest(seconds, 1400)?.at).toBe(1000);
    expect(closest(seconds, 99_999)?.at).toBe(9000);
    expect(closest([], 0)).toBeUndefined();
  });
});

describe('a line in figures', () => {
  it('has its newest, lowest, mean and highest, as far as they are known', () => {
    expect(summaryOf([second(0, 3), second(1, null), second(2, 1), second(3, 2)], 'loss')).toEqual({
      ...{ now: 2, least: 1, mean: 2, most: 3 },
    });
    const nothing = { now: null, least: null, mean: null, most: null };
    expect(summaryOf([second(0, null)], 'loss')).toEqual(nothing);
    expect(summaryOf([], 'loss')).toEqual(nothing);
  });
});

describe('decisions', () => {
  it('that go on replace what they were, and old ones go', () => {
    const before = [decision(1, 0), decision(2, 500_000)];
    const all = joinedDecisions(before, [decision(2, 500_000, { until: 700_000, to: 1 })]);
    expect(all).toEqual([decision(2, 500_000, { until: 700_000, to: 1 })]);
    expect(joinedDecisions(before, [])).toBe(before);
  });

  it('of a server that was started anew do not replace those of before', () => {
    expect(joinedDecisions([decision(1, 1000)], [decision(1, 2000)])).toHaveLength(2);
  });
});

describe('the file', () => {
  it('has a line a second with what was decided in it, quoted where it must be', () => {
    const seconds = [second(0, 0.25), second(1000, null), second(2000)];
    const columns = [
      { figure: 'stream1.target', unit: 'bitrate' },
      { figure: 'loss', unit: 'share' },
      { figure: 'drops', unit: 'count' },
    ] as const;
    const csv = csvOf(columns, seconds, [
      decision(1, 1200, { reason: 'so it is, "quoted"' }),
      { id: 2, kind: 'viewer', stream: 'stream2', at: 1900, until: 1900, reason: 'a queue' },
    ]);
    const lines = csv.split('\r\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe('time,stream1.target (bit/s),loss (0..1),drops,decisions');
    expect(lines[1]).toBe('1970-01-01T00:00:00.000Z,,0.25,,');
    expect(lines[2]).toMatch(/^1970-01-01T00:00:01\.000Z,/);
    expect(lines[2]).toContain(`"stream1 4 to 2 bit/s: so it is, ""quoted""; stream2: a queue"`);
    expect(lines[3]?.endsWith(',')).toBe(true);
  });

  it('has no formulas, whatever is called so', () => {
    const csv = csvOf([], [second(0)], [decision(1, 0, { stream: '=cmd|calc', reason: 'asked' })]);
    expect(csv).toContain(",'=cmd|calc 4 to 2 bit/s: asked\r\n");
  });
});
