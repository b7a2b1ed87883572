// WebRTC: pictures in the browser with little delay.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { media } from './groups.js';
import { object } from './schemas.js';

export const webrtcEnabled = defineObservable('webrtcEnabled', {
  schema: Type.Boolean(),
  default: false,
  title: 'WebRTC',
  description: 'Whether browsers can fetch the streams over WebRTC.',
  ...media,
  save: true,
  effect: 'live',
  consequence: 'Switching off ends the WebRTC sessions that are playing.',
});

export const webrtcMaxSessions = defineObservable('webrtcMaxSessions', {
  schema: Type.Integer({ minimum: 1, maximum: 1000 }),
  default: 10,
  title: 'WebRTC players at once',
  description: 'How many may play over WebRTC at the same time; one more is turned away.',
  ...media,
  save: true,
  effect: 'live',
});

const address = Type.String({
  minLength: 6,
  maxLength: 256,
  pattern: '^(stun|stuns|turn|turns):[^ ]+$',
  patternText: 'start with stun:, stuns:, turn: or turns:',
});

const IceServer = object({
  urls: Type.Union([address, Type.Array(address, { minItems: 1, maxItems: 8 })]),
  username: Type.Optional(Type.String({ maxLength: 256 })),
  credential: Type.Optional(Type.String({ maxLength: 512, description: 'Write-only.' })),
  credentialSet: Type.Optional(Type.Boolean({ description: 'Shown in place of the credential.' })),
});

export const webrtcIceServers = defineObservable('webrtcIceServers', {
  schema: Type.Array(IceServer, { maxItems: 8 }),
  default: [],
  title: 'ICE servers',
  description:
    'STUN and TURN servers that help WebRTC through routers. None is needed on a local network, and none is asked unless it is listed here.',
  ...media,
  save: true,
  effect: 'live',
  redact: (servers) =>
    servers.map(({ credential, ...rest }) =>
      credential === undefined ? rest : { ...rest, credentialSet: true },
    ),
  // Who sends the list back as it was read does not have the credentials, and must not lose them.
  normalise: (servers, previous) =>
    servers.map(({ credentialSet, ...server }) => {
      const urls = [server.urls].flat();
      if (server.credential !== undefined || credentialSet !== true) return { ...server, urls };
      const same = previous.find(
        (before) => before.username === server.username && [before.urls].flat().join(' ') === urls.join(' '),
      );
      return same?.credential === undefined
        ? { ...server, urls }
        : { ...server, urls, credential: same.credential };
    }),
});
