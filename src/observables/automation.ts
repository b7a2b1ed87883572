// Sets of values under a name, changes at a time, and who holds a key for now.
import { Type } from '@sinclair/typebox';
import { Cron } from 'croner';
import { defineObservable, defineRule, Issue } from './define.js';
import { device, everybodyLoggedIn, media, nobody, system } from './groups.js';
import { named, namePattern, object, timestamp } from './schemas.js';

const values = Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9]{0,63}$' }), Type.Unknown(), {
  maxProperties: 200,
  additionalProperties: false,
});

export const presets = defineObservable('presets', {
  schema: named(object({ values, created: timestamp, by: Type.String({ maxLength: 64 }) }), 100),
  default: {},
  title: 'Presets',
  description:
    'Values of several settings under a name, to be put in force together. The values themselves are at /api/presets, for each as far as they may read the settings.',
  read: [...media.read, ...device.read, ...system.read],
  write: nobody,
  save: true,
  effect: 'none',
  outline: (all) =>
    Object.fromEntries(Object.entries(all).map(([name, preset]) => [name, { ...preset, values: {} }])),
});

export const schedules = defineObservable('schedules', {
  schema: named(
    object({
      cron: Type.String({ minLength: 9, maxLength: 64, description: 'Minute, hour, day, month, weekday.' }),
      enabled: Type.Boolean(),
      preset: Type.Optional(Type.String({ maxLength: 32, pattern: namePattern })),
      set: Type.Optional(values),
    }),
    100,
  ),
  default: {},
  title: 'Schedules',
  description: 'Changes of media and device settings at certain times, in the time zone of the server.',
  ...system,
  save: true,
  effect: 'live',
});

export const locks = defineObservable('locks', {
  schema: Type.Record(
    Type.String({ pattern: '^[A-Za-z][A-Za-z0-9]{0,63}$' }),
    object({ by: Type.String({ maxLength: 64 }), until: timestamp }),
    { maxProperties: 200, additionalProperties: false },
  ),
  default: {},
  title: 'Locks',
  description: 'Keys that somebody keeps others from writing for now.',
  read: everybodyLoggedIn,
  write: nobody,
  save: false,
  effect: 'none',
});

export const schedulesHaveTimes = defineRule([schedules], (all) => {
  for (const [name, { cron, preset, set }] of Object.entries(all)) {
    try {
      new Cron(cron, { paused: true, mode: '5-part' });
    } catch {
      return new Issue('schedules', `Value at ${name}.cron must be five fields such as "0 6 * * 1-5"`);
    }
    if (preset === undefined && set === undefined)
      return new Issue('schedules', `Value at ${name} needs a preset, or settings to set`);
  }
  return undefined;
});
