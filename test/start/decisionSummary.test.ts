import { describe, expect, it } from 'vitest';
import type { LoopOutput } from '../../src/adaptive/decisions.js';
import { DecisionSummary, type Summary } from '../../src/start/decisionSummary.js';

function decided(at: number, target: number, reason = ''): LoopOutput {
  const rung = { height: null, framerate: null };
  return { at, streams: { stream1: { target, reason, cause: 'queue', rung } }, viewers: {}, moves: [] };
}

describe('the summary of decisions', () => {
  it('tells once a minute what has changed, with the reason for the lowest', () => {
    const told: Summary[] = [];
    const summary = new DecisionSummary((each) => told.push(each));
    summary.take(decided(0, 8e6));
    summary.take(decided(1000, 2e6, 'a queue stands'));
    summary.take(decided(2000, 5e6, 'it is drained'));
    summary.take(decided(59_000, 5e6));
    expect(told).toEqual([]);
    summary.take(decided(60_000, 6e6));
    expect(told).toEqual([
      {
        stream1: {
          ...{ from: 8e6, to: 6e6, lowest: 2e6, highest: 8e6 },
          ...{ reason: 'a queue stands', changes: 3 },
        },
      },
    ]);
  });

  it('says nothing of a minute in which nothing changed, and at the end what is left', () => {
    const told: Summary[] = [];
    const summary = new DecisionSummary((each) => told.push(each));
    for (let at = 0; at <= 120_000; at += 20_000) summary.take(decided(at, 8e6));
    expect(told).toEqual([]);
    summary.take(decided(125_000, 8e6));
    summary.take(decided(126_000, 7e6, 'loss'));
    summary.end();
    summary.end();
    expect(told).toHaveLength(1);
  });
});
