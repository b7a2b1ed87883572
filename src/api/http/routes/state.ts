// The state: values one by one or many at once, changed all together or not at all.
import { Type } from '@sinclair/typebox';
import { matcher } from '../../globs.js';
import type { Services } from '../../services.js';
import { isReadable } from '../../../store/store.js';
import { change, changeAnswer, ChangeAnswer } from '../outcomes.js';
import { answers, changeOptions, Revision, Values, type App } from '../route.js';

const KeyParam = Type.Object({ key: Type.String({ minLength: 1, maxLength: 64 }) });
const StateEntry = Type.Object({
  key: Type.String(),
  value: Type.Unknown(),
  revision: Revision,
  status: Type.Union([Type.Literal('applied'), Type.Literal('pending'), Type.Literal('failed')]),
  reason: Type.Optional(Type.String()),
});
const Keys = Type.Object(
  {
    keys: Type.Optional(
      Type.String({ maxLength: 4096, description: 'Names or patterns with `*`, parted by commas.' }),
    ),
    token: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { additionalProperties: false },
);
const Undoable = Type.Object({
  revision: Revision,
  at: Type.Number({ description: 'Milliseconds since 1970.' }),
  differences: Type.Array(Type.Object({ key: Type.String(), now: Type.Unknown(), then: Type.Unknown() }), {
    description: 'What would return, as far as you may read it.',
  }),
});
const OfLast = Type.Integer({
  minimum: 0,
  description: 'Refuse where your last change is of another revision.',
});

export function stateRoutes(app: App, services: Services): void {
  const { store } = services;
  const tags = ['state'];

  app.get(
    '/api/state',
    {
      config: { access: 'reader' },
      schema: {
        tags,
        summary: 'Every value that you may read',
        description: 'A plain object of values by key; the header `X-Obscura-Revision` says as of when.',
        querystring: Keys,
        response: answers(Values),
      },
    },
    (request, reply) => {
      const { identity, query } = request;
      const wanted = query.keys === undefined ? () => true : matcher(query.keys.split(','));
      reply.header('x-obscura-revision', store.revision).header('x-obscura-epoch', store.epoch);
      const etag = `"${store.epoch}-${String(store.revision)}-${String(identity.mask)}-${identity.name}"`;
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return Object.fromEntries(
        store.cells
          .filter((cell) => isReadable(cell, identity) && wanted(cell.key))
          .map((cell) => [cell.key, store.read(identity, cell.key)]),
      );
    },
  );

  app.get(
    '/api/state/:key',
    {
      config: { access: 'reader' },
      schema: { tags, summary: 'One value', params: KeyParam, response: answers(StateEntry) },
    },
    ({ identity, params: { key } }) => {
      const value = store.read(identity, key);
      const revision = store.cell(key)?.revision ?? 0;
      const { status, reason } = store.statuses.of(key, revision);
      return { key, value, revision, status, ...(reason === undefined ? {} : { reason }) };
    },
  );

  app.put(
    '/api/state/:key',
    {
      config: { access: 'reader' },
      schema: {
        tags,
        summary: 'Change one value',
        params: KeyParam,
        body: Type.Object({ value: Type.Unknown(), ...changeOptions }, { additionalProperties: false }),
        response: answers(ChangeAnswer),
      },
    },
    async (request) => {
      const { value, ...options } = request.body;
      return await change(services, request, { [request.params.key]: value }, options);
    },
  );

  app.patch(
    '/api/state',
    {
      config: { access: 'reader' },
      schema: {
        tags,
        summary: 'Change several values: all of them or none',
        body: Type.Object(
          {
            set: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 100 }),
            ...changeOptions,
          },
          { additionalProperties: false },
        ),
        response: answers(ChangeAnswer),
      },
    },
    async (request) => {
      const { set, ...options } = request.body;
      return await change(services, request, set, options);
    },
  );

  app.post(
    '/api/state/confirm',
    {
      config: { access: 'reader' },
      schema: {
        tags,
        summary: 'Keep a change that was made on trial',
        description: 'Over another TCP connection than the one that made the change.',
        body: Type.Object({ revision: Revision }, { additionalProperties: false }),
        response: answers(ChangeAnswer),
      },
    },
    async (request) => {
      const { identity, body, raw } = request;
      return changeAnswer(
        services,
        request,
        await services.trials.confirm(identity, body.revision, raw.socket),
      );
    },
  );

  app.get(
    '/api/undo',
    {
      config: { access: 'account' },
      schema: { tags, summary: 'What `POST /api/undo` would take back', response: answers(Undoable) },
    },
    async ({ identity }) => {
      const { revision, at, before } = await services.history.undoable(identity);
      const differences = Object.entries(before).flatMap(([key, then]) => {
        const cell = store.cell(key);
        return cell !== undefined && isReadable(cell, identity)
          ? [{ key, now: store.read(identity, key), then }]
          : [];
      });
      return { revision, at, differences };
    },
  );
  app.post(
    '/api/undo',
    {
      config: { access: 'account' },
      schema: {
        tags,
        summary: 'Take back your own last change',
        body: Type.Object({ revision: Type.Optional(OfLast) }, { additionalProperties: false }),
        response: answers(ChangeAnswer),
      },
    },
    async (request) => {
      const { identity, body } = request;
      return changeAnswer(services, request, await services.history.undo(identity, body.revision));
    },
  );
}
