// The settings that decide what is captured, encoded and offered.
import type { AppRegistry } from '../observables/registry.js';
import type { ValueOf } from '../observables/define.js';

export const mediaKeys = [
  'activeCameraHead',
  'adaptiveLadder',
  'autoExposure',
  'blueGain',
  'cameraFormats',
  'cameraHeadSettings',
  'digitalZoom',
  'encoderElement',
  'encoderPreset',
  'encoderProfile',
  'gain',
  'imageSettings',
  'light0',
  'light1',
  'lightEnabled',
  'lightIntensity',
  'lightTemperature',
  'manualExposure',
  'pipEnabled',
  'pipLayout',
  'redGain',
  'pictureVariants',
  'stream2',
  'streamAlignment',
  'streamBitrate',
  'streamFramerate',
  'streamLatencyMode',
  'streamPassthrough',
  'streamPreload',
  'streamRenditions',
  'streamResolution',
  'timeBlock',
  'timestampOverlay',
  'timezone',
  'videoDevices',
  'videoEncoder',
  'videoFlip',
  'videoRotation',
  'whiteBalance',
] as const satisfies readonly (keyof AppRegistry)[];

export type MediaSettings = {
  readonly [K in (typeof mediaKeys)[number]]: ValueOf<AppRegistry[K]>;
};

export type Head = MediaSettings['cameraHeadSettings']['primary'];
export type { VideoDevice } from '../observables/devices.js';

/** What is the matter with a pipeline, for programs. */
export type Problem = NonNullable<ValueOf<AppRegistry['cameraStatus']>['primary']['problem']>;
