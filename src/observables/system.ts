// The machine and the program: version, load, time, log.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { firmware, nobody, system } from './groups.js';
import { choice, object } from './schemas.js';

const text = Type.String({ maxLength: 256 });
const bytes = Type.Integer({ minimum: 0 });

export const systemInfo = defineObservable('systemInfo', {
  schema: object({
    version: text,
    platform: text,
    architecture: text,
    cpuModel: text,
    cpuCount: Type.Integer({ minimum: 0 }),
    nodeVersion: text,
    startedAt: text,
  }),
  default: {
    version: '',
    platform: '',
    architecture: '',
    cpuModel: '',
    cpuCount: 0,
    nodeVersion: '',
    startedAt: '',
  },
  title: 'System',
  description: 'What the server runs on.',
  read: system.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const cpuUsage = defineObservable('cpuUsage', {
  schema: Type.Number({ minimum: 0, maximum: 100 }),
  default: 0,
  title: 'Processor load',
  description: 'Share of all processors that is in use.',
  unit: '%',
  read: system.read,
  write: nobody,
  save: false,
  effect: 'none',
  deadband: 1,
});

const share = Type.Number({ minimum: 0, maximum: 100 });

export const processLoad = defineObservable('processLoad', {
  schema: object({ server: share, video: share }),
  default: { server: 0, video: 0 },
  title: 'Processor load of the server',
  description:
    'Share of all processors that the server uses itself, and that the process beside it uses, which handles the video.',
  unit: '%',
  read: system.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const memoryUsage = defineObservable('memoryUsage', {
  schema: object({ used: bytes, total: bytes, percent: Type.Number({ minimum: 0, maximum: 100 }) }),
  default: { used: 0, total: 0, percent: 0 },
  title: 'Memory',
  description: 'Memory of the machine that is in use.',
  unit: 'bytes',
  read: system.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const time = defineObservable('time', {
  schema: Type.String({ maxLength: 40 }),
  default: '1970-01-01T00:00:00.000Z',
  title: 'Time',
  description: "The machine's clock, ISO 8601.",
  read: system.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const timezone = defineObservable('timezone', {
  schema: Type.String({ minLength: 1, maxLength: 64 }),
  default: 'UTC',
  title: 'Time zone',
  description: 'Time zone for the time in the picture, file names and schedules, such as Europe/Berlin.',
  ...system,
  save: true,
  effect: 'live',
});

export const logLevel = defineObservable('logLevel', {
  schema: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace']),
  default: 'info',
  title: 'Log level',
  description: 'How much the server writes to its log.',
  ...system,
  save: true,
  effect: 'live',
});

export const swVersionNumber = defineObservable('swVersionNumber', {
  schema: Type.String({ maxLength: 64 }),
  default: '',
  title: 'Version',
  description: 'Version of the server.',
  read: [...system.read, ...firmware.read],
  write: nobody,
  save: false,
  effect: 'none',
});

export const updateAvailable = defineObservable('updateAvailable', {
  schema: Type.Boolean(),
  default: false,
  title: 'Update available',
  description: 'Whether a newer version is known.',
  read: firmware.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const timezoneExists = defineRule([timezone], (zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return undefined;
  } catch {
    return new Issue('timezone', 'Value must be a time zone such as Europe/Berlin');
  }
});
