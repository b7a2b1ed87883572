import { describe, expect, it } from 'vitest';
import type { Rung, StreamWish } from '../../src/adaptive/decisions.js';
import { climb, topOfLadder } from '../../src/adaptive/ladder.js';

const fullHd: StreamWish = { bitrate: 8_000_000, width: 1920, height: 1080, framerate: 30 };

interface Changed {
  readonly second: number;
  readonly rung: Rung;
}

/** The rungs for a course of targets, one a second, and when each began. */
function climbed(targets: readonly number[], wish = fullHd, resizes = true): readonly Changed[] {
  const changes: Changed[] = [];
  let state = topOfLadder;
  for (const [second, target] of targets.entries()) {
    const next = climb(state, { at: second * 1000, target, wish, resizes });
    if (next.rung !== state.rung) changes.push({ second, rung: next.rung });
    state = next;
  }
  return changes;
}

const during = (seconds: number, target: number): readonly number[] =>
  Array.from({ length: seconds }, () => target);

describe('the ladder', () => {
  it('stays on top while bits suffice, and does not mind a short dip', () => {
    expect(climbed(during(60, 2_100_000))).toEqual([]);
    expect(climbed([...during(10, 4_000_000), 500_000, ...during(10, 4_000_000)])).toEqual([]);
  });

  it('goes down to what fits after two seconds, at once where that is far', () => {
    expect(climbed(during(10, 1_500_000))).toEqual([{ second: 2, rung: { height: 720, framerate: null } }]);
    expect(climbed(during(10, 200_000))).toEqual([{ second: 2, rung: { height: 360, framerate: 10 } }]);
  });

  it('comes up late, step by step, and only where there is more than enough', () => {
    const changes = climbed([...during(10, 200_000), ...during(90, 8_000_000)]);
    const seconds = changes.map(({ second }) => second);
    expect(changes.at(-1)?.rung).toEqual({ height: null, framerate: null });
    expect(changes.length).toBeGreaterThan(3);
    for (const [index, second] of seconds.entries())
      if (index > 0) expect(second - (seconds[index - 1] ?? 0)).toBeGreaterThanOrEqual(10);
    // Just what the rung above needs keeps nobody there.
    expect(climbed([...during(10, 1_500_000), ...during(60, 2_600_000)])).toHaveLength(1);
  });

  it('lowers the frame rate first where it is high', () => {
    const wish = { ...fullHd, framerate: 60 };
    expect(climbed(during(10, 2_500_000), wish)[0]?.rung).toEqual({ height: null, framerate: 30 });
  });

  it('leaves the size alone where viewers could not follow', () => {
    const changes = climbed(during(30, 300_000), fullHd, false);
    expect(changes.map(({ rung }) => rung.height)).toEqual([null]);
    expect(changes[0]?.rung.framerate).toBe(10);
  });

  it('gives the size back at once when somebody comes who could not follow', () => {
    let state = topOfLadder;
    for (let at = 0; at <= 3000; at += 1000)
      state = climb(state, { at, target: 1_500_000, wish: fullHd, resizes: true });
    expect(state.rung.height).toBe(720);
    state = climb(state, { at: 4000, target: 1_500_000, wish: fullHd, resizes: false });
    expect(state.rung.height).toBeNull();
  });
});
