import { describe, expect, it } from 'vitest';
import type { ChannelReport } from '../../src/media/messages.js';
import { Total } from '../../src/start/total.js';
import { StreamMeter, type Figures, type Readout } from '../../src/start/streamMeter.js';

const quiet: ChannelReport = {
  ...{ producing: true, consumers: 1, frames: 0, bytes: 0, keyframes: 0, dropped: 0, changes: 0 },
  ...{ ageMs: 10, caps: '', bitrate: 0 },
};

type Watching = Readout['viewers'][number];

function viewer(id: string, bytes = 0, stream = 'stream1'): Watching {
  return { id, stream, bytes };
}

interface Scene {
  readonly viewers?: Watching[];
  readonly channels?: Record<string, Partial<ChannelReport>>;
  readonly restarts?: number;
  readonly lost?: Readout['lost'];
  readonly crashes?: number;
}

/** Reads a scene every second, the way the server does. */
class Seconds {
  readonly #meter = new StreamMeter();
  #at = 1_000_000;

  pass({ viewers = [], channels = {}, restarts = 0, lost = [], crashes = 0 }: Scene): Figures {
    this.#at += 1000;
    const pipeline = {
      ...{ name: 'encode/stream1', text: '', since: 0, restarts },
      state: 'running' as const,
    };
    const all = Object.entries(channels).map(([name, some]) => [name, { ...quiet, ...some }] as const);
    return this.#meter.read({
      ...{ at: this.#at, viewers, lost, crashes },
      report: { pipelines: [pipeline], channels: Object.fromEntries(all) },
    });
  }
}

describe('counters that may begin anew', () => {
  it('never make the sum go back', () => {
    const growth = new Total();
    expect(
      growth.take([
        ['a', 100],
        ['b', 5],
      ]),
    ).toBe(105);
    expect(growth.take([['a', 130]])).toBe(30);
    // It began anew, and `b` comes back as another one.
    expect(
      growth.take([
        ['a', 20],
        ['b', 5],
      ]),
    ).toBe(25);
    expect(growth.total).toBe(160);
  });
});

describe('the meter of the streams', () => {
  it('counts viewers of every kind, each with their stream', () => {
    const figures = new Seconds().pass({
      viewers: [viewer('a'), viewer('b', 0, 'stream2'), viewer('c', 0, 'pictures')],
    });
    expect(figures.clients).toBe(3);
    expect([figures.streams.stream1.viewers, figures.streams.stream2.viewers]).toEqual([1, 1]);
  });

  it('tells the rates of the last two seconds', () => {
    const seconds = new Seconds();
    let figures = seconds.pass({});
    for (let second = 1; second <= 4; second += 1)
      figures = seconds.pass({
        viewers: [viewer('a', second * 125_000)],
        channels: { stream1: { frames: second * 30, bytes: second * 250_000 } },
      });
    expect(figures.sentBps).toBe(1_000_000);
    expect(figures.streams.stream1).toEqual({ bitrate: 2_000_000, fps: 30, viewers: 1 });
    expect(figures.totalBytes).toBe(500_000);
  });

  it('keeps in the total what those who have gone had got', () => {
    const seconds = new Seconds();
    seconds.pass({ viewers: [viewer('a', 1000), viewer('b', 500)] });
    seconds.pass({ viewers: [viewer('c', 10)] });
    expect(seconds.pass({}).totalBytes).toBe(1510);
  });

  it('forgets drops and errors after a minute, but not in the totals', () => {
    const seconds = new Seconds();
    seconds.pass({});
    const trouble = { channels: { stream1: { dropped: 120 } }, restarts: 3, crashes: 1 };
    const after = seconds.pass(trouble);
    expect(after.recent).toEqual({ frameDrops: 120, errors: 4 });
    let figures = after;
    for (let second = 0; second < 60; second += 1) figures = seconds.pass(trouble);
    expect(figures.recent).toEqual({ frameDrops: 0, errors: 0 });
    expect([figures.totalDrops, figures.totalErrors]).toEqual([120, 4]);
  });

  it('counts what is left out for one viewer as dropped, but not against the health of the streams', () => {
    const seconds = new Seconds();
    seconds.pass({ viewers: [viewer('a'), { ...viewer('b'), framesDropped: 10 }] });
    seconds.pass({
      viewers: [
        { ...viewer('a'), framesDropped: 150 },
        { ...viewer('b'), framesDropped: 60 },
      ],
    });
    const figures = seconds.pass({ channels: { stream1: { dropped: 5 } } });
    expect(figures.totalDrops).toBe(215);
    expect(figures.recent.frameDrops).toBe(5);
  });

  it('takes no pictures that somebody passed over for dropped', () => {
    const seconds = new Seconds();
    expect(seconds.pass({ channels: { 'picture/a': { dropped: 500 } } }).totalDrops).toBe(0);
  });

  it('calls a stream stalled only while somebody watches it', () => {
    const silent = { channels: { stream1: { ageMs: 2500 } } };
    const seconds = new Seconds();
    expect(seconds.pass(silent).stalled).toEqual([]);
    // It may have been idle so far.
    for (let second = 0; second < 3; second += 1)
      expect(seconds.pass({ ...silent, viewers: [viewer('a')] }).stalled).toEqual([]);
    expect(seconds.pass({ ...silent, viewers: [viewer('a')] }).stalled).toEqual([
      'stream1 has stalled while 1 client watches: nothing has come for 2 seconds',
    ]);
  });

  it('is not deceived by the card that stands in for a camera', () => {
    const scene = {
      viewers: [viewer('a'), viewer('b')],
      channels: { stream1: {} },
      lost: [{ camera: 'primary', reason: 'no answer' }],
    };
    const seconds = new Seconds();
    for (let second = 0; second < 3; second += 1) seconds.pass(scene);
    expect(seconds.pass(scene).stalled).toEqual([
      'stream1 has stalled while 2 clients watch: the primary camera gives no picture (no answer)',
    ]);
  });
});
