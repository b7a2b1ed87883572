// What is drawn over the picture.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { media } from './groups.js';
import { choice, corner, object, path, ratio } from './schemas.js';

const colour = Type.String({
  maxLength: 32,
  pattern: '^(#[0-9A-Fa-f]{6}|[a-z]+)$',
  patternText: 'be a colour name or #RRGGBB',
});

export const timestampOverlay = defineObservable('timestampOverlay', {
  schema: object({
    enabled: Type.Boolean(),
    position: corner,
    format: Type.String({ minLength: 1, maxLength: 64 }),
    fontSize: Type.Integer({ minimum: 8, maximum: 128 }),
    color: colour,
    background: choice(['none', 'semi-transparent', 'opaque']),
  }),
  default: {
    enabled: true,
    position: 'bottom-left',
    format: 'yyyy-MM-dd HH:mm:ss',
    fontSize: 24,
    color: 'white',
    background: 'semi-transparent',
  },
  title: 'Time in the picture',
  description: 'Burns the time at which a frame was taken into the picture.',
  ...media,
  save: true,
  effect: 'live',
});

export const timeBlock = defineObservable('timeBlock', {
  schema: Type.Boolean(),
  default: false,
  title: 'Time for programs',
  description:
    'Draws the time at which a frame was taken as a row of black and white cells at the top left, from which programs read delay and alignment.',
  ...media,
  save: true,
  effect: 'live',
});

export const logoOverlay = defineObservable('logoOverlay', {
  schema: object({ enabled: Type.Boolean(), image: path, position: corner, scale: ratio, opacity: ratio }),
  default: { enabled: false, image: '', position: 'top-right', scale: 0.1, opacity: 0.8 },
  title: 'Logo',
  description: 'An image file to be shown over the picture. Kept without effect in this version.',
  ...media,
  save: true,
  effect: 'live',
});
