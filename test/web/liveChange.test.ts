import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveChange } from '../../src/web/liveChange.js';

interface Sent {
  readonly value: number;
  readonly ifRevision: number;
  readonly transient: boolean;
  readonly at: number;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that takes so long for each change and counts revisions; `refuse` makes it say no. */
function server(tookMs: number) {
  const began = Date.now();
  const sent: Sent[] = [];
  const refused: unknown[] = [];
  const state = { underWay: 0, most: 0, revision: 10, refuse: false };
  const live = new LiveChange<number>(
    state.revision,
    async (value, { ifRevision, transient }) => {
      sent.push({ value, ifRevision, transient, at: Date.now() - began });
      state.underWay += 1;
      state.most = Math.max(state.most, state.underWay);
      await new Promise((done) => setTimeout(done, tookMs));
      state.underWay -= 1;
      if (state.refuse) throw new Error('somebody was first');
      return (state.revision += 1);
    },
    (error) => refused.push(error),
  );
  return { live, sent, refused, state };
}

describe('a change that follows a hand', () => {
  it('is told twenty times a second, whatever the hand does, and the newest is told', async () => {
    const { live, sent } = server(5);
    for (let step = 0; step < 1000; step += 1) {
      live.show(step);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(sent.length).toBeGreaterThan(15);
    const pauses = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
    expect(sent.at(-1)?.value).toBeGreaterThan(900);
    expect(sent.every(({ transient }) => transient)).toBe(true);
  });

  it('waits for a slow server, one at a time, and leaves out what has passed', async () => {
    const { live, sent, state } = server(400);
    for (let step = 0; step < 1000; step += 1) {
      live.show(step);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(state.most).toBe(1);
    expect(sent.map(({ value }) => value)).toEqual([0, 399, 799]);
  });

  it('is kept after what is under way, once, on top of its own revisions', async () => {
    const { live, sent, state } = server(100);
    live.show(1);
    await vi.advanceTimersByTimeAsync(10);
    live.show(2);
    const kept = live.keep(3);
    live.show(4);
    await vi.runAllTimersAsync();
    expect(await kept).toBe(12);
    expect(sent).toMatchObject([
      { value: 1, transient: true, ifRevision: 10 },
      { value: 3, transient: false, ifRevision: 11 },
    ]);
    expect(state.most).toBe(1);
  });

  it('is forgotten without a word where nobody has seen it, and taken back where somebody has', async () => {
    const unseen = server(10);
    await unseen.live.forget(0);
    expect(unseen.sent).toEqual([]);
    const seen = server(10);
    seen.live.show(1);
    const forgotten = seen.live.forget(0);
    await vi.runAllTimersAsync();
    await forgotten;
    expect(seen.sent.map(({ value, transient }) => [value, transient])).toEqual([
      [1, true],
      [0, true],
    ]);
  });

  it('ends with the first refusal, which is told once', async () => {
    const { live, sent, refused, state } = server(10);
    state.refuse = true;
    live.show(1);
    await vi.advanceTimersByTimeAsync(20);
    live.show(2);
    await vi.runAllTimersAsync();
    expect(sent).toHaveLength(1);
    expect(refused).toHaveLength(1);
  });

  it('that is refused after the hand has let go is told with the last word', async () => {
    const { live, refused, state } = server(10);
    state.refuse = true;
    live.show(1);
    const kept = live.keep(2).catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await kept).toBeInstanceOf(Error);
    expect(refused).toEqual([]);
  });
});
