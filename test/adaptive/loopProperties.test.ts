import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoopInput } from '../../src/adaptive/decisions.js';
import type { PathSample } from '../../src/adaptive/samples.js';
import { outputsOf, settings, streams, transportSample, viewer } from './support.js';

const anyNumber = fc.oneof(
  fc.double(),
  fc.constantFrom(Number.NaN, Infinity, -1, 0, -0, 1e308),
  fc.integer({ min: -1000, max: 20_000 }),
);

/** What may come from a viewer that is broken, or wants to do harm. */
function garbage(viewer: string): fc.Arbitrary<PathSample> {
  const train = fc.record({
    ...{ sentAt: anyNumber, sentUntil: anyNumber, arrivedAt: anyNumber, arrivedUntil: anyNumber },
    ...{ packets: anyNumber, lost: anyNumber, bytes: anyNumber, firstBytes: anyNumber },
  });
  const common = { viewer: fc.constant(viewer), at: anyNumber };
  return fc.oneof(
    fc.record({
      kind: fc.constant('transport' as const),
      ...common,
      trains: fc.array(train, { maxLength: 4 }),
      rttMs: fc.option(anyNumber),
    }),
    fc.record({
      kind: fc.constant('report' as const),
      ...common,
      ...{ loss: anyNumber, jitterMs: anyNumber, sentBps: anyNumber },
      ...{ rttMs: fc.option(anyNumber), rttAgeMs: fc.option(anyNumber) },
    }),
    fc.record({ kind: fc.constant('estimate' as const), ...common, bps: anyNumber }),
    fc.record({
      kind: fc.constant('socket' as const),
      ...common,
      ...{ queuedBytes: anyNumber, unsentBytes: anyNumber, ackedBytes: anyNumber, heldBytes: anyNumber },
      ...{ rttMs: anyNumber, minRttMs: anyNumber, deliveryBps: fc.option(anyNumber) },
    }),
  );
}

const way = fc.record({
  bps: fc.integer({ min: 300_000, max: 20_000_000 }),
  queueMs: fc.integer({ min: 0, max: 400 }),
  lost: fc.integer({ min: 0, max: 3 }),
});

/** Nothing but loss stands against it. */
const wideWay = fc.record({ bps: fc.integer({ min: 8_000_000, max: 20_000_000 }) });

/** Steps of three viewers of whom the last one sends nonsense beside everything else. */
const history = fc
  .array(fc.tuple(way, way, way, fc.array(garbage('c'), { maxLength: 3 })), { minLength: 5, maxLength: 40 })
  .map((steps) =>
    steps.map(([a, b, c, nonsense], index): LoopInput => {
      const at = 1000 + index * 100;
      return {
        at,
        settings,
        streams,
        viewers: [viewer('a'), viewer('b', { movable: false }), viewer('c')],
        samples: [
          transportSample('a', at, 4_000_000, a),
          transportSample('b', at, 4_000_000, b),
          transportSample('c', at, 4_000_000, c),
          ...nonsense,
        ],
      };
    }),
  );

const rules = { seed: 5, numRuns: 25 };

describe('the loop, whatever it is told,', () => {
  it('stays within its bounds and is the same each time', () => {
    fc.assert(
      fc.property(history, fc.constantFrom('worst', 'percentile', 'majority'), (inputs, policy) => {
        const told = inputs.map((input) => ({ ...input, settings: { ...settings, policy } }));
        const outputs = outputsOf(told);
        expect(outputsOf(told)).toEqual(outputs);
        for (const { streams: decided } of outputs) {
          expect(decided.stream1?.target).toBeGreaterThanOrEqual(settings.min);
          expect(decided.stream1?.target).toBeLessThanOrEqual(8_000_000);
          expect(decided.stream2?.target).toBeGreaterThanOrEqual(300_000);
          expect(decided.stream2?.target).toBeLessThanOrEqual(2_000_000);
        }
      }),
      rules,
    );
  });

  it('does not mind in which order viewers and their samples come', () => {
    fc.assert(
      fc.property(history, (inputs) => {
        const turned = inputs.map((input) => ({
          ...input,
          viewers: input.viewers.toReversed(),
          samples: [
            ...input.samples.filter((sample) => sample.viewer === 'c'),
            ...input.samples.filter((sample) => sample.viewer !== 'c').reverse(),
          ],
        }));
        expect(outputsOf(turned)).toEqual(outputsOf(inputs));
      }),
      rules,
    );
  });

  it('thinks of a way what its own viewer tells, and nothing else', () => {
    fc.assert(
      fc.property(history, (inputs) => {
        const without = inputs.map((input) => ({
          ...input,
          samples: input.samples.filter((sample) => sample.viewer !== 'c'),
        }));
        const mixed = outputsOf(inputs);
        for (const [index, { viewers }] of outputsOf(without).entries())
          for (const id of ['a', 'b']) {
            const other = mixed[index]?.viewers[id];
            // Who votes, and what a trial gives, is the policy's.
            expect({ ...other, votes: true }).toEqual({ ...viewers[id], votes: true });
          }
      }),
      rules,
    );
  });

  it('is not moved by nonsense alone', () => {
    fc.assert(
      fc.property(fc.array(fc.array(nonsenseOfOne, { maxLength: 4 }), { maxLength: 30 }), (steps) => {
        const inputs = steps.map((samples, index): LoopInput => ({
          ...{ at: 1000 + index * 100, settings, streams, samples },
          viewers: [viewer('c')],
        }));
        for (const { streams: decided } of outputsOf(inputs)) expect(decided.stream1?.target).toBe(8_000_000);
      }),
      rules,
    );
  });

  it('does not give a way that loses more a higher target', () => {
    fc.assert(
      fc.property(fc.array(wideWay, { minLength: 10, maxLength: 40 }), (ways) => {
        const targetWith = (more: number): number => {
          const inputs = ways.map((each, index): LoopInput => {
            const at = 1000 + index * 100;
            const samples = [transportSample('a', at, 4_000_000, { ...each, lost: more })];
            return { at, settings, streams, viewers: [viewer('a')], samples };
          });
          return outputsOf(inputs).at(-1)?.streams.stream1?.target ?? 0;
        };
        const targets = [0, 1, 3, 6].map(targetWith);
        expect(targets).toEqual([...targets].sort((a, b) => b - a));
      }),
      rules,
    );
  });
});

const nonsenseOfOne: fc.Arbitrary<PathSample> = fc.constantFrom(
  { kind: 'report', viewer: 'c', at: 50, loss: Number.NaN, jitterMs: 1, rttMs: 1, rttAgeMs: 1, sentBps: 1 },
  { kind: 'report', viewer: 'c', at: 50, loss: 2, jitterMs: 1, rttMs: 1, rttAgeMs: 1, sentBps: 1 },
  { kind: 'report', viewer: 'c', at: 1e9, loss: 1, jitterMs: 1, rttMs: 1, rttAgeMs: 1, sentBps: 1 },
  { kind: 'estimate', viewer: 'c', at: 50, bps: -5 },
  { kind: 'estimate', viewer: 'c', at: 1e9, bps: 10_000 },
  {
    ...{ kind: 'socket', viewer: 'c', at: 50, queuedBytes: -1, unsentBytes: 5e9, ackedBytes: 0 },
    ...{ heldBytes: 0, rttMs: 1, minRttMs: 1, deliveryBps: 1 },
  },
  { kind: 'transport', viewer: 'c', at: 50, rttMs: Number.NaN, trains: [] },
  { kind: 'estimate', viewer: 'somebody else', at: 1000, bps: 10_000 },
);
