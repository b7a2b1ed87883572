// The RTSP server: whether and where it listens, and whom it lets in.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { media, nobody } from './groups.js';
import { choice, object, port } from './schemas.js';

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

export const rtspMaxSessions = defineObservable('rtspMaxSessions', {
  schema: Type.Integer({ minimum: 1, maximum: 1000 }),
  default: 10,
  title: 'RTSP players at once',
  description: 'How many may play over RTSP at the same time; one more is turned away.',
  ...media,
  save: true,
  effect: 'live',
});

export const rtspMulticast = defineObservable('rtspMulticast', {
  schema: object({
    enabled: Type.Boolean(),
    address: Type.String({
      maxLength: 15,
      pattern: '^2(2[4-9]|3[0-9])[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}$',
      patternText: 'be an IPv4 address from 224.0.0.0 to 239.255.255.255',
    }),
    port: Type.Integer({ minimum: 1024, maximum: 65_520, description: 'The first of sixteen.' }),
    ttl: Type.Integer({ minimum: 1, maximum: 255 }),
    interface: Type.String({
      maxLength: 15,
      description: 'Name of the network, such as eth0; empty for what the system chooses.',
    }),
  }),
  default: { enabled: false, address: '239.255.42.1', port: 5004, ttl: 1, interface: '' },
  title: 'Multicast',
  description: 'Whether players may share one stream that the network copies.',
  ...media,
  save: true,
  effect: 'live',
  consequence: 'A change ends the multicast sessions that are playing.',
});
