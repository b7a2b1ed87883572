// The adaptive-bitrate loop: what it may do, and what it says it does.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { media, nobody } from './groups.js';
import { bitrate, choice, object, ratio } from './schemas.js';

export const adaptiveBitrate = defineObservable('adaptiveBitrate', {
  schema: object({
    mode: choice(['off', 'rotoclear', 'auto']),
    min: bitrate,
    max: bitrate,
    policy: Type.Optional(choice(['worst', 'percentile', 'majority'])),
    ladder: Type.Optional(Type.Boolean()),
  }),
  default: { mode: 'auto', min: 500_000, max: 12_000_000, policy: 'percentile', ladder: true },
  title: 'Adaptive bitrate',
  description:
    'Whether and within which bounds the bitrate follows the network: `off` keeps it, `rotoclear` follows the simple law of the reference product, `auto` measures queue, loss and spare capacity. `policy` says whose network counts when several watch; `ladder` lets it lower frame rate and size when bits alone do not suffice.',
  unit: 'bit/s',
  ...media,
  save: true,
  effect: 'live',
});

const Decision = object({
  target: Type.Integer({ minimum: 0 }),
  reason: Type.String({ maxLength: 256 }),
});

export const adaptiveState = defineObservable('adaptiveState', {
  schema: object({
    active: Type.Boolean(),
    streams: Type.Record(Type.String({ maxLength: 32 }), Decision, { maxProperties: 8 }),
    viewers: Type.Record(Type.String({ maxLength: 64 }), Decision, { maxProperties: 256 }),
  }),
  default: { active: false, streams: {}, viewers: {} },
  title: 'What the adaptive loop does',
  description: 'The target of each stream and viewer, and why.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const networkStats = defineObservable('networkStats', {
  schema: object({
    availableBandwidth: Type.Integer({ minimum: 0, description: 'bit/s' }),
    packetLoss: ratio,
    rtt: Type.Number({ minimum: 0, description: 'Milliseconds.' }),
    jitter: Type.Number({ minimum: 0, description: 'Milliseconds.' }),
  }),
  default: { availableBandwidth: 0, packetLoss: 0, rtt: 0, jitter: 0 },
  title: 'Network',
  description: 'What the viewers report about the network.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const adaptiveBoundsInOrder = defineRule([adaptiveBitrate], ({ min, max }) =>
  min <= max ? undefined : new Issue('adaptiveBitrate', 'Value at min must not be above max'),
);
