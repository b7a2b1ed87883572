import { expect, it } from 'vitest';
import { registry } from '../../src/observables/registry.js';
import { whatIsMissing } from '../../src/pipelines/formats.js';
import type { VideoDevice } from '../../src/pipelines/settings.js';

const usual = { ...registry.cameraHeadSettings.default.primary, source: 'v4l2' as const };
const device = (...formats: VideoDevice['formats']): VideoDevice => ({
  ...{ path: '/dev/video0', name: 'camera', driver: 'uvcvideo', bus: 'usb-1' },
  ...{ links: [], controls: [], formats },
});
const webcam = device(
  {
    ...{ format: 'YUY2', description: 'YUYV 4:2:2' },
    sizes: [
      { width: 640, height: 480, rates: [15, 30] },
      { width: 320, height: 240, rates: [30] },
    ],
  },
  { format: 'MJPG', description: 'Motion-JPEG', sizes: [] },
);
const sensor = device({
  ...{ format: 'NV12', description: 'Y/UV 4:2:0', anySize: true },
  sizes: [
    { width: 32, height: 32, rates: [] },
    { width: 2592, height: 1944, rates: [1, 42.5], anyRate: true },
  ],
});

it.each([
  [webcam, { format: 'YUY2' as const, resolution: '640x480', fps: 15 }, undefined],
  [webcam, { format: 'NV12' as const }, 'has no NV12, but YUY2, MJPG'],
  [webcam, { format: 'YUY2' as const }, 'has no 1920x1080 as YUY2, but 640x480, 320x240'],
  [
    webcam,
    { format: 'YUY2' as const, resolution: '640x480', fps: 60 },
    'gives no 60 pictures a second of 640x480 as YUY2, but 15, 30',
  ],
  // What the driver does not list may work.
  [webcam, { format: 'MJPG' as const }, undefined],
  [device(), {}, undefined],
  [sensor, { fps: 30 }, undefined],
  [sensor, { resolution: '3840x2160' }, 'has no 3840x2160 as NV12, but 32x32 to 2592x1944'],
  [sensor, { fps: 60 }, 'gives no 60 pictures a second of 1920x1080 as NV12, but 1 to 42.5'],
  [undefined, {}, undefined],
])('%#: what a camera does not have is said, with what it has', (camera, head, expected) => {
  expect(whatIsMissing({ ...usual, ...head }, camera)).toBe(expected);
});
