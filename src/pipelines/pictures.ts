// Single pictures: each form in which somebody wants them is a pipeline of its own, which exists as long as they do.
import { sizeOf } from '../observables/schemas.js';
import { history } from './launchText.js';
import { mainCamera } from './machine.js';
import { overlayProperties } from './overlay.js';
import type { PipelinePlan } from './plan.js';
import type { MediaSettings } from './settings.js';
import { undemanding } from './sources.js';

export interface PictureVariant {
  /** `raw` is red, green and blue, a byte each, line after line from the top. */
  readonly format: 'jpeg' | 'webp' | 'raw';
  /** At most; 0 for that of the camera. The form of the picture stays. */
  readonly width: number;
  /** 1 to 100; for `raw` it has no meaning. */
  readonly quality: number;
  /** At most so many a second; 0 for all. */
  readonly fps: number;
  /** Of so many captured pictures one is taken. */
  readonly every: number;
  /** What is drawn in: nothing, the time, or the same as in the streams. */
  readonly marks: 'plain' | 'time' | 'stream';
}

/** A channel whose pictures go to whoever asked for them. */
export interface TapPlan {
  readonly channel: string;
  /** The channel of the camera that fills the picture: without that one it is no photo. */
  readonly camera: string;
}

/** 63 ms for 1080p; at 4 it is more than twice as much. */
const webpSpeed = 2;

/** The name of the channel; the same for all who want the same. */
export function channelOf({ format, width, quality, fps, every, marks }: PictureVariant): string {
  const level = format === 'raw' ? 0 : quality;
  return `picture/${[format, width - (width % 2), level, fps, every, marks].join('-')}`;
}

export function variantOf(channel: string): PictureVariant {
  const [format, width, quality, fps, every, marks] = channel.replace('picture/', '').split('-');
  return {
    format: format as PictureVariant['format'],
    width: Number(width),
    quality: Number(quality),
    fps: Number(fps),
    every: Number(every),
    marks: marks as PictureVariant['marks'],
  };
}

export function picturePlan(channel: string, from: string, settings: MediaSettings): PipelinePlan {
  const variant = variantOf(channel);
  const { width, fps, every, marks } = variant;
  const isMarked = marks !== 'plain';
  return {
    name: channel,
    text: [
      `hubsrc name=frames channel=${from} max-queue=1 every=${String(every)} ${history}`,
      'videoscale',
      'capsfilter name=shape',
      ...(isMarked ? ['nv12timestamp name=time'] : []),
      ...encoderOf(variant),
      `hubsink channel=${channel}`,
    ].join(' ! '),
    live: {
      'frames.max-rate': String(fps),
      'shape.caps': `video/x-raw,format=NV12,pixel-aspect-ratio=1/1${width === 0 ? '' : `,width=[2,${String(width)}]`}`,
      ...(isMarked ? marksOf(variant, settings) : {}),
    },
    channel,
    preload: false,
    ...undemanding,
  };
}

function encoderOf({ format, quality }: PictureVariant): string[] {
  switch (format) {
    case 'jpeg':
      return [`jpegenc idct-method=ifast quality=${String(quality)}`];
    case 'webp':
      return [
        'videoconvert',
        'video/x-raw,format=I420',
        `webpenc speed=${String(webpSpeed)} quality=${String(quality)}`,
      ];
    case 'raw':
      return ['videoconvert', 'video/x-raw,format=RGB'];
  }
}

function marksOf({ width, marks }: PictureVariant, settings: MediaSettings): Record<string, string> {
  const { cameraHeadSettings, timestampOverlay } = settings;
  const own = sizeOf(cameraHeadSettings[mainCamera(settings)].resolution).width;
  const shown = width === 0 ? own : Math.min(width, own);
  const overlay = marks === 'time' ? { ...timestampOverlay, enabled: true } : timestampOverlay;
  return overlayProperties({ ...settings, timestampOverlay: overlay }, shown);
}
