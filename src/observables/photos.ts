// Photos: when they are taken by themselves, how long they are kept, and how that goes.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { media, nobody, storage } from './groups.js';
import { object, timestamp } from './schemas.js';

const count = Type.Integer({ minimum: 0 });
/** A week. */
export const longestPhotoInterval = 604_800;

export const photoInterval = defineObservable('photoInterval', {
  schema: Type.Integer({ minimum: 0, maximum: longestPhotoInterval }),
  default: 0,
  title: 'Photo interval',
  description:
    'A photo is stored each time so many seconds have passed, counted from 1970, so that a restart does not shift them; 0 stores none.',
  unit: 's',
  ...media,
  save: true,
  effect: 'live',
});

export const photoRetention = defineObservable('photoRetention', {
  schema: object({
    days: Type.Integer({ minimum: 0, maximum: 36_500, description: '0 keeps them whatever their age.' }),
    count: Type.Integer({ minimum: 0, maximum: 1_000_000, description: '0 keeps any number.' }),
    minFreeMb: Type.Integer({
      minimum: 0,
      maximum: 100_000_000,
      description: 'Space that photos leave on the disk, in megabytes.',
    }),
  }),
  default: { days: 0, count: 10_000, minFreeMb: 512 },
  title: 'How long photos are kept',
  description: 'Photos beyond these limits are deleted, the oldest first.',
  ...storage,
  save: true,
  effect: 'none',
});

export const photoStatus = defineObservable('photoStatus', {
  schema: object({
    count,
    bytes: count,
    last: Type.Optional(object({ key: Type.String({ maxLength: 255 }), takenAt: timestamp })),
    failure: Type.Optional(
      Type.String({ maxLength: 512, description: 'Why the last photo could not be stored.' }),
    ),
  }),
  default: { count: 0, bytes: 0 },
  title: 'Stored photos',
  description: 'How many there are, which is the last, and what went wrong since.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const pictureVariants = defineObservable('pictureVariants', {
  schema: Type.Array(
    Type.String({
      maxLength: 64,
      pattern: '^picture/(jpeg|webp|raw)-[0-9]+-[0-9]+-[0-9]+-[0-9]+-(plain|time|stream)$',
    }),
    { maxItems: 12 },
  ),
  default: [],
  title: 'Pictures being made',
  description:
    'Each form in which somebody wants single pictures now: format, width, quality, rate, every so many, and what is drawn in; 0 where the camera decides.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});
