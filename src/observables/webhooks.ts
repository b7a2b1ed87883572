// Webhooks: who else is told when something happens.
import { Type, type Static } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { forbiddenPorts } from './forbiddenPorts.js';
import { nobody, system } from './groups.js';
import { choice, listOf, named, namePattern, object, timestamp } from './schemas.js';

export const hookEvents = [
  'client-connected',
  'client-disconnected',
  'source-lost',
  'source-back',
  'recording-started',
  'recording-stopped',
  'apply-failed',
  'stream-unhealthy',
  'stream-healthy',
] as const;
export type HookEvent = (typeof hookEvents)[number];

const Hook = object({
  name: Type.String({ minLength: 1, maxLength: 32, pattern: namePattern }),
  url: Type.String({
    minLength: 8,
    maxLength: 512,
    pattern: '^https?://[^\\s]+$',
    patternText: 'be an address that starts with http:// or https://',
  }),
  events: listOf(choice(hookEvents), hookEvents.length),
  secret: Type.Optional(
    Type.String({
      minLength: 8,
      maxLength: 128,
      description: 'Write-only. What is sent is signed with it, so that the receiver can tell who sent it.',
    }),
  ),
  secretSet: Type.Optional(Type.Boolean({ description: 'Shown in place of the secret.' })),
  enabled: Type.Boolean(),
});
export type Hook = Static<typeof Hook>;

export const webhooks = defineObservable('webhooks', {
  schema: listOf(Hook, 16),
  default: [],
  title: 'Webhooks',
  description:
    'Addresses that are told by HTTP when something happens: who comes and goes, a camera that is lost, a change that failed. See operations.md.',
  // An address may be all that it takes to speak there, as with those of chat services.
  read: ['System_rw'],
  write: system.write,
  save: true,
  effect: 'live',
  redact: (hooks) =>
    hooks.map(({ secret, ...shown }) => (secret === undefined ? shown : { ...shown, secretSet: true })),
  // Who sends the list back as it was read does not have the secrets, and must not lose them.
  normalise: (hooks, previous) =>
    hooks.map(({ secretSet, ...hook }) => {
      if (hook.secret !== undefined || secretSet !== true) return hook;
      const secret = previous.find(({ name }) => name === hook.name)?.secret;
      return secret === undefined ? hook : { ...hook, secret };
    }),
});

export const webhookStatus = defineObservable('webhookStatus', {
  schema: named(
    object({
      lastSuccess: Type.Optional(timestamp),
      lastError: Type.Optional(Type.String({ maxLength: 256 })),
      lastErrorAt: Type.Optional(timestamp),
      queued: Type.Integer({ minimum: 0, description: 'Events that wait to be sent.' }),
      dropped: Type.Integer({ minimum: 0, description: 'Events that were given up.' }),
    }),
    16,
  ),
  default: {},
  title: 'State of the webhooks',
  description: 'Of each webhook: when it was last reached, what was last the matter, what waits.',
  read: system.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const webhooksCanBeReached = defineRule([webhooks], (hooks) => {
  const taken = new Set<string>();
  for (const [index, { name, url }] of hooks.entries()) {
    if (taken.has(name))
      return new Issue('webhooks', `Value at ${String(index)}.name: there are two ${name}`);
    taken.add(name);
    const trouble = troubleWith(url);
    if (trouble !== undefined) return new Issue('webhooks', `Value at ${String(index)}.url ${trouble}`);
  }
  return undefined;
});

/** The schema has seen to the protocol. */
function troubleWith(url: string): string | undefined {
  if (!URL.canParse(url)) return 'is not an address that can be reached';
  const { username, password, port } = new URL(url);
  // It would be shown to everybody who may read the list.
  if (username !== '' || password !== '') return 'must not hold an account; the secret tells who sends';
  return port !== '' && forbiddenPorts.has(Number(port))
    ? `must not have the port ${port}: it belongs to another protocol, and nothing is ever sent there over HTTP`
    : undefined;
}
