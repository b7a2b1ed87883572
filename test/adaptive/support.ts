// Steps for the loop, written by hand.
import { Subject } from 'rxjs';
import type { AdaptiveSettings, LoopInput, LoopOutput, Viewer } from '../../src/adaptive/decisions.js';
import { adaptiveLoop } from '../../src/adaptive/loop.js';
import type { PacketTrain, PathSample, TransportSample } from '../../src/adaptive/samples.js';

export const settings: AdaptiveSettings = {
  ...{ mode: 'auto', min: 500_000, max: 12_000_000 },
  ...{ policy: 'percentile', ladder: true },
} as const;

export const streams: LoopInput['streams'] = {
  stream1: { bitrate: 8_000_000, width: 1920, height: 1080, framerate: 30 },
  stream2: { bitrate: 2_000_000, width: 640, height: 360, framerate: 30 },
};

export function viewer(id: string, more: Partial<Viewer> = {}): Viewer {
  return { id, stream: 'stream1', wished: 'stream1', movable: true, ...more };
}

/** The outputs for inputs, one for each. */
export function outputsOf(inputs: readonly LoopInput[]): readonly LoopOutput[] {
  const source = new Subject<LoopInput>();
  const outputs: LoopOutput[] = [];
  source.pipe(adaptiveLoop()).subscribe((output) => outputs.push(output));
  for (const input of inputs) source.next(input);
  return outputs;
}

export interface Way {
  /** Of the narrowest link. */
  readonly bps: number;
  readonly queueMs?: number;
  readonly lost?: number;
}

/** Three pictures of a stream of so many bit/s, as they would arrive over such a way. */
export function trainsOver(at: number, sentBps: number, way: Way): TransportSample['trains'] {
  const packets = Math.max(4, Math.round(sentBps / 30 / 8 / 1240));
  const { lost = 0, queueMs = 0 } = way;
  return [0, 1, 2].map((index): PacketTrain => {
    const sentAt = at - 150 + index * 33.3;
    const arrivedAt = sentAt + 5000 + queueMs;
    return {
      ...{ sentAt, sentUntil: sentAt + 0.2, arrivedAt, packets: packets - lost, lost, firstBytes: 1240 },
      arrivedUntil: arrivedAt + ((packets - 1) * 1240 * 8000) / way.bps,
      bytes: (packets - lost) * 1240,
    };
  });
}

export function transportSample(viewer: string, at: number, sentBps: number, way: Way): PathSample {
  return { kind: 'transport', viewer, at, rttMs: 60, trains: trainsOver(at, sentBps, way) };
}

/** Seconds of steps in which each viewer gets what the loop says, over its way. */
export function runOver(
  seconds: number,
  ways: Readonly<Record<string, (second: number) => Way>>,
  more: Partial<LoopInput> = {},
  /** Who is there, where that changes. */
  roster?: (second: number) => readonly Viewer[],
): readonly LoopOutput[] {
  const source = new Subject<LoopInput>();
  const outputs: LoopOutput[] = [];
  source.pipe(adaptiveLoop()).subscribe((output) => outputs.push(output));
  const always = more.viewers ?? Object.keys(ways).map((id) => viewer(id));
  for (let at = 0; at <= seconds * 1000; at += 100) {
    const viewers = roster?.(at / 1000) ?? always;
    const sent = outputs.at(-1)?.streams;
    const samples = viewers.flatMap(({ id, stream }) => {
      const way = ways[id]?.(at / 1000);
      return way === undefined || at === 0
        ? []
        : [transportSample(id, at, sent?.[stream]?.target ?? 2_000_000, way)];
    });
    source.next({ at, settings, streams, samples, ...more, viewers });
  }
  return outputs;
}
