// What the machine can do, and what that leaves of a wish.
import { sizeOf } from '../observables/schemas.js';
import { pixelsPerCore, type Codec } from './encoders.js';
import type { MediaSettings } from './settings.js';

export type CameraSettings = Pick<
  MediaSettings,
  'activeCameraHead' | 'cameraHeadSettings' | 'pipEnabled' | 'pipLayout'
>;

export interface Machine {
  readonly cores: number;
  /** Names of the encoder elements that can be made here. */
  readonly encoders: readonly string[];
}

/** The rest of the machine is for viewers, capture and everything else. */
const shareForEncoding = 0.8;

/**
 * The rate of the main stream: as wished, but no faster than the camera. Where software cannot encode the wish in real
 * time, a whole part of it is taken, so that pictures stay evenly spaced: a lower rate is better than a growing delay.
 */
export function effectiveFramerate(settings: MediaSettings, machine: Machine): number {
  const { streamFramerate, streamResolution, stream2, videoEncoder } = settings;
  const wish = Math.min(streamFramerate, cameraFramerate(settings));
  const cores = (codec: Codec, resolution: string, rate: number): number =>
    (pixelsOf(resolution) * rate) / pixelsPerCore(codec, settings, machine);
  const second = stream2.enabled ? cores('h264', stream2.resolution, stream2.framerate) : 0;
  const budget = machine.cores * shareForEncoding - second;
  const fits = (rate: number): boolean => cores(videoEncoder, streamResolution, rate) <= budget;
  if (fits(wish)) return wish;
  for (let part = 1; part < wish; part += 1) {
    const rate = Math.round(wish / part);
    if (fits(rate)) return rate;
  }
  return 1;
}

/** Pictures cannot be had faster than they are taken. */
export function cameraFramerate(settings: CameraSettings): number {
  return settings.cameraHeadSettings[mainCamera(settings)].fps;
}

/** The camera that fills the picture. */
export function mainCamera({
  activeCameraHead,
  pipEnabled,
  pipLayout,
}: Omit<CameraSettings, 'cameraHeadSettings'>): 'primary' | 'secondary' {
  if (pipEnabled) return pipLayout.mainSource;
  return activeCameraHead === 0 ? 'primary' : 'secondary';
}

function pixelsOf(resolution: string): number {
  const { width, height } = sizeOf(resolution);
  return width * height;
}
