import { describe, expect, it } from 'vitest';
import { badFigures, measure, type StatsEntry } from '../../src/web/live/figures.js';

function report(at: number, video: Partial<StatsEntry>): StatsEntry[] {
  return [
    { id: 'codec-1', type: 'codec', timestamp: at, mimeType: 'video/H264' },
    { id: 'pair-1', type: 'candidate-pair', timestamp: at, nominated: true, currentRoundTripTime: 0.02 },
    { id: 'in-1', type: 'inbound-rtp', kind: 'video', codecId: 'codec-1', timestamp: at, ...video },
  ];
}

const before = report(1000, {
  ...{ bytesReceived: 10_000, framesDecoded: 30, framesDropped: 0, totalProcessingDelay: 0.6 },
  ...{ packetsReceived: 100, packetsLost: 0 },
});

describe('the figures of a stream', () => {
  it('are what happened since the last ones', () => {
    const first = measure(before, undefined);
    const after = report(2000, {
      ...{ bytesReceived: 135_000, framesDecoded: 60, framesDropped: 10, totalProcessingDelay: 1.5 },
      ...{ packetsReceived: 190, packetsLost: 10, frameWidth: 640, frameHeight: 360 },
    });
    expect(measure(after, first?.counters)?.figures).toMatchObject({
      ...{ codec: 'H264', width: 640, height: 360, fps: 30, bitrate: 1_000_000, decoded: 60, dropped: 10 },
      ...{ loss: 0.1, droppedShare: 0.25, rttMs: 20, delayMs: 40 },
    });
  });

  it('leave open what one look cannot tell', () => {
    const figures = measure(before, undefined)?.figures;
    expect(figures?.bitrate).toBeUndefined();
    expect(figures?.delayMs).toBeUndefined();
  });

  it('are none while no video is received', () => {
    expect(measure([], undefined)).toBeUndefined();
  });
});

describe('what is shown red', () => {
  it('is what a person at the picture would notice', () => {
    expect([...badFigures({ loss: 0.05, delayMs: 1500, fps: 10, droppedShare: 0.1 }, 30)].sort()).toEqual([
      'delayMs',
      'dropped',
      'fps',
      'loss',
    ]);
  });

  it('is nothing where all is well or not known', () => {
    expect(badFigures({ loss: 0.001, delayMs: 80, fps: 29, droppedShare: 0 }, 30).size).toBe(0);
    expect(badFigures({}, undefined).size).toBe(0);
    expect(badFigures({ fps: 5 }, undefined).size).toBe(0);
  });
});
