import { describe, expect, it } from 'vitest';
import { aggregate } from '../../src/adaptive/aggregate.js';

function viewer(availableBps: number | null, loss: number, votes = true) {
  return { availableBps, loss, rttMs: loss * 1000, jitterMs: loss * 100, votes };
}

const five = [viewer(9e6, 0.01), viewer(1e6, 0.2), viewer(null, 0), viewer(8e6, 0.02), viewer(7e6, 0.03)];

describe('one figure for the network of many viewers', () => {
  it('is that of the worst', () => {
    for (const policy of ['worst', 'percentile'] as const)
      expect(aggregate(five, policy)).toEqual({ availableBps: 1e6, loss: 0.2, rttMs: 200, jitterMs: 20 });
  });

  it('is that of the middle one, by majority', () => {
    expect(aggregate(five, 'majority')).toEqual({ availableBps: 7e6, loss: 0.02, rttMs: 20, jitterMs: 2 });
  });

  it('leaves out those whom the streams do not follow, unless that is everybody', () => {
    const bad = viewer(1e5, 0.5, false);
    expect(aggregate([viewer(9e6, 0.01), bad], 'worst').loss).toBe(0.01);
    expect(aggregate([bad], 'worst')).toMatchObject({ availableBps: 1e5, loss: 0.5 });
  });

  it('does not make nothing of what is not known', () => {
    expect(aggregate([viewer(null, 0.1)], 'worst').availableBps).toBeNull();
    expect(aggregate([], 'worst')).toEqual({ availableBps: null, loss: 0, rttMs: 0, jitterMs: 0 });
  });
});
