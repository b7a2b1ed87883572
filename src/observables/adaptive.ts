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

const bps = Type.Integer({ minimum: 0, description: 'bit/s' });
const reason = Type.String({ maxLength: 256 });
const cause = choice(
  ['loss', 'queue', 'growth', 'wish', 'claim', 'unknown', 'nobody'],
  'The reason as a code: packets are lost, a queue stands, nothing is in the way of growth, it is as much as is wished, the viewer itself asks for less, nothing is known of the ways, nobody watches.',
);
const known = Type.Number({ minimum: 0 });
const rung = object({
  height: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: 'Lines at most.' }),
  framerate: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: 'Frames/s at most.' }),
});
const free = { height: null, framerate: null };

export const adaptiveState = defineObservable('adaptiveState', {
  schema: object({
    active: Type.Boolean({
      description: 'Whether it follows the network: it does while it is on and somebody watches.',
    }),
    streams: Type.Record(
      Type.String({ maxLength: 32 }),
      object({
        target: bps,
        reason,
        cause: Type.Optional(cause),
        limitedBy: Type.Optional(
          Type.String({ maxLength: 64, description: 'The viewer who sets the target.' }),
        ),
        rung: Type.Optional(rung),
      }),
      { maxProperties: 8 },
    ),
    viewers: Type.Record(
      Type.String({ maxLength: 64 }),
      object({
        target: bps,
        reason,
        stream: Type.Optional(Type.String({ maxLength: 32, description: 'The one it gets now.' })),
        state: Type.Optional(choice(['starting', 'growing', 'holding', 'draining', 'competing', 'silent'])),
        votes: Type.Optional(Type.Boolean({ description: 'Whether the stream follows this viewer.' })),
        available: Type.Optional(bps),
        loss: Type.Optional(ratio),
        rtt: Type.Optional(known),
        jitter: Type.Optional(known),
        queue: Type.Optional(
          Type.Number({ minimum: 0, description: 'Milliseconds of stream that wait on the way.' }),
        ),
      }),
      { maxProperties: 256 },
    ),
  }),
  default: { active: false, streams: {}, viewers: {} },
  title: 'What the adaptive loop does',
  description:
    'The target of each stream and viewer, and why. Viewers are named as in `/api/clients`, without their addresses.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const adaptiveLadder = defineObservable('adaptiveLadder', {
  schema: object({ stream1: rung, stream2: rung }),
  default: { stream1: free, stream2: free },
  title: 'Limits set by the adaptive loop',
  description:
    'How large and how fast the streams are at most while bits are scarce; null where what people ask for holds. It moves only where `adaptiveBitrate` has `ladder`.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'renegotiate',
});

export const networkStats = defineObservable('networkStats', {
  schema: object({
    availableBandwidth: Type.Integer({ minimum: 0, description: 'bit/s; 0 where nothing is known of it.' }),
    packetLoss: ratio,
    rtt: Type.Number({ minimum: 0, description: 'Milliseconds.' }),
    jitter: Type.Number({ minimum: 0, description: 'Milliseconds.' }),
  }),
  default: { availableBandwidth: 0, packetLoss: 0, rtt: 0, jitter: 0 },
  title: 'Network',
  description:
    'What is known of the ways to the viewers, as one: the worst, or by `adaptiveBitrate.policy` all but the worst fifth, or the middle one, of those whom the streams follow.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const adaptiveBoundsInOrder = defineRule([adaptiveBitrate], ({ min, max }) =>
  min <= max ? undefined : new Issue('adaptiveBitrate', 'Value at min must not be above max'),
);
