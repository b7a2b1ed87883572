// Presets and locks.
import { Type } from '@sinclair/typebox';
import { ObscuraError } from '../../../errors.js';
import type { Services } from '../../services.js';
import { change, changeAnswer, ChangeAnswer } from '../outcomes.js';
import { answers, changeOptions, nothing, Values, type App } from '../route.js';

const mayRead = ['Media_r', 'Media_rw', 'Device_r', 'Device_rw', 'System_r', 'System_rw'] as const;
const mayWrite = ['Media_rw', 'Device_rw', 'System_rw'] as const;
const PresetName = Type.String({ minLength: 1, maxLength: 32 });
const NameParam = Type.Object({ name: PresetName });
const KeyList = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 200 });
const Preset = Type.Object({ values: Values, created: Type.Number(), by: Type.String() });
const { ifRevision, dryRun, requestId, wait } = changeOptions;

export function presetRoutes(app: App, services: Services): void {
  const { presets } = services;
  const tags = ['presets'];
  const one = (request: Parameters<typeof change>[1], name: string): object => {
    const all = presets.list(request.identity);
    if (!Object.hasOwn(all, name)) throw new ObscuraError('unknown', `There is no preset ${name}`);
    return { ...all[name] };
  };

  app.get(
    '/api/presets',
    {
      config: { access: mayRead },
      schema: {
        tags,
        summary: 'All presets, as far as you may read their settings',
        response: answers(Type.Object({ presets: Type.Record(Type.String(), Preset) })),
      },
    },
    ({ identity }) => ({ presets: presets.list(identity) }),
  );
  app.get(
    '/api/presets/:name',
    {
      config: { access: mayRead },
      schema: { tags, summary: 'One preset', params: NameParam, response: answers(Preset) },
    },
    (request) => one(request, request.params.name),
  );
  app.put(
    '/api/presets/:name',
    {
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Keep the present values of some settings under a name',
        params: NameParam,
        body: Type.Object({ keys: KeyList }, { additionalProperties: false }),
        response: answers(Preset),
      },
    },
    async (request) => {
      await presets.save(request.identity, request.params.name, request.body.keys);
      return one(request, request.params.name);
    },
  );
  app.get(
    '/api/presets/:name/diff',
    {
      config: { access: mayRead },
      schema: {
        tags,
        summary: 'What applying the preset would change',
        params: NameParam,
        response: answers(
          Type.Object({
            differences: Type.Array(
              Type.Object({ key: Type.String(), now: Type.Unknown(), preset: Type.Unknown() }),
            ),
          }),
        ),
      },
    },
    ({ identity, params }) => ({ differences: presets.difference(identity, params.name) }),
  );
  app.post(
    '/api/presets/:name/apply',
    {
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Put a preset in force: all of it or nothing',
        params: NameParam,
        body: Type.Object({ ifRevision, dryRun, requestId, wait }, { additionalProperties: false }),
        response: answers(ChangeAnswer),
      },
    },
    async (request) => {
      const { identity, params, body } = request;
      return changeAnswer(services, request, await presets.apply(identity, params.name, body));
    },
  );
  app.post(
    '/api/presets/:name/rename',
    {
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Give a preset another name',
        params: NameParam,
        body: Type.Object({ name: PresetName }, { additionalProperties: false }),
        response: answers(Preset),
      },
    },
    async (request) => {
      const { identity, params, body } = request;
      await presets.rename(identity, params.name, body.name);
      return one(request, body.name);
    },
  );
  app.delete(
    '/api/presets/:name',
    {
      config: { access: mayWrite },
      schema: { tags, summary: 'Delete a preset', params: NameParam, response: nothing },
    },
    async ({ identity, params }, reply) => {
      await presets.remove(identity, params.name);
      return await reply.code(204).send();
    },
  );
}

export function lockRoutes(app: App, { store, locks }: Services): void {
  const tags = ['locks'];
  const Held = Type.Object({
    locks: Type.Record(Type.String(), Type.Object({ by: Type.String(), until: Type.Number() })),
  });

  app.get(
    '/api/locks',
    {
      config: { access: 'account' },
      schema: { tags, summary: 'Who holds which key', response: answers(Held) },
    },
    () => ({ locks: store.get('locks') }),
  );
  app.post(
    '/api/locks',
    {
      config: { access: 'account' },
      schema: {
        tags,
        summary: 'Keep others from writing keys for a while',
        body: Type.Object(
          { keys: KeyList, seconds: Type.Integer({ minimum: 1, maximum: 600 }) },
          { additionalProperties: false },
        ),
        response: answers(Type.Object({ until: Type.Number() })),
      },
    },
    ({ identity, body: { keys, seconds } }) => {
      for (const key of keys) {
        const cell = store.cell(key);
        if (cell === undefined || (identity.mask & (cell.readMask | cell.writeMask)) === 0)
          throw new ObscuraError('unknown', `There is no setting named ${key}`, { key });
        if ((identity.mask & cell.writeMask) === 0)
          throw new ObscuraError('forbidden', `You may not change ${key}`, { key });
      }
      // HTTP has no connection whose end could end the lock: it lasts as long as it was asked for.
      return { until: locks.lock(identity, keys, seconds, {}) };
    },
  );
  app.delete(
    '/api/locks',
    {
      config: { access: 'account' },
      schema: {
        tags,
        summary: 'Give keys back: those of the body, or all of yours',
        body: Type.Object({ keys: Type.Optional(KeyList) }, { additionalProperties: false }),
        response: nothing,
      },
    },
    async ({ identity, body }, reply) => {
      locks.unlock(identity, body.keys);
      return await reply.code(204).send();
    },
  );
}
