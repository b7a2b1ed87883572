// Recording: what is going on, and how the next recording will be made.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineView, Issue, type PatchOf } from './define.js';
import { media, nobody } from './groups.js';
import {
  bitrate,
  choice,
  framerate,
  milliseconds,
  object,
  percent,
  resolution,
  shortText,
} from './schemas.js';

const format = choice(['mp4', 'avi', 'mkv']);

export const recordingState = defineObservable('recordingState', {
  schema: choice(['stopped', 'recording', 'paused']),
  default: 'stopped',
  title: 'Recording',
  description: 'Whether a recording runs.',
  ...media,
  save: false,
  effect: 'live',
  normalise: (state, previous) =>
    state === 'paused' && previous === 'stopped'
      ? new Issue('recordingState', 'Value "paused" needs a recording that runs')
      : state,
});

const commands = ['on', 'off', 'start', 'stop', 'pause', 'pause_release'] as const;

export const record = defineView('record', {
  schema: Type.Union([Type.Boolean(), choice(commands)]),
  title: 'Record',
  description: 'Starts, stops, pauses and resumes recording; reads true, false or "pause".',
  ...media,
  from: [recordingState],
  compute: (state) => (state === 'paused' ? 'pause' : state === 'recording'),
  assign: (command, state): PatchOf<readonly [typeof recordingState]> | Issue => {
    switch (command) {
      case true:
      case 'on':
      case 'start':
        return { recordingState: 'recording' };
      case false:
      case 'off':
      case 'stop':
        return { recordingState: 'stopped' };
      case 'pause':
        return state === 'stopped'
          ? new Issue('record', 'Value "pause" needs a recording that runs')
          : { recordingState: 'paused' };
      case 'pause_release':
        return state === 'paused'
          ? { recordingState: 'recording' }
          : new Issue('record', 'Value "pause_release" needs a recording that is paused');
    }
  },
});

export const recordingMode = defineObservable('recordingMode', {
  schema: choice(['video', 'timelapse', 'slowmotion']),
  default: 'video',
  title: 'Recording mode',
  description: 'How the next recording is made.',
  ...media,
  save: true,
  effect: 'none',
});

export const currentRecordingFile = defineObservable('currentRecordingFile', {
  schema: Type.String({ maxLength: 512 }),
  default: '',
  title: 'Current recording',
  description: 'The file that is being written; empty when nothing is recorded.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const changePostName = defineObservable('changePostName', {
  schema: shortText,
  default: '',
  title: 'Name of the next recording',
  description: 'Used for the next recording in place of date and time.',
  ...media,
  save: false,
  effect: 'none',
});

export const timelapseInterval = defineObservable('timelapseInterval', {
  schema: milliseconds,
  default: 5000,
  title: 'Time-lapse interval',
  description: 'Time between two pictures of a time-lapse.',
  unit: 'ms',
  ...media,
  save: true,
  effect: 'live',
});

export const timelapseDuration = defineObservable('timelapseDuration', {
  schema: milliseconds,
  default: 3_600_000,
  title: 'Time-lapse duration',
  description: 'How long a time-lapse runs.',
  unit: 'ms',
  ...media,
  save: true,
  effect: 'live',
});

export const slowMotionFps = defineObservable('slowMotionFps', {
  schema: Type.Integer({ minimum: 30, maximum: 1000 }),
  default: 120,
  title: 'Slow-motion capture rate',
  description: 'Frames per second taken for slow motion.',
  unit: 'frames/s',
  ...media,
  save: true,
  effect: 'live',
});

export const videoRecordingSettings = defineObservable('videoRecordingSettings', {
  schema: object({ resolution, fps: framerate, bitrate, audio: Type.Boolean(), format }),
  default: { resolution: '1920x1080', fps: 60, bitrate: 8_000_000, audio: true, format: 'mp4' },
  title: 'Video recordings',
  description: 'How video is recorded.',
  ...media,
  save: true,
  effect: 'none',
});

export const timelapseSettings = defineObservable('timelapseSettings', {
  schema: object({ interval: milliseconds, resolution, duration: milliseconds, format }),
  default: { interval: 5000, resolution: '1920x1080', duration: 3_600_000, format: 'mp4' },
  title: 'Time-lapse recordings',
  description: 'How a time-lapse is recorded.',
  ...media,
  save: true,
  effect: 'none',
});

export const slowMotionSettings = defineObservable('slowMotionSettings', {
  schema: object({
    captureFps: Type.Integer({ minimum: 30, maximum: 1000 }),
    playbackFps: framerate,
    resolution,
    bitrate,
    format,
  }),
  default: { captureFps: 120, playbackFps: 30, resolution: '1920x1080', bitrate: 12_000_000, format: 'mp4' },
  title: 'Slow-motion recordings',
  description: 'How slow motion is recorded.',
  ...media,
  save: true,
  effect: 'none',
});

export const pictureQuality = defineObservable('pictureQuality', {
  schema: percent,
  default: 85,
  title: 'JPEG quality',
  description: 'Quality of photos, from 0 (small) to 100 (best).',
  unit: '%',
  ...media,
  legacy: { name: 'jpeg-quality' },
  save: true,
  effect: 'live',
});
