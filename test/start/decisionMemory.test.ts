import { beforeEach, describe, expect, it } from 'vitest';
import type { Cause, LoopOutput, Rung } from '../../src/adaptive/decisions.js';
import { DecisionMemory } from '../../src/start/decisionMemory.js';

const free: Rung = { height: null, framerate: null };
let memory: DecisionMemory;

function decide(
  at: number,
  target: number,
  cause: Cause = 'growth',
  { rung = free, moves = [] }: { readonly rung?: Rung; readonly moves?: LoopOutput['moves'] } = {},
): void {
  memory.take(
    { streams: { stream1: { target, cause, reason: `${cause} at ${String(at)}`, rung } }, moves },
    at,
  );
}

beforeEach(() => {
  memory = new DecisionMemory();
  decide(0, 8e6, 'wish');
});

describe('the memory of decisions', () => {
  it('has nothing to tell of a target that stays, or hardly moves', () => {
    for (let at = 100; at < 1000; at += 100) decide(at, 8e6 + (at % 200), 'wish');
    decide(1000, 7.7e6, 'loss');
    expect(memory.list(1000)).toEqual([]);
  });

  it('makes one decision of steps in one direction for one reason, with the reason of the first', () => {
    decide(100, 6e6, 'queue');
    decide(200, 4e6, 'queue');
    decide(300, 4e6, 'queue');
    decide(400, 3.9e6, 'queue');
    expect(memory.list(400)).toEqual([
      {
        ...{ id: 1, kind: 'bitrate', stream: 'stream1', at: 100, until: 400 },
        ...{ from: 8e6, to: 3.9e6, cause: 'queue', reason: 'queue at 100' },
      },
    ]);
  });

  it('makes another of what goes the other way, has another reason, or comes after a pause', () => {
    decide(100, 4e6, 'queue');
    decide(200, 5e6, 'growth');
    decide(300, 5.5e6, 'growth');
    decide(400, 4e6, 'loss');
    decide(500, 3e6, 'queue');
    decide(600, 3e6, 'queue');
    decide(10_000, 2e6, 'queue');
    expect(memory.list(10_000).map(({ at, from, to, cause }) => [at, from, to, cause])).toEqual([
      [100, 8e6, 4e6, 'queue'],
      [200, 4e6, 5.5e6, 'growth'],
      [400, 5.5e6, 4e6, 'loss'],
      [500, 4e6, 3e6, 'queue'],
      [10_000, 3e6, 2e6, 'queue'],
    ]);
  });

  it('tells small steps once they have come to something', () => {
    for (const [at, target] of [7.9e6, 7.8e6, 7.7e6, 7.6e6, 7.5e6].entries()) decide(at, target, 'loss');
    expect(memory.list(10)).toMatchObject([{ from: 8e6, to: 7.5e6 }]);
  });

  it('tells smaller pictures and moved viewers', () => {
    decide(100, 8e6, 'wish', {
      rung: { height: 720, framerate: null },
      moves: [{ viewer: 'webrtc-1', to: 'stream2', reason: 'its way is narrow' }],
    });
    decide(200, 8e6, 'wish', { rung: { height: 720, framerate: null } });
    expect(memory.list(200)).toMatchObject([
      { kind: 'picture', stream: 'stream1', at: 100, height: 720, framerate: null },
      { kind: 'viewer', stream: 'stream2', viewer: 'webrtc-1', reason: 'its way is narrow' },
    ]);
  });

  it('forgets a stream that is switched off, and does not call its return a decision', () => {
    memory.take({ streams: {}, moves: [] }, 100);
    decide(200, 1e6);
    expect(memory.list(200)).toEqual([]);
  });

  it('keeps ten minutes, and no more than so many', () => {
    decide(100, 4e6, 'queue');
    expect(memory.list(600_100)).toHaveLength(1);
    expect(memory.list(600_101)).toEqual([]);
    for (let at = 1000; at < 2000; at += 1) decide(at, at % 2 === 0 ? 2e6 : 4e6);
    const kept = memory.list(2000);
    expect(kept).toHaveLength(500);
    expect(kept.at(-1)?.at).toBe(1999);
  });
});
