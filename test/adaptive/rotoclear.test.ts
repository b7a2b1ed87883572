import { describe, expect, it } from 'vitest';
import { rotoclear, rotoclearStep, type RotoclearInput } from '../../src/adaptive/rotoclear.js';

const unknown = Number.NaN;

describe('the law of the reference', () => {
  it.each([
    { current: 8_000_000, packetLoss: 0.06, availableBandwidth: unknown, next: 6_400_000 },
    { current: 8_000_000, packetLoss: 0.05, availableBandwidth: 12_000_000, next: 8_000_000 },
    { current: 8_000_000, packetLoss: 0, availableBandwidth: 12_000_001, next: 9_600_000 },
    { current: 11_000_000, packetLoss: 0, availableBandwidth: 20_000_000, next: 12_000_000 },
    // What it calls an increase lowers what is above its own limit.
    { current: 13_000_000, packetLoss: 0, availableBandwidth: 20_000_000, next: 12_000_000 },
    // It has no floor.
    { current: 1, packetLoss: 0.06, availableBandwidth: unknown, next: 0 },
    { current: 3, packetLoss: 0, availableBandwidth: 5, next: 3 },
  ])('makes $next of $current', ({ current, packetLoss, availableBandwidth, next }) => {
    expect(rotoclearStep(current, { packetLoss, availableBandwidth })).toBe(next);
  });
});

describe('the law once a second', () => {
  const input: RotoclearInput = {
    ...{ at: 0, wish: 4_000_000, min: 500_000, max: 12_000_000 },
    ...{ packetLoss: 0, availableBandwidth: 20_000_000 },
  };

  it('waits for its second, and then follows the law', () => {
    const first = rotoclear(undefined, input);
    expect(first.current).toBe(4_000_000);
    const early = rotoclear(first, { ...input, at: 999 });
    expect(early.current).toBe(4_000_000);
    expect(rotoclear(early, { ...input, at: 1000 }).current).toBe(4_800_000);
  });

  it('takes a way of which nothing is known for free, as long as next to nothing is lost on it', () => {
    const first = rotoclear(undefined, input);
    const unknown = { ...input, at: 1000, availableBandwidth: null };
    expect(rotoclear(first, { ...unknown, packetLoss: 0.009 }).current).toBe(4_800_000);
    expect(rotoclear(first, { ...unknown, packetLoss: 0.01 }).current).toBe(4_000_000);
    expect(rotoclear(first, { ...unknown, packetLoss: 0.06 }).current).toBe(3_200_000);
  });

  it('keeps within its bounds', () => {
    const low = rotoclear(undefined, { ...input, wish: 550_000 });
    expect(rotoclear(low, { ...input, wish: 550_000, at: 1000, packetLoss: 0.5 }).current).toBe(500_000);
    const high = rotoclear(undefined, { ...input, wish: 50_000_000, max: 50_000_000 });
    expect(high.current).toBe(12_000_000);
  });

  it('takes its own word for its own, and a change by somebody for theirs', () => {
    const first = rotoclear(undefined, input);
    const raised = rotoclear(first, { ...input, at: 1000 });
    const written = rotoclear(raised, { ...input, at: 1100, wish: raised.current });
    expect(written.current).toBe(4_800_000);
    expect(rotoclear(written, { ...input, at: 1200, wish: 2_000_000 }).current).toBe(2_000_000);
  });
});
