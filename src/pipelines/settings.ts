// The settings that decide what is captured, encoded and offered.
import type { AppRegistry } from '../observables/registry.js';
import type { ValueOf } from '../observables/define.js';

export const mediaKeys = [
  'activeCameraHead',
  'cameraHeadSettings',
  'encoderElement',
  'encoderPreset',
  'encoderProfile',
  'pipEnabled',
  'pipLayout',
  'pictureVariants',
  'stream2',
  'streamBitrate',
  'streamFramerate',
  'streamLatencyMode',
  'streamPreload',
  'streamRenditions',
  'streamResolution',
  'timeBlock',
  'timestampOverlay',
  'timezone',
  'videoEncoder',
] as const satisfies readonly (keyof AppRegistry)[];

export type MediaSettings = {
  readonly [K in (typeof mediaKeys)[number]]: ValueOf<AppRegistry[K]>;
};

/** What is the matter with a pipeline, for programs. */
export type Problem = NonNullable<ValueOf<AppRegistry['cameraStatus']>['primary']['problem']>;
