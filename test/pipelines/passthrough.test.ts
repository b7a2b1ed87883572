import { describe, expect, it } from 'vitest';
import { registry } from '../../src/observables/registry.js';
import { plan } from '../../src/pipelines/plan.js';
import { mediaKeys, type MediaSettings } from '../../src/pipelines/settings.js';

const defaults = Object.fromEntries(
  mediaKeys.map((key) => [key, registry[key].default]),
) as unknown as MediaSettings;
const machine = { cores: 2, encoders: ['x264enc', 'x265enc', 'jpegenc'] };
const { primary, secondary } = defaults.cameraHeadSettings;
const camera = { ...primary, source: 'rtsp', url: 'rtsp://192.0.2.7/live' } as const;
const sent = {
  codec: 'h264',
  width: 1920,
  height: 1080,
  framerate: 25,
  from: 'rtsp rtsp://192.0.2.7/live',
} as const;
/** In which the main stream is passed on. */
const passing: MediaSettings = {
  ...defaults,
  cameraHeadSettings: { primary: camera, secondary },
  cameraFormats: { primary: sent },
  timestampOverlay: { ...defaults.timestampOverlay, enabled: false },
};
const textOf = (settings: MediaSettings, name: string): string =>
  plan(settings, machine).pipelines.find((pipeline) => pipeline.name === name)?.text ?? '';

describe('a stream for which nothing has to be changed', () => {
  it('is passed on without a decoder or an encoder, at the rate of the camera', () => {
    const { obstacles, framerate } = plan(passing, machine);
    expect(obstacles).toEqual({ stream2: 'the camera sends 1920x1080, and 1280x720 is asked for' });
    expect(framerate).toBe(25);
    expect(textOf(passing, 'encode/stream1')).toBe(
      'hubsrc name=frames channel=coded/primary history=30000 ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! hubsink made-of=coded/primary channel=stream1',
    );
    expect(textOf(passing, 'capture/primary')).toMatch(/parsebin ! hubsink channel=coded\/primary$/);
    expect(textOf(passing, 'encode/stream2')).toMatch(/^hubsrc name=frames channel=raw\/primary .* x264enc/);
  });

  it('may be the second one as well', () => {
    const same = { ...passing, stream2: { ...passing.stream2, resolution: '1920x1080' } };
    expect(plan(same, machine).obstacles).toEqual({});
  });

  it('runs at the rate of the settings where the camera does not say its own', () => {
    const unsaid = { ...passing, cameraFormats: { primary: { ...sent, framerate: 0 } } };
    expect(plan(unsaid, machine).framerate).toBe(camera.fps);
  });
});

it.each<[string, Partial<MediaSettings>]>([
  ['it is switched off', { streamPassthrough: false }],
  ['two cameras are shown in one picture', { pipEnabled: true }],
  ['the camera sends no encoded video', { cameraHeadSettings: defaults.cameraHeadSettings }],
  ['it is not known yet what the camera sends', { cameraFormats: {} }],
  [
    'the camera sends h265, and h264 is asked for',
    { cameraFormats: { primary: { ...sent, codec: 'h265' } } },
  ],
  ['the camera sends h264, and mjpeg is asked for', { videoEncoder: 'mjpeg' }],
  [
    'only H.264 is passed on as it is',
    { videoEncoder: 'h265', cameraFormats: { primary: { ...sent, codec: 'h265' } } },
  ],
  ['the camera sends 1920x1080, and 640x360 is asked for', { streamResolution: '640x360' }],
  ['the camera sends 25 frames/s, and 20 are asked for', { streamFramerate: 20 }],
  [
    'the picture is turned, enlarged or coloured (videoRotation, videoFlip, digitalZoom, imageSettings)',
    { videoRotation: 180 },
  ],
  [
    'the picture is turned, enlarged or coloured (videoRotation, videoFlip, digitalZoom, imageSettings)',
    { imageSettings: { ...defaults.imageSettings, gamma: 120 } },
  ],
  ['the time is drawn into the picture (timestampOverlay)', { timestampOverlay: defaults.timestampOverlay }],
  ['the time for programs is drawn into the picture (timeBlock)', { timeBlock: true }],
])('is encoded because %s', (reason, change) => {
  const settings = { ...passing, ...change };
  expect(plan(settings, machine).obstacles['stream1']).toBe(reason);
  expect(textOf(settings, 'encode/stream1')).toMatch(/channel=raw\//);
});

it('of another size, rate or bitrate that a player asks for is encoded', () => {
  const { obstacles } = plan({ ...passing, streamRenditions: ['stream1@-@-@900'] }, machine);
  expect(obstacles['stream1@-@-@900']).toBe('a size, rate or bitrate of its own is asked for');
  expect(obstacles).not.toHaveProperty('stream1');
});

it('shows a card that is encoded by what the machine has', () => {
  const card = (encoders: readonly string[]): string =>
    plan(
      { ...passing, videoEncoder: 'mjpeg', stream2: { ...passing.stream2, enabled: false } },
      { cores: 2, encoders },
    ).pipelines[0]?.card ?? '';
  expect(card(['x264enc', 'jpegenc'])).toMatch(
    /NO SIGNAL.* x264enc .*hubsink standby=true channel=coded\/primary$/,
  );
  expect(card(['openh264enc', 'jpegenc'])).toMatch(/format=I420 ! openh264enc/);
  expect(card(['jpegenc'])).toMatch(/ jpegenc .* jpegparse ! hubsink standby=true/);
});
