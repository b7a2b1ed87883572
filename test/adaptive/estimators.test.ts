import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { estimating, type Estimator, type PathEstimate } from '../../src/adaptive/estimate.js';
import { reportEstimator } from '../../src/adaptive/report.js';
import type { PathSample, ReportSample, SocketSample, TransportSample } from '../../src/adaptive/samples.js';
import { socketEstimator } from '../../src/adaptive/socket.js';
import { transportEstimator } from '../../src/adaptive/transport.js';
import { trainsOver, type Way } from './support.js';

const start = 4_000_000;

/** What an estimator says at every step of 100 ms. */
function estimates<Sample extends PathSample, State extends { readonly estimate: PathEstimate }>(
  estimator: Estimator<Sample, State>,
  steps: readonly (readonly Sample[])[],
): Promise<readonly PathEstimate[]> {
  const inputs = steps.map((samples, index) => ({
    context: { at: 1000 + index * 100, floor: 500_000, ceiling: 12_000_000, start, idle: false },
    samples,
  }));
  return lastValueFrom(from(inputs).pipe(estimating(estimator), toArray()));
}

function steps<Sample>(
  count: number,
  make: (at: number, index: number) => readonly Sample[],
): readonly (readonly Sample[])[] {
  return Array.from({ length: count }, (_, index) => make(1000 + index * 100, index));
}

describe('the estimator for feedback of each packet', () => {
  const sample = (at: number, way: Way, clockMs = 0): TransportSample => ({
    ...{ kind: 'transport', viewer: 'a', at, rttMs: 60 },
    trains: trainsOver(at, start, way).map((train) => ({
      ...train,
      arrivedAt: train.arrivedAt + clockMs,
      arrivedUntil: train.arrivedUntil + clockMs,
    })),
  });

  it('finds room in the spread of trains and grows into it', async () => {
    const all = await estimates(
      transportEstimator,
      steps(60, (at) => [sample(at, { bps: 9_000_000 })]),
    );
    expect(all.at(-1)?.availableBps).toBeCloseTo(9_000_000, -6);
    expect(all.at(-1)?.target).toBeGreaterThan(start);
    expect(all.at(-1)?.target).toBeLessThan(9_000_000);
  });

  it('drains a queue that stands, and returns when it is gone', async () => {
    const all = await estimates(
      transportEstimator,
      steps(60, (at, index) => [sample(at, { bps: 4_500_000, queueMs: index > 30 && index < 45 ? 120 : 0 })]),
    );
    expect(all[35]).toMatchObject({ state: 'draining' });
    expect(all[35]?.target).toBeLessThan(3_500_000);
    expect(all.at(-1)?.state).not.toBe('draining');
    expect(all.at(-1)?.target).toBeGreaterThan(3_000_000);
  });

  it('does not take a clock that was set for a queue', async () => {
    const all = await estimates(
      transportEstimator,
      steps(60, (at, index) => [sample(at, { bps: 9_000_000 }, index > 30 ? 3_600_000 : 0)]),
    );
    expect(all.at(-1)?.target).toBeGreaterThan(start);
    expect(all.at(-1)?.queueMs).toBeLessThan(5);
  });

  it('holds at first and then halves when no feedback comes any more', async () => {
    const all = await estimates(
      transportEstimator,
      steps(70, (at, index) => (index < 20 ? [sample(at, { bps: 20_000_000 })] : [])),
    );
    const held = all[19]?.target ?? 0;
    expect(all[36]).toMatchObject({ target: held, state: 'holding' });
    expect(all.at(-1)?.target).toBeLessThan(held / 4);
    expect(all.at(-1)?.target).toBeGreaterThanOrEqual(500_000);
  });
});

describe('the estimator for receiver reports', () => {
  const report = (at: number, more: Partial<ReportSample> = {}): ReportSample => ({
    ...{ kind: 'report', viewer: 'a', at, loss: 0, jitterMs: 1, rttMs: 40, rttAgeMs: 300, sentBps: start },
    ...more,
  });
  const everySecond = (count: number, more: (second: number) => Partial<ReportSample>) =>
    steps(count * 10, (at, index) => (index % 10 === 5 ? [report(at, more(Math.floor(index / 10)))] : []));

  it('lowers to less than what arrived, and takes most of that back with the first clean report', async () => {
    const all = await estimates(
      reportEstimator,
      everySecond(10, (second) => (second === 5 ? { loss: 0.2, rttMs: 300 } : {})),
    );
    expect(all[56]?.target).toBeLessThan(0.5 * 0.8 * start);
    expect(all[66]?.target).toBeCloseTo(0.85 * 0.8 * start, -3);
  });

  it('lets a round trip that is old say nothing', async () => {
    const old = { rttMs: 900, rttAgeMs: 5000 };
    const all = await estimates(
      reportEstimator,
      everySecond(10, (second) => (second > 4 ? old : {})),
    );
    expect(all.at(-1)?.target).toBeGreaterThan(start);
    expect(all.at(-1)?.rttMs).toBe(40);
  });

  it('takes loss without a queue for what it is', async () => {
    const all = await estimates(
      reportEstimator,
      everySecond(6, (second) => (second === 5 ? { loss: 0.1 } : {})),
    );
    expect(all.at(-1)?.target).toBeGreaterThan(0.9 * start);
  });
});

describe('the estimator for TCP', () => {
  /** So many bit/s go, and so much waits. */
  const socket = (at: number, bps: number, unsentBytes: number): SocketSample => ({
    ...{ kind: 'socket', viewer: 'a', at, heldBytes: 0, rttMs: 30, minRttMs: 20 },
    ...{ queuedBytes: unsentBytes + 10_000, unsentBytes, ackedBytes: (at * bps) / 8000 },
    // What the system measures while nothing waits means nothing.
    deliveryBps: unsentBytes > 0 ? bps : 8e9,
  });

  it('knows what the connection carries while something waits, and only then', async () => {
    const all = await estimates(
      socketEstimator,
      steps(60, (at, index) => [socket(at, 2_000_000, index > 30 ? 150_000 : 0)]),
    );
    expect(all[20]?.availableBps).toBeNull();
    expect(all[45]).toMatchObject({ availableBps: 2_000_000, state: 'draining' });
    expect(all[45]?.target).toBeLessThan(2_000_000);
    expect(all[45]?.queueMs).toBeCloseTo(610, -1);
  });

  it('grows while nothing waits, as long as the stream uses what it has', async () => {
    const used = await estimates(
      socketEstimator,
      steps(80, (at) => [socket(at, start, 0)]),
    );
    expect(used.at(-1)?.target).toBeGreaterThan(1.2 * start);
    const unused = await estimates(
      socketEstimator,
      steps(80, (at) => [socket(at, 500_000, 0)]),
    );
    expect(unused.at(-1)?.target).toBe(start);
  });
});
