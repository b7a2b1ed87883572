import { beforeEach, describe, expect, it } from 'vitest';
import type { ViewerDecision } from '../../src/adaptive/decisions.js';
import { RtspLimits } from '../../src/start/rtspLimits.js';

const decision: ViewerDecision = {
  ...{ target: 1_000_000, state: 'holding', reason: '', votes: false },
  ...{ availableBps: null, loss: 0, rttMs: null, jitterMs: null, queueMs: null },
};
const one = [{ id: 1, transport: 'udp' }];

describe('the limit of a viewer over UDP', () => {
  let told: (readonly [number, number | null])[];
  let works: boolean;
  let limits: RtspLimits;
  beforeEach(() => {
    told = [];
    works = true;
    limits = new RtspLimits(({ client, bps }) => {
      told.push([client, bps]);
      return works ? Promise.resolve(true) : Promise.reject(new Error('it is down'));
    });
  });
  const step = (at: number, change: Partial<ViewerDecision>, isOn = true, clients = one): void => {
    limits.take({ at, viewers: { 'rtsp-1': { ...decision, ...change } } }, clients, isOn);
  };

  it('is what its way is thought to carry, told once and when that has moved', () => {
    step(0, {});
    step(2000, { target: 1_090_000 });
    step(2500, { target: 500_000 });
    step(2900, { target: 400_000 });
    step(3500, { target: 400_000 });
    expect(told).toEqual([
      [1, 1_000_000],
      [1, 500_000],
      [1, 400_000],
    ]);
  });

  it('ends when it votes again, and when the loop is switched off', () => {
    step(0, {});
    step(2000, { votes: true });
    step(4000, {});
    step(6000, {}, false);
    step(8000, {}, false);
    expect(told.map(([, bps]) => bps)).toEqual([1_000_000, null, 1_000_000, null]);
  });

  it('stays while nothing is known', () => {
    step(0, { state: 'starting' });
    expect(told).toEqual([]);
    step(1000, {});
    step(5000, { state: 'silent', target: 300_000 });
    expect(told).toEqual([[1, 1_000_000]]);
  });

  it('is for UDP alone, and for whoever is there', () => {
    for (const transport of ['tcp', 'multicast']) step(0, {}, true, [{ id: 1, transport }]);
    limits.take({ at: 0, viewers: {} }, one, true);
    expect(told).toEqual([]);
    step(0, {});
    step(1000, {}, true, []);
    step(1100, {});
    expect(told).toHaveLength(2);
  });

  it('is told again where it was not heard', async () => {
    works = false;
    step(0, {});
    await Promise.resolve();
    step(100, {});
    expect(told).toHaveLength(2);
  });
});
