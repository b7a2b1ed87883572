// What the machine can do, and what that leaves of a wish.
import type { MediaSettings } from './settings.js';

type CameraSettings = Pick<MediaSettings, 'activeCameraHead' | 'cameraHeadSettings'>;

export interface Machine {
  readonly cores: number;
  /** Names of the encoder elements that can be made here. */
  readonly encoders: readonly string[];
  /** Whether H.264 is encoded by hardware. */
  readonly hardware: boolean;
}

/** Millions of pixels that a core encodes in a second, by effort: what was measured, less a reserve for busy pictures. */
const speed: Readonly<Record<MediaSettings['encoderPreset'], number>> = {
  ultrafast: 80,
  fast: 60,
  medium: 40,
  slow: 25,
};
/** The rest of the machine is for viewers, capture and everything else. */
const shareForEncoding = 0.8;

/**
 * The rate of the main stream: as wished, but no faster than the camera. Where software cannot encode the wish in real time, a whole part of it is taken, so that
 * pictures stay evenly spaced: a lower rate is better than a growing delay.
 */
export function effectiveFramerate(settings: MediaSettings, machine: Machine): number {
  const { streamFramerate, streamResolution, stream2, encoderPreset } = settings;
  const wish = Math.min(streamFramerate, cameraFramerate(settings));
  if (machine.hardware) return wish;
  const budget = speed[encoderPreset] * 1e6 * machine.cores * shareForEncoding;
  const second = stream2.enabled ? pixelsOf(stream2.resolution) * stream2.framerate : 0;
  const fits = (rate: number): boolean => pixelsOf(streamResolution) * rate + second <= budget;
  for (let part = 1; part < wish; part += 1) {
    const rate = Math.round(wish / part);
    if (fits(rate)) return rate;
  }
  return 1;
}

/** Pictures cannot be had faster than they are taken. */
export function cameraFramerate({ activeCameraHead, cameraHeadSettings }: CameraSettings): number {
  return cameraHeadSettings[activeCameraHead === 0 ? 'primary' : 'secondary'].fps;
}

function pixelsOf(resolution: string): number {
  const [width = 0, height = 0] = resolution.split('x').map(Number);
  return width * height;
}
