import { describe, expect, it } from 'vitest';
import { aggregateNetwork } from '../../src/adaptive/aggregate.js';
import type { ViewerDecision } from '../../src/adaptive/decisions.js';

function viewer(
  availableBps: number | null,
  loss: number,
  more: Partial<ViewerDecision> = {},
): ViewerDecision {
  return {
    ...{ target: 1e6, state: 'holding', reason: '', votes: true },
    ...{ availableBps, loss, rttMs: loss * 1000, jitterMs: loss * 100, queueMs: null },
    ...more,
  };
}

const six = [
  viewer(9e6, 0.01),
  viewer(1e6, 0.4),
  viewer(null, 0),
  ...[viewer(8e6, 0.02), viewer(7e6, 0.03), viewer(6e6, 0.1)],
];

describe('one figure for the network of many viewers', () => {
  it('is that of the worst, where the worst counts', () => {
    expect(aggregateNetwork(six, 'worst')).toEqual({
      ...{ availableBandwidth: 1e6, packetLoss: 0.4, rtt: 400, jitter: 40 },
    });
  });

  it('does not let a single one of several speak for all otherwise', () => {
    expect(aggregateNetwork(six, 'percentile')).toMatchObject({ availableBandwidth: 6e6, packetLoss: 0.1 });
    expect(aggregateNetwork(six, 'majority')).toMatchObject({ availableBandwidth: 7e6, packetLoss: 0.02 });
    const liar = [viewer(9e6, 0), viewer(9e6, 0), viewer(1, 0.99)];
    expect(aggregateNetwork(liar, 'percentile')).toMatchObject({ availableBandwidth: 9e6, packetLoss: 0 });
    expect(aggregateNetwork([viewer(2e6, 0.2)], 'percentile')).toMatchObject({ packetLoss: 0.2 });
  });

  it('leaves out those whom the streams do not follow, unless that is everybody, and the silent', () => {
    const bad = viewer(1e5, 0.5, { votes: false });
    expect(aggregateNetwork([viewer(9e6, 0.01), bad], 'worst').packetLoss).toBe(0.01);
    expect(aggregateNetwork([bad], 'worst').packetLoss).toBe(0.5);
    expect(aggregateNetwork([viewer(9e6, 0.9, { state: 'silent' })], 'worst').packetLoss).toBe(0);
  });

  it('does not make nothing of what is not known', () => {
    expect(aggregateNetwork([viewer(null, 0.1)], 'worst').availableBandwidth).toBeNull();
    expect(aggregateNetwork([], 'worst')).toEqual({
      ...{ availableBandwidth: null, packetLoss: 0, rtt: 0, jitter: 0 },
    });
  });
});
