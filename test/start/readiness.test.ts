import { describe, expect, it } from 'vitest';
import type { ChannelReport, PipelineReport } from '../../src/media/messages.js';
import { videoChecks, type VideoFacts } from '../../src/start/readiness.js';

const now = 1_000_000;
const channel: ChannelReport = {
  ...{ producing: true, consumers: 1, frames: 900, bytes: 9, keyframes: 9, dropped: 0, changes: 0 },
  ...{ ageMs: 30, caps: '', bitrate: 0 },
};
const pipeline = (name: string, more: Partial<PipelineReport> = {}): PipelineReport => ({
  ...{ name, text: '', state: 'running', since: now - 60_000, restarts: 0 },
  ...more,
});
const well: VideoFacts = {
  state: { phase: 'running', machine: { cores: 2, encoders: [] }, version: 'GStreamer 1.22', pid: 7 },
  beat: {
    pipelines: [pipeline('capture/primary'), pipeline('encode/stream1')],
    channels: { stream1: channel },
    clients: [],
    webrtc: [],
    rtsp: { port: 8554, securePort: null },
  },
  rtsp: { port: 8554, securePort: null },
  rtspTrouble: undefined,
  cameras: { primary: { state: 'live' }, secondary: { state: 'idle' } },
  framerate: 30,
};
const withBeat = (beat: Partial<VideoFacts['beat']>): VideoFacts => ({
  ...well,
  beat: { ...well.beat, ...beat },
});
const streamIs = (age: number, more: Partial<PipelineReport> = {}): VideoFacts =>
  withBeat({
    pipelines: [pipeline('capture/primary'), pipeline('encode/stream1', more)],
    channels: { stream1: { ...channel, ageMs: age } },
  });
const failing = (facts: VideoFacts): string[] =>
  videoChecks(facts, now).flatMap(({ name, ok, reason }) => (ok ? [] : [`${name}: ${reason ?? ''}`]));

it('has a check for every part, and all hold where all is well', () => {
  expect(videoChecks(well, now)).toEqual(
    ['media', 'rtsp', 'camera/primary', 'pipelines', 'pictures/stream1'].map((name) => ({ name, ok: true })),
  );
});

describe('pictures that stop', () => {
  it('are told, with how long ago the last one came', () => {
    expect(failing(streamIs(1900))).toEqual([]);
    expect(failing(streamIs(2500))).toEqual(['pictures/stream1: No picture has come for 2.5 s']);
    expect(failing(streamIs(-1))).toEqual(['pictures/stream1: No picture has come so far']);
    expect(failing(withBeat({ channels: {} }))).toEqual(['pictures/stream1: No picture has come so far']);
  });

  it('are given more time where they are far apart', () => {
    expect(failing({ ...streamIs(2500), framerate: 1 })).toEqual([]);
    expect(failing({ ...streamIs(3100), framerate: 1 })).toHaveLength(1);
  });

  it('are not missed where nobody watches, nor right after the start', () => {
    expect(failing(streamIs(90_000, { state: 'idle' }))).toEqual([]);
    expect(failing(streamIs(-1, { state: 'starting', since: now - 1000 }))).toEqual([]);
  });
});

it.each<readonly [string, VideoFacts, readonly string[]]>([
  ['down', { ...well, state: { phase: 'down', reason: 'it ended' } }, ['media: it ended']],
  ['starting', { ...well, state: { phase: 'starting' } }, ['media: It is starting']],
])('asks nothing of a media process that is %s', (_what, facts, expected) => {
  expect(failing(facts)).toEqual(expected);
});

it('says where RTSP should listen and does not, and why where that is known', () => {
  const deaf = withBeat({ rtsp: { port: null, securePort: null } });
  expect(failing(deaf)).toEqual(['rtsp: It does not listen on 8554']);
  expect(failing({ ...deaf, rtspTrouble: 'Port 8554 is taken' })).toEqual(['rtsp: Port 8554 is taken']);
  expect(failing({ ...deaf, rtsp: { port: null, securePort: null } })).toEqual([]);
  expect(failing({ ...well, rtsp: { port: null, securePort: null } })).toEqual(['rtsp: It still listens']);
});

it('says which camera is away, as long as somebody would see it', () => {
  const lost = { state: 'no signal', reason: 'it is unplugged' };
  expect(failing({ ...well, cameras: { primary: lost, secondary: lost } })).toEqual([
    'camera/primary: it is unplugged',
  ]);
});

it('says which pipelines have failed, or do not start', () => {
  const pipelines = [
    pipeline('scene', { state: 'failed', reason: 'no such element' }),
    pipeline('decode/primary', { state: 'starting', since: now - 9000 }),
    pipeline('encode/stream2', { state: 'starting', since: now - 900 }),
  ];
  expect(failing(withBeat({ pipelines }))).toEqual([
    'pipelines: scene has failed: no such element; decode/primary does not start',
  ]);
});
