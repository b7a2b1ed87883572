// Views, rules and redaction over all declarations, with values made from their own schemas.
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyDefinition } from '../../src/observables/define.js';
import { registry, rules, type AppRegistry, type Key } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { Store } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { admin } from '../support/people.js';

function makeStore(held: typeof rules = rules): Store<AppRegistry> {
  return new Store({
    registry,
    rules: held,
    persistence: new MemoryJournal(),
    seal: (_key, json) => Buffer.from(json).toString('hex'),
  });
}

/** Values that a schema accepts, as far as settings use it. */
function values(schema: TSchema): fc.Arbitrary<unknown> {
  const {
    type,
    anyOf,
    enum: choices,
    minimum,
    maximum,
    pattern,
  } = schema as {
    readonly type?: string;
    readonly anyOf?: readonly TSchema[];
    readonly enum?: readonly unknown[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly pattern?: string;
  };
  if (choices !== undefined) return fc.constantFrom(...choices);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(values));
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') return fc.integer({ min: minimum ?? 0, max: maximum ?? 1_000_000 });
  if (type === 'number') return fc.double({ min: minimum ?? 0, max: maximum ?? 1_000_000, noNaN: true });
  if (pattern !== undefined) return fc.constantFrom('1280x720', '640x480', '3840x2160');
  throw new Error(`no values for ${JSON.stringify(schema)}`);
}

const definitions: readonly (readonly [Key, AnyDefinition])[] = Object.entries(registry) as never;
const views = definitions.filter(([, { kind }]) => kind === 'view');

describe('a view', () => {
  it('is one of several', () => {
    expect(views.length).toBeGreaterThanOrEqual(12);
  });

  it.each(views)(
    '%s shows again what was written through it, as an equal wish that changes nothing',
    async (key, definition) => {
      await fc.assert(
        fc.asyncProperty(values(definition.schema as TSchema), async (value) => {
          const store = makeStore();
          const written = await store.submit(admin, { [key]: value });
          // A step that cannot follow on the state (a pause without a recording) is refused by name.
          if (!written.ok) {
            expect(written.error).toMatchObject({ code: 'invalid', key });
            return;
          }
          const shown: unknown = store.get(key);
          expect(Value.Check(definition.schema as TSchema, shown)).toBe(true);
          const { revision } = store;
          await store.submit(admin, { [key]: shown });
          expect(store.get(key)).toEqual(shown);
          expect(store.revision).toBe(revision);
        }),
        { numRuns: 25 },
      );
    },
  );
});

describe('a rule', () => {
  const root = systemActor();
  const account = { role: 'administrator' };
  /** The key that is blamed, and what must not be. */
  const hook = { name: 'door', url: 'http://192.0.2.1/', events: ['source-lost'], enabled: true };
  const cases: readonly (readonly [Key, Readonly<Record<string, unknown>>])[] = [
    ['streamResolution', { streamResolution: '1281x720' }],
    ['streamResolution', { streamResolution: '128x100' }],
    ['stream2', { stream2: { ...registry.stream2.default, resolution: '4000x2160' } }],
    ['adaptiveBitrate', { adaptiveBitrate: { mode: 'auto', min: 5_000_000, max: 1_000_000 } }],
    ['timezone', { timezone: 'Mars/Olympus' }],
    ['ipAddress', { dhcpEnabled: false }],
    ['users', { users: { ann: { role: 'wizard' } } }],
    ['users', { users: { ann: { role: 'viewer' } } }],
    ['users', { users: { ann: account, Ann: account } }],
    ['customRoles', { users: { ann: account }, customRoles: { operator: { permissions: [] } } }],
    [
      'cameraHeadSettings',
      {
        cameraHeadSettings: {
          ...registry.cameraHeadSettings.default,
          primary: { ...registry.cameraHeadSettings.default.primary, source: 'rtsp' },
        },
      },
    ],
    [
      'pipEnabled',
      {
        pipEnabled: true,
        cameraHeadSettings: {
          ...registry.cameraHeadSettings.default,
          secondary: { ...registry.cameraHeadSettings.default.secondary, source: 'none' },
        },
      },
    ],
    ['httpServerEnabled', { httpServerEnabled: false, httpsServerEnabled: false }],
    ['schedules', { schedules: { a: { cron: 'never ever', enabled: true, set: {} } } }],
    ['pipLayout', { pipLayout: { ...registry.pipLayout.default, pipSource: 'primary' } }],
    ['netStorageEnabled', { netStorageEnabled: true }],
    ['rtspPort', { rtspPort: 8080 }],
    ['webhooks', { webhooks: [hook, hook] }],
    ['webhooks', { webhooks: [{ ...hook, url: 'ftp://192.0.2.1/' }] }],
    ['webhooks', { webhooks: [{ ...hook, url: 'https://ann:word@192.0.2.1/' }] }],
    ['webhooks', { webhooks: [{ ...hook, url: 'http://:99999' }] }],
    [
      'cameraHeadSettings',
      {
        cameraHeadSettings: {
          ...registry.cameraHeadSettings.default,
          primary: {
            ...registry.cameraHeadSettings.default.primary,
            source: 'rtsp',
            url: 'rtsp://user:word@camera.example/1',
          },
        },
      },
    ],
  ];

  it.each(cases)('refuses %s by name in %j', async (key, patch) => {
    const store = makeStore();
    const outcome = await store.submit(root, patch);
    expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(outcome.ok ? '' : outcome.error.key).toBe(key);
    expect(store.revision).toBe(0);
  });

  it('has a case here that it refuses, whichever rule it is', async () => {
    const idle: string[] = [];
    for (const rule of rules) {
      let refused = 0;
      for (const [, patch] of cases) {
        const store = makeStore([rule]);
        if (!(await store.submit(root, patch)).ok) refused += 1;
      }
      if (refused === 0) idle.push(rule.on.map(({ key }) => key).join('+'));
    }
    expect(idle).toEqual([]);
  });
});

describe('a secret', () => {
  const secret = 'Very-Secret-17';
  const cases: readonly (readonly [Key, unknown])[] = [
    ['webrtcIceServers', [{ urls: ['turn:t.example'], username: 'u', credential: secret }]],
    [
      'cameraHeadSettings',
      {
        ...registry.cameraHeadSettings.default,
        primary: { ...registry.cameraHeadSettings.default.primary, username: 'u', password: secret },
      },
    ],
    ['webhooks', [{ name: 'door', url: 'http://h.example/', events: [], secret, enabled: true }]],
    [
      'apiTokens',
      {
        t: { name: 'n', username: 'u', permissions: [], created: 0, expires: null, hash: 'abcdef0123456789' },
      },
    ],
  ];

  it('can only be in settings that are known to hide it', () => {
    const redacting = definitions.filter(([, definition]) => 'redact' in definition).map(([key]) => key);
    expect(redacting.toSorted()).toEqual(cases.map(([key]) => key).toSorted());
  });

  it.each(cases)('in %s is shown to nobody, neither as a value nor as a change', async (key, value) => {
    const store = makeStore();
    expect(await store.submit(systemActor(), { [key]: value })).toMatchObject({ ok: true });
    const shown = JSON.stringify(store.read(admin, key));
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('abcdef0123456789');
    expect(shown.length).toBeGreaterThan(10);
  });
});
