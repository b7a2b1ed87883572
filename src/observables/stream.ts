// The video streams: what they look like and what they cost.
import { Type } from '@sinclair/typebox';
import { defineDerived, defineObservable, defineRule, Issue } from './define.js';
import { media, nobody } from './groups.js';
import { bitrate, choice, framerate, object, profile, resolution, sizeOf } from './schemas.js';

export const streamResolution = defineObservable('streamResolution', {
  schema: resolution,
  default: '1920x1080',
  title: 'Resolution',
  description: 'Picture size of the main stream, both numbers even, from 160x120 to 3840x2160.',
  unit: 'pixels',
  ...media,
  save: true,
  effect: 'renegotiate',
});

export const streamFramerate = defineObservable('streamFramerate', {
  schema: framerate,
  default: 60,
  title: 'Frame rate',
  description: 'Frames per second of the main stream. A software encoder may run at less and shows it.',
  unit: 'frames/s',
  ...media,
  save: true,
  effect: 'renegotiate',
});

export const streamFramerateEffective = defineObservable('streamFramerateEffective', {
  schema: Type.Integer({ minimum: 0, maximum: 120 }),
  default: 60,
  title: 'Frame rate in force',
  description:
    'What the main stream runs at now; less than the frame rate where this machine cannot do more.',
  unit: 'frames/s',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const streamPassthrough = defineObservable('streamPassthrough', {
  schema: Type.Boolean(),
  default: true,
  title: 'Pass on as it is',
  description:
    "Whether a stream for which nothing has to be changed is passed on as the camera has encoded it, at the camera's own bitrate. Then nothing is decoded or encoded.",
  ...media,
  save: true,
  effect: 'rebuild',
  consequence: 'Viewers stay connected.',
});

const passing = object({
  active: Type.Boolean(),
  reason: Type.Optional(Type.String({ maxLength: 256, description: 'Why not.' })),
});

export const streamPassthroughStatus = defineObservable('streamPassthroughStatus', {
  schema: object({ stream1: passing, stream2: passing }),
  default: { stream1: { active: false }, stream2: { active: false } },
  title: 'Passed on as it is',
  description: 'Which streams are passed on as the camera has encoded them, and why the others are not.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const streamRenditions = defineObservable('streamRenditions', {
  schema: Type.Array(Type.String({ pattern: '^stream[12]@([0-9]+x[0-9]+|-)@([0-9]+|-)@([0-9]+|-)$' }), {
    maxItems: 16,
  }),
  default: [],
  title: 'Renditions',
  description:
    "What players have asked for in the address beside the streams: size, rate and kbit/s, `-` where it is the stream's own.",
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

const preload = choice(['auto', 'on', 'off']);

export const streamPreload = defineObservable('streamPreload', {
  schema: object({ stream1: preload, stream2: preload }),
  default: { stream1: 'auto', stream2: 'auto' },
  title: 'Keep streams warm',
  description:
    'Whether a stream is encoded while nobody watches. `auto` does it for the main stream where the encoder is hardware.',
  ...media,
  save: true,
  effect: 'live',
});

export const streamBitrate = defineObservable('streamBitrate', {
  schema: bitrate,
  default: 8_000_000,
  title: 'Bitrate',
  description: 'Upper limit for the encoder of the main stream; the adaptive loop stays below it.',
  unit: 'bit/s',
  ...media,
  save: true,
  effect: 'live',
});

export const streamBitrateEffective = defineObservable('streamBitrateEffective', {
  schema: Type.Integer({ minimum: 0, maximum: 50_000_000 }),
  default: 8_000_000,
  title: 'Bitrate in force',
  description: 'What the encoder of the main stream runs at now.',
  unit: 'bit/s',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const videoEncoder = defineObservable('videoEncoder', {
  schema: choice(['h264', 'h265', 'mjpeg']),
  default: 'h264',
  title: 'Video codec',
  description: 'How the main stream is encoded. Browsers always get H.264 over WebRTC.',
  ...media,
  save: true,
  effect: 'rebuild',
});

export const encoderElement = defineObservable('encoderElement', {
  schema: choice(['auto', 'v4l2h264enc', 'vah264enc', 'nvh264enc', 'vaapih264enc', 'x264enc', 'openh264enc']),
  default: 'auto',
  title: 'H.264 encoder',
  description:
    'The GStreamer element that encodes H.264. `auto` takes the first that this machine has, hardware before software.',
  ...media,
  save: true,
  effect: 'rebuild',
});

export const encoderProfile = defineObservable('encoderProfile', {
  schema: profile,
  default: 'high',
  title: 'H.264 profile',
  description:
    'Feature set of the encoder. Lower ones play on older devices, higher ones look better at the same bitrate.',
  ...media,
  save: true,
  effect: 'rebuild',
});

export const encoderPreset = defineObservable('encoderPreset', {
  schema: choice(['ultrafast', 'fast', 'medium', 'slow']),
  default: 'fast',
  title: 'Encoder effort',
  description: 'Slower presets give a better picture at the same bitrate and cost more computing time.',
  ...media,
  save: true,
  effect: 'rebuild',
});

export const streamLatencyMode = defineObservable('streamLatencyMode', {
  schema: choice(['low', 'normal', 'high']),
  default: 'low',
  title: 'Latency mode',
  description: 'How much is buffered against a restless network: 100, 500 or 2000 milliseconds.',
  ...media,
  save: true,
  effect: 'rebuild',
});

export const stream2 = defineObservable('stream2', {
  schema: object({
    enabled: Type.Boolean(),
    resolution,
    framerate,
    bitrate,
    profile,
  }),
  default: { enabled: true, resolution: '1280x720', framerate: 30, bitrate: 4_000_000, profile: 'main' },
  title: 'Second stream',
  description: 'The smaller stream beside the main one, for recorders and slow connections.',
  ...media,
  save: true,
  effect: 'rebuild',
  memberEffects: { resolution: 'renegotiate', framerate: 'renegotiate', bitrate: 'live' },
});

export const streams = defineDerived('streams', {
  schema: Type.Array(
    object({
      path: Type.String(),
      enabled: Type.Boolean(),
      resolution,
      framerate,
      bitrate,
      profile,
    }),
    { maxItems: 2 },
  ),
  title: 'Streams',
  description: 'The streams that can be played, with what they are encoded at.',
  read: media.read,
  from: [streamResolution, streamFramerate, streamBitrate, encoderProfile, stream2],
  compute: (size, rate, bits, encoding, second) => [
    { path: '/stream1', enabled: true, resolution: size, framerate: rate, bitrate: bits, profile: encoding },
    { path: '/stream2', ...second },
  ],
});

/** Bits per second that look good at 30 frames per second; anything not listed gets the last. */
const goodBitrates: Readonly<Record<string, number>> = {
  '3840x2160': 12_000_000,
  '1920x1080': 8_000_000,
  '1280x720': 4_000_000,
  '640x480': 2_000_000,
};
const goodBitrateOtherwise = 4_000_000;

export const recommendedBitrate = defineDerived('recommendedBitrate', {
  schema: Type.Integer(),
  title: 'Recommended bitrate',
  description:
    'What suits the resolution and frame rate of the main stream; advice, never applied by itself.',
  unit: 'bit/s',
  read: media.read,
  from: [streamResolution, streamFramerate],
  compute: (size, rate) => Math.round(((goodBitrates[size] ?? goodBitrateOtherwise) * rate) / 30),
});

function sizeIssue(key: string, size: string): Issue | undefined {
  const { width, height } = sizeOf(size);
  const fits = width >= 160 && width <= 3840 && height >= 120 && height <= 2160;
  if (fits && width % 2 === 0 && height % 2 === 0) return undefined;
  return new Issue(key, 'Value must have an even width and height between 160x120 and 3840x2160');
}

export const resolutionsFit = [
  defineRule([streamResolution], (size) => sizeIssue('streamResolution', size)),
  defineRule([stream2], ({ resolution: size }) => sizeIssue('stream2', size)),
];
