import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PathSample } from '../../src/adaptive/samples.js';
import { parseSamples, PathSamples } from '../../src/media/pathSamples.js';

const estimate = (viewer: string): PathSample => ({ kind: 'estimate', viewer, at: 1, bps: 5 });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('what several sources have learnt is told together, and nothing where there is nothing', () => {
  const [rtsp, webrtc] = [
    [[estimate('rtsp-1')], [], [estimate('rtsp-2')]],
    [[estimate('webrtc-1')], [], []],
  ];
  const told: (readonly PathSample[])[] = [];
  const samples = new PathSamples([() => rtsp.shift() ?? [], () => webrtc.shift() ?? []], (some) =>
    told.push(some),
  );
  vi.advanceTimersByTime(300);
  expect(told).toEqual([[estimate('rtsp-1'), estimate('webrtc-1')], [estimate('rtsp-2')]]);
  samples.close();
  rtsp.push([estimate('rtsp-3')]);
  vi.advanceTimersByTime(300);
  expect(told).toHaveLength(2);
});

it('the addon writes a list, or nothing at all', () => {
  expect(parseSamples('')).toEqual([]);
  expect(parseSamples(JSON.stringify([estimate('rtsp-1')]))).toEqual([estimate('rtsp-1')]);
});
