// The RTSP server: whether and where it listens, and whom it lets in.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { media, nobody } from './groups.js';
import { choice, port } from './schemas.js';

export const rtspEnabled = defineObservable('rtspEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'RTSP server',
  description: 'Whether players can fetch the streams over RTSP.',
  ...media,
  save: true,
  effect: 'live',
  consequence: 'Switching off ends the RTSP sessions that are playing.',
});

export const rtspPort = defineObservable('rtspPort', {
  schema: port,
  default: 8554,
  title: 'RTSP port',
  description: 'TCP port of the RTSP server.',
  ...media,
  save: true,
  effect: 'live',
  consequence: 'New players connect to the new port; those that are playing go on.',
});

export const rtspPath = defineObservable('rtspPath', {
  schema: Type.String({ maxLength: 64 }),
  default: '/stream1',
  title: 'RTSP path',
  description: 'Path of the main stream.',
  read: media.read,
  write: nobody,
  save: true,
  effect: 'none',
});

export const rtspAuth = defineObservable('rtspAuth', {
  schema: choice(['off', 'optional', 'required']),
  default: 'required',
  title: 'RTSP log-in',
  description: 'Whether RTSP players must log in. Wrong credentials are refused in every mode.',
  ...media,
  save: true,
  effect: 'live',
});

export const rtspsEnabled = defineObservable('rtspsEnabled', {
  schema: Type.Boolean(),
  default: false,
  title: 'RTSP over TLS',
  description: 'Whether the streams are offered encrypted as well, with the certificate of the web server.',
  ...media,
  save: true,
  effect: 'live',
});

export const rtspsPort = defineObservable('rtspsPort', {
  schema: port,
  default: 322,
  title: 'RTSPS port',
  description: 'TCP port of the encrypted RTSP server. Ports below 1024 may need a privilege.',
  ...media,
  save: true,
  effect: 'live',
});
