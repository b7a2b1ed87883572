// Older names that have a value of their own: each is another view of a setting above.
import { Type } from '@sinclair/typebox';
import { defineView } from './define.js';
import { media } from './groups.js';
import { resolution as resolutionSchema } from './schemas.js';
import { streamFramerate, streamResolution } from './stream.js';

export const resolution = defineView('resolution', {
  schema: resolutionSchema,
  title: 'Resolution (older name)',
  description: 'The same as the resolution of the main stream.',
  unit: 'pixels',
  ...media,
  from: [streamResolution],
  compute: (size) => size,
  assign: (size) => ({ streamResolution: size }),
});

export const fps = defineView('fps', {
  schema: Type.Integer({ minimum: 5, maximum: 60 }),
  title: 'Frame rate (older name)',
  description: 'The frame rate of the main stream, within the bounds of older clients.',
  unit: 'frames/s',
  ...media,
  from: [streamFramerate],
  compute: (rate) => rate,
  assign: (rate) => ({ streamFramerate: rate }),
});
