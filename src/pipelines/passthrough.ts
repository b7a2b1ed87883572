// Whether a stream can be what the camera itself has encoded, without being decoded and encoded again.
import { sourceOf } from '../observables/camera.js';
import { sizeOf } from '../observables/schemas.js';
import { deviceOf } from './controls.js';
import { mainCamera } from './machine.js';
import { isChanged, pictureProperties } from './picture.js';
import type { MediaSettings } from './settings.js';
import { isCoded } from './sources.js';

export interface StreamWish {
  readonly codec: MediaSettings['videoEncoder'];
  readonly resolution: string;
  readonly wishedFramerate: number;
}

/** What stands in the way, in words for people; nothing where the stream passes as it is. */
export function obstacleTo(wish: StreamWish, settings: MediaSettings): string | undefined {
  const { streamPassthrough, pipEnabled, timestampOverlay, timeBlock, cameraFormats } = settings;
  if (!streamPassthrough) return 'it is switched off';
  if (pipEnabled) return 'two cameras are shown in one picture';
  const camera = mainCamera(settings);
  const head = settings.cameraHeadSettings[camera];
  if (!isCoded(head)) return 'the camera sends no encoded video';
  const format = cameraFormats[camera];
  if (format?.from !== sourceOf(head)) return 'it is not known yet what the camera sends';
  if (format.codec !== wish.codec) return `the camera sends ${format.codec}, and ${wish.codec} is asked for`;
  // Between H.264 streams of different cameras there is no difference that matters; of others, browsers know little.
  if (wish.codec !== 'h264') return 'only H.264 is passed on as it is';
  const { width, height } = sizeOf(wish.resolution);
  if (format.width !== width || format.height !== height)
    return `the camera sends ${String(format.width)}x${String(format.height)}, and ${wish.resolution} is asked for`;
  if (format.framerate > wish.wishedFramerate)
    return `the camera sends ${String(format.framerate)} frames/s, and ${String(wish.wishedFramerate)} are asked for`;
  if (isChanged(pictureProperties(settings, deviceOf(head, settings.videoDevices))))
    return 'the picture is turned, enlarged or coloured (videoRotation, videoFlip, digitalZoom, imageSettings)';
  if (timestampOverlay.enabled) return 'the time is drawn into the picture (timestampOverlay)';
  if (timeBlock) return 'the time for programs is drawn into the picture (timeBlock)';
  return undefined;
}

/** Of a stream that passes as it is. Cameras that do not say how many frames they send are taken at their settings. */
export function passedFramerate(settings: MediaSettings): number {
  const camera = mainCamera(settings);
  const told = settings.cameraFormats[camera]?.framerate ?? 0;
  return Math.max(1, Math.round(told === 0 ? settings.cameraHeadSettings[camera].fps : told));
}
