// Picture-in-picture and the alignment of the cameras it combines.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, defineView, Issue } from './define.js';
import { media, nobody } from './groups.js';
import { camera, choice, corner, object } from './schemas.js';

export const pipEnabled = defineObservable('pipEnabled', {
  schema: Type.Boolean(),
  default: false,
  title: 'Picture-in-picture',
  description: 'Shows the second camera inside the picture of the first.',
  ...media,
  save: true,
  effect: 'rebuild',
  consequence: 'The scene is rebuilt; viewers stay connected.',
});

export const pipLayout = defineObservable('pipLayout', {
  schema: object({
    mainSource: camera,
    pipSource: camera,
    pipPosition: corner,
    pipScale: Type.Number({ minimum: 0.05, maximum: 1 }),
    pipBorder: Type.Boolean(),
    arrangement: Type.Optional(
      choice(
        ['inset', 'side-by-side', 'main-only'],
        'The small picture in the large one, both of one size, or the large one alone, ready to show the other.',
      ),
    ),
    x: Type.Optional(
      Type.Number({
        ...{ minimum: 0, maximum: 1 },
        description:
          'Left edge of the small picture, as a part of the width, in place of that of the position.',
      }),
    ),
    y: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Its upper edge, as a part of the height, likewise.',
      }),
    ),
    opacity: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Of the small picture; 1 hides what is behind it.',
      }),
    ),
    borderWidth: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'Pixels.' })),
    borderColor: Type.Optional(
      Type.String({ maxLength: 7, pattern: '^#[0-9a-fA-F]{6}$', patternText: 'be like #rrggbb' }),
    ),
  }),
  default: {
    mainSource: 'primary',
    pipSource: 'secondary',
    pipPosition: 'bottom-right',
    pipScale: 0.25,
    pipBorder: true,
  },
  title: 'Picture-in-picture layout',
  description: 'Which camera is the large picture, and where and how large the small one is.',
  ...media,
  save: true,
  effect: 'live',
});

const pipPositions = ['top-left', 'top-right', 'bottom-left', 'bottom-right', 'center'] as const;

export const pip = defineView('pip', {
  schema: choice(['off', 'on', ...pipPositions]),
  title: 'Picture-in-picture mode',
  description: 'Off, or the position of the small picture; `on` keeps the position.',
  ...media,
  legacy: { name: 'pip-mode' },
  from: [pipEnabled, pipLayout],
  compute: (enabled, { pipPosition }) => (enabled ? pipPosition : 'off'),
  assign: (mode, _enabled, layout) => {
    if (mode === 'off') return { pipEnabled: false };
    if (mode === 'on') return { pipEnabled: true };
    // A place of its own would hide the position.
    const { x: _x, y: _y, ...rest } = layout;
    return { pipEnabled: true, pipLayout: { ...rest, pipPosition: mode } };
  },
});

const Triggers = Type.Record(
  Type.String({ pattern: '^.{1,64}$' }),
  Type.Union([Type.Boolean(), Type.Integer(), Type.String({ maxLength: 64 })]),
  {
    maxProperties: 8,
    additionalProperties: false,
    description:
      'By the method `hardware`: controls of a V4L2 camera by their names, such as `Trigger Mode`, and the value each has as long as that is the method, as a number or as its menu calls it. A camera that waits for pulses shows nothing without them.',
  },
);

export const streamAlignment = defineObservable('streamAlignment', {
  schema: object({
    enabled: Type.Boolean(),
    method: choice(['timestamp', 'hardware', 'software']),
    maxLatencyMs: Type.Integer({ minimum: 0, maximum: 2000 }),
    syncTolerance: Type.Integer({ minimum: 1, maximum: 1000, description: 'Milliseconds.' }),
    triggers: Type.Optional(object({ primary: Type.Optional(Triggers), secondary: Type.Optional(Triggers) })),
  }),
  default: { enabled: true, method: 'timestamp', maxLatencyMs: 100, syncTolerance: 33 },
  title: 'Camera alignment',
  description:
    'Keeps pictures of several cameras together in time: frames further apart than the tolerance are re-aligned, adding at most the maximum latency.',
  ...media,
  save: true,
  effect: 'live',
});

const ms = Type.Number({ minimum: 0 });
const spread = object({ median: ms, worst: ms });
const count = Type.Integer({ minimum: 0 });
const inWords = Type.String({
  maxLength: 1024,
  description: 'Whether the camera has a trigger, and whether it is used.',
});

export const alignmentStatus = defineObservable('alignmentStatus', {
  schema: object({
    state: choice(
      ['idle', 'off', 'aligned', 'out of tolerance'],
      'Nobody looks at two cameras in one picture; alignment is switched off; pictures that are shown together were taken within the tolerance; they were not.',
    ),
    skewMs: spread,
    waitedMs: spread,
    lagMs: object({ primary: Type.Number(), secondary: Type.Number() }),
    repeated: count,
    dropped: count,
    reason: Type.Optional(Type.String({ maxLength: 256 })),
    triggers: object({ primary: inWords, secondary: inWords }),
  }),
  default: {
    state: 'idle',
    skewMs: { median: 0, worst: 0 },
    waitedMs: { median: 0, worst: 0 },
    lagMs: { primary: 0, secondary: 0 },
    repeated: 0,
    dropped: 0,
    triggers: { primary: 'none', secondary: 'none' },
  },
  title: 'State of the alignment',
  description:
    'Between the times at which the pictures that are shown together were taken, how long the earlier one waited, how late those of each camera come, and how many of a camera were shown twice or never.',
  unit: 'ms',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const pipSourcesDiffer = defineRule([pipLayout], ({ mainSource, pipSource }) =>
  mainSource === pipSource
    ? new Issue('pipLayout', 'Value at pipSource must be another camera than mainSource')
    : undefined,
);
