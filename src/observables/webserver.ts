// The web servers that carry the page, the HTTP API and the WebSockets. A wrong value here can shut everybody out.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { network, nobody, system } from './groups.js';
import { object, port } from './schemas.js';

export const httpServerEnabled = defineObservable('httpServerEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'HTTP',
  description: 'Whether the web server answers without encryption.',
  ...network,
  save: true,
  effect: 'live',
  lockout: true,
  consequence: 'Switching off ends new unencrypted connections; those that are open go on until they end.',
});

export const httpPort = defineObservable('httpPort', {
  schema: port,
  default: 8080,
  title: 'HTTP port',
  description: 'TCP port of the web server without encryption.',
  ...network,
  save: true,
  effect: 'live',
  lockout: true,
  consequence: 'The page and all clients must use the new port; connections that are open go on.',
});

export const httpsServerEnabled = defineObservable('httpsServerEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'HTTPS',
  description: 'Whether the web server answers with encryption.',
  ...network,
  save: true,
  effect: 'live',
  lockout: true,
  consequence: 'Switching off ends new encrypted connections; those that are open go on until they end.',
});

export const httpsPort = defineObservable('httpsPort', {
  schema: port,
  default: 8081,
  title: 'HTTPS port',
  description: 'TCP port of the web server with encryption.',
  ...network,
  save: true,
  effect: 'live',
  lockout: true,
  consequence: 'The page and all clients must use the new port; connections that are open go on.',
});

export const allowedOrigins = defineObservable('allowedOrigins', {
  schema: Type.Array(
    Type.String({
      maxLength: 256,
      pattern: '^https?://[A-Za-z0-9.:\\[\\]-]+$',
      patternText: 'be an origin such as https://panel.example',
    }),
    { maxItems: 32 },
  ),
  default: [],
  title: 'Allowed origins',
  description: 'Other web pages that may use the API from a browser. The own page always may.',
  ...network,
  save: true,
  effect: 'live',
});

export const tlsCertificate = defineObservable('tlsCertificate', {
  schema: object({
    fingerprint: Type.String({ maxLength: 128 }),
    subject: Type.String({ maxLength: 512 }),
    notAfter: Type.String({ maxLength: 64 }),
    selfSigned: Type.Boolean(),
  }),
  default: { fingerprint: '', subject: '', notAfter: '', selfSigned: true },
  title: 'Certificate',
  description: 'The certificate that HTTPS and RTSPS show.',
  read: [...network.read, ...system.read],
  write: nobody,
  save: false,
  effect: 'none',
});

const perSecond = Type.Integer({ minimum: 1, maximum: 100_000 });

export const rateLimits = defineObservable('rateLimits', {
  schema: object({
    imagesPerSecond: perSecond,
    filesPerSecond: perSecond,
    apiPerSecond: perSecond,
    uploadsPerSecond: perSecond,
  }),
  default: { imagesPerSecond: 10, filesPerSecond: 5, apiPerSecond: 100, uploadsPerSecond: 2 },
  title: 'Rate limits',
  description: 'How many HTTP requests one address may make in a second.',
  unit: '1/s',
  ...system,
  save: true,
  effect: 'live',
});

export const oneWebServerIsAlwaysRunning = defineRule(
  [httpServerEnabled, httpsServerEnabled],
  (plain, encrypted) =>
    plain || encrypted
      ? undefined
      : new Issue('httpServerEnabled', 'Value false would leave no web server; HTTPS is off as well'),
);
