import { describe, expect, it } from 'vitest';
import type { LoopInput } from '../../src/adaptive/decisions.js';
import type { PathSample } from '../../src/adaptive/samples.js';
import { outputsOf, runOver, settings, streams, viewer } from './support.js';

const wide = (): { readonly bps: number } => ({ bps: 20_000_000 });

describe('the loop', () => {
  it('keeps what is set where it is switched off, and still tells what it sees', () => {
    const outputs = runOver(
      10,
      { a: () => ({ bps: 1_000_000, queueMs: 200 }) },
      {
        settings: { ...settings, mode: 'off', max: 4_000_000 },
      },
    );
    expect(outputs.at(-1)?.streams.stream1).toMatchObject({ target: 8_000_000, rung: { height: null } });
    expect(outputs.at(-1)?.viewers['a']).toMatchObject({ votes: false, rttMs: 60 });
  });

  it('follows the wish down at once, and only lifts the ceiling when the wish rises', () => {
    const lowered = { ...streams, stream1: { bitrate: 1_000_000, width: 1920, height: 1080, framerate: 30 } };
    const at = (index: number, wishes: LoopInput['streams']): LoopInput => ({
      ...{ at: index * 100, settings, streams: wishes, viewers: [viewer('a')] },
      samples: [],
    });
    const targets = outputsOf([at(0, lowered), at(1, streams), at(2, lowered)]).map(
      (output) => output.streams.stream1?.target,
    );
    expect(targets).toEqual([1_000_000, 1_000_000, 1_000_000]);
    const down = outputsOf([at(0, streams), at(1, lowered)]).map((output) => output.streams.stream1?.target);
    expect(down).toEqual([8_000_000, 1_000_000]);
  });

  it('gives everything where nobody watches, or nobody lets anything be known', () => {
    const alone = (index: number, viewers: LoopInput['viewers']): LoopInput => ({
      ...{ at: index * 100, settings, streams, viewers, samples: [] },
    });
    const nobody = outputsOf([alone(0, [])]);
    expect(nobody[0]?.streams.stream1).toMatchObject({ target: 8_000_000, reason: 'nobody watches' });
    const quiet = outputsOf(Array.from({ length: 100 }, (_, index) => alone(index, [viewer('vlc')])));
    expect(quiet.at(-1)?.streams.stream1?.target).toBe(8_000_000);
    expect(quiet.at(-1)?.viewers['vlc']).toMatchObject({ state: 'silent', votes: false });
  });

  it('halves what it gives when nothing is heard any more, and in the end stops counting the viewer', () => {
    const viewers = [viewer('a')];
    const heard = Array.from({ length: 51 }, (_, index): LoopInput => ({
      ...{ at: index * 100, settings, streams, viewers },
      samples:
        index === 0
          ? []
          : [
              {
                kind: 'report',
                viewer: 'a',
                at: index * 100,
                loss: 0,
                jitterMs: 1,
                rttMs: 20,
                rttAgeMs: 10,
                sentBps: 8e6,
              },
            ],
    }));
    const silence = Array.from({ length: 400 }, (_, index): LoopInput => ({
      ...{ at: 5100 + index * 100, settings, streams, viewers, samples: [] },
    }));
    const told = outputsOf([...heard, ...silence]);
    expect(told[50]?.streams.stream1?.target).toBe(8_000_000);
    expect(told.at(-1)?.viewers['a']).toMatchObject({ state: 'silent', votes: false });
    expect(told.at(-1)?.streams.stream1?.target).toBeLessThan(4_000_000);
  });

  it('takes the viewer’s own estimate as a limit', () => {
    const claims: readonly PathSample[] = [{ kind: 'estimate', viewer: 'a', at: 100, bps: 1_500_000 }];
    const outputs = outputsOf([
      { at: 0, settings, streams, viewers: [viewer('a')], samples: [] },
      { at: 100, settings, streams, viewers: [viewer('a')], samples: claims },
    ]);
    expect(outputs[1]?.streams.stream1).toMatchObject({ target: 1_500_000, limitedBy: 'a' });
    expect(outputs[1]?.viewers['a']?.reason).toBe("the viewer's own estimate is 1.5 Mbit/s");
  });

  it('follows the law of the reference where that is chosen, and starts from what it has written', () => {
    const rotoclear = { ...settings, mode: 'rotoclear' } as const;
    const outputs = runOver(
      3.9,
      { a: wide },
      {
        settings: rotoclear,
        streams: { stream1: { bitrate: 4_000_000, width: 1920, height: 1080, framerate: 30 } },
      },
    );
    const targets = new Set(outputs.map((output) => output.streams.stream1?.target));
    expect([...targets]).toEqual([4_000_000, 4_800_000, 5_760_000]);
  });

  it('says why as a code, too', () => {
    const causes = (bps: number, queueMs: number, lost: number): readonly unknown[] =>
      runOver(4, { a: (second) => (second > 2 ? { bps, queueMs, lost } : { bps: 20_000_000 }) })
        .filter(({ at }) => at > 2000)
        .map((output) => output.streams.stream1?.cause);
    expect(causes(1_000_000, 200, 0)).toContain('queue');
    expect(causes(20_000_000, 0, 9)).toContain('loss');
    expect(new Set(causes(20_000_000, 0, 0))).toEqual(new Set(['wish']));
    expect(runOver(1, { a: wide }).at(-1)?.streams.stream2?.cause).toBe('nobody');
    const told = (mode: 'off' | 'rotoclear', lost: number): readonly unknown[] => {
      const way = (): { bps: number; lost: number } => ({ bps: 20_000_000, lost });
      const outputs = runOver(3, { a: way }, { settings: { ...settings, mode } });
      return [...new Set(outputs.map((output) => output.streams.stream1?.cause))];
    };
    expect(told('off', 9)).toEqual(['wish']);
    expect(told('rotoclear', 0)).toEqual(['unknown', 'growth']);
    expect(told('rotoclear', 4)).toContain('loss');
  });

  it('tells each move once, and again only when it has not happened for long', () => {
    const narrow = (second: number): { bps: number; queueMs: number } =>
      second > 3 ? { bps: 1_000_000, queueMs: 150 } : { bps: 20_000_000, queueMs: 0 };
    const ways = { a: wide, b: wide, c: wide, d: narrow };
    const moves = runOver(8, ways).flatMap(({ at, moves: told }) => told.map((move) => ({ at, ...move })));
    expect(moves[0]).toMatchObject({ viewer: 'd', to: 'stream2' });
    expect(moves.filter(({ at }) => at < (moves[0]?.at ?? 0) + 5000)).toHaveLength(1);
  });

  describe('a viewer who was left behind', () => {
    const fixed = { movable: false };
    const narrow = (): { bps: number; queueMs: number } => ({ bps: 1_000_000, queueMs: 120 });
    const ways = { good: wide, other: wide, bad: narrow };

    it('counts again once it is alone, where it could not be moved', () => {
      const outputs = runOver(20, ways, {}, (second) =>
        second < 10 ? [viewer('good'), viewer('other'), viewer('bad', fixed)] : [viewer('bad', fixed)],
      );
      const [beside, alone] = [outputs[90], outputs.at(-1)];
      expect(beside?.viewers['bad']?.votes).toBe(false);
      expect(beside?.streams.stream1?.target).toBe(8_000_000);
      expect(alone?.viewers['bad']?.votes).toBe(true);
      expect(alone?.streams.stream1).toMatchObject({ limitedBy: 'bad' });
      expect(alone?.streams.stream1?.target).toBeLessThan(1_000_000);
    });

    it('comes back to a stream that nobody watches any more, as soon as its way carries enough for that', () => {
      const moved = viewer('bad', { stream: 'stream2' });
      const middling = (): { bps: number } => ({ bps: 3_000_000 });
      const outputs = runOver(25, { good: wide, bad: middling }, {}, (second) =>
        second < 5 ? [viewer('good'), moved] : [moved],
      );
      const back = outputs.flatMap(({ at, moves }) => moves.map((move) => ({ at, ...move })));
      expect(back[0]).toMatchObject({ viewer: 'bad', to: 'stream1' });
      expect(back[0]?.at).toBeGreaterThan(5000);
    });
  });

  it.each(['off', 'rotoclear'] as const)('brings back in mode %s whom mode auto has moved', (mode) => {
    const outputs = runOver(
      4,
      { a: wide },
      {
        settings: { ...settings, mode },
        viewers: [viewer('a', { stream: 'stream2' })],
      },
    );
    const moves = outputs.flatMap((output) => output.moves);
    expect(moves).toEqual([expect.objectContaining({ viewer: 'a', to: 'stream1' })]);
  });

  it('leaves the bitrate alone in mode rotoclear while nobody watches', () => {
    const outputs = runOver(10, {}, { settings: { ...settings, mode: 'rotoclear' } });
    expect(new Set(outputs.map((output) => output.streams.stream1?.target))).toEqual(new Set([8_000_000]));
  });

  it('says of a stream that cannot be steered what it gives, and moves whoever it is too much for', () => {
    const rigid = { bitrate: 8_000_000, encodedBps: 5_000_000, steerable: false };
    const wishes = { ...streams, stream1: { ...rigid, width: 1920, height: 1080, framerate: 30 } };
    const narrow = (): { bps: number; queueMs: number } => ({ bps: 1_000_000, queueMs: 150 });
    const outputs = runOver(8, { a: narrow }, { streams: wishes });
    for (const { streams: told } of outputs)
      expect(told.stream1).toMatchObject({ target: 5_000_000, rung: { height: null, framerate: null } });
    expect(outputs.at(-1)?.streams.stream1?.reason).toBe('its bitrate cannot be changed here');
    expect(outputs.flatMap(({ moves }) => moves)[0]).toMatchObject({ viewer: 'a', to: 'stream2' });
    expect(outputs.at(-1)?.viewers['a']?.target).toBeLessThan(2_000_000);
  });
});
