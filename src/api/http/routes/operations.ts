// For whoever keeps the server running: the newest lines of its log, and those who are told what happens.
import { Type, type Static } from '@sinclair/typebox';
import { hookEvents, type Hook, type HookEvent } from '../../../observables/webhooks.js';
import { logLevels } from '../../../system/logMemory.js';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { Followers } from '../followers.js';
import { change, ChangeAnswer } from '../outcomes.js';
import { answers, type App } from '../route.js';

const tags = ['operations'];
const manages = ['System_rw'] as const;
const reads = ['System_r', 'System_rw'] as const;
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const Level = Type.Union(logLevels.map((level) => Type.Literal(level)));
const logFilter = {
  level: Type.Optional(Level),
  contains: Type.Optional(text(128)),
  token: Type.Optional(Type.String({ maxLength: 512 })),
};
const LogQuery = Type.Object(
  {
    ...logFilter,
    since: Type.Optional(Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 2000, default: 200 })),
  },
  { additionalProperties: false },
);
const FollowQuery = Type.Object(
  {
    ...logFilter,
    backlog: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2000,
        default: 0,
        description: 'How many of the newest lines come first.',
      }),
    ),
  },
  { additionalProperties: false },
);
const LogLine = Type.Object({
  time: Type.Integer({ description: 'Milliseconds since 1970.' }),
  level: Level,
  message: Type.String(),
  details: Type.Record(Type.String(), Type.Unknown()),
});
const TestResult = Type.Object({
  delivered: Type.Boolean(),
  reason: Type.Optional(Type.String({ description: 'What is the matter.' })),
});
const Name = Type.Object({ name: text(32) });
const ForeignHook = Type.Object(
  {
    name: Type.Optional(text(32)),
    url: Type.Optional(text(512)),
    webhook_url: Type.Optional(text(512)),
    events: Type.Optional(Type.Array(text(64), { maxItems: 32 })),
    secret: Type.Optional(text(128)),
    enabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: true },
);
const ForeignHooks = Type.Union([
  Type.Object({ webhooks: Type.Array(ForeignHook, { maxItems: 16 }) }, { additionalProperties: true }),
  ForeignHook,
]);

export function operationRoutes(app: App, services: Services): void {
  const { store, recentLog, webhooks } = services;

  app.get(
    '/api/logs',
    {
      config: { access: reads },
      schema: {
        tags,
        summary: 'The newest lines of the log, the oldest of them first',
        description:
          'The last 2000 lines are kept in memory. `level` gives that one and everything more serious; what is logged at all depends on the setting `logLevel`.',
        querystring: LogQuery,
        response: answers(Type.Object({ lines: Type.Array(LogLine) })),
      },
    },
    ({ query: { level, since, contains, limit = 200 } }) => ({
      lines: recentLog.find({ level, since, contains, limit }).map((line) => ({ ...line })),
    }),
  );

  const followers = new Followers(app, 'the log');
  app.get(
    '/api/logs/follow',
    {
      config: { access: reads },
      schema: {
        tags,
        summary: 'What is logged from now on: one JSON object per line, without end',
        description: 'An empty line now and then shows that the connection stands.',
        produces: ['application/x-ndjson'],
        querystring: FollowQuery,
        response: answers(Type.String()),
      },
    },
    (request, reply) => {
      const { identity } = request;
      const { level, contains, backlog = 0 } = request.query;
      const lines = followers.open(request, () => identity.may(...reads));
      if (backlog > 0) lines.begin(recentLog.find({ level, contains, limit: backlog }));
      lines.onEnd(
        recentLog.follow({ level, contains }, (line) => {
          lines.send(line);
        }),
      );
      return lines.answer(reply);
    },
  );

  app.post(
    '/api/webhooks/:name/test',
    {
      config: { access: manages },
      schema: {
        tags,
        summary: 'Send a test to a webhook, once',
        description: 'Also to one that is not enabled.',
        params: Name,
        response: answers(TestResult),
      },
    },
    async ({ params }) => {
      const reason = await webhooks.test(params.name);
      return { delivered: reason === undefined, ...(reason === undefined ? {} : { reason }) };
    },
  );

  for (const url of ['/api/integrations/webhooks', '/api/monitoring/alerts/webhooks'])
    app.put(
      url,
      {
        config: { access: manages },
        schema: {
          tags,
          summary: 'Set webhooks in the form of the reference product',
          description: 'The same as the setting `webhooks`; without `events`, all of them are told.',
          body: ForeignHooks,
          response: answers(ChangeAnswer),
        },
      },
      async (request) => {
        const { body } = request;
        const given = 'webhooks' in body && Array.isArray(body.webhooks) ? body.webhooks : [body];
        const next = (given as Static<typeof ForeignHook>[]).map(hookOf);
        const others = store
          .get('webhooks')
          .filter(({ name }) => !next.some((hook) => hook.name === name))
          .map(({ secret, ...hook }) => (secret === undefined ? hook : { ...hook, secretSet: true }));
        return await change(services, request, { webhooks: [...others, ...next] });
      },
    );
}

/** The setting itself says what is wrong with names and addresses. */
function hookOf({ name, url, webhook_url, events, secret, enabled }: Static<typeof ForeignHook>): Hook {
  const address = url ?? webhook_url;
  if (address === undefined) throw new HttpError(400, 'INVALID_FORMAT', 'A webhook needs a url');
  return {
    name: name ?? 'webhook',
    url: address,
    events: events === undefined ? [...hookEvents] : (events as HookEvent[]),
    ...(secret === undefined ? {} : { secret }),
    enabled: enabled ?? true,
  };
}
