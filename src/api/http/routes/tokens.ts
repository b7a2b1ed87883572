// Tokens for scripts, and the log-ins that are open.
import { Type, type Static } from '@sinclair/typebox';
import type { Identity } from '../../../access/identity.js';
import { permissions } from '../../../observables/permissions.js';
import type { Services } from '../../services.js';
import { answers, nothing, type App } from '../route.js';

const tags = ['tokens and sessions'];
const IdParam = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const Permission = Type.Union(permissions.map((name) => Type.Literal(name)));
const days = Type.Number({ exclusiveMinimum: 0, maximum: 3650 });
const TokenInfo = Type.Object({
  id: Type.String(),
  name: Type.String(),
  username: Type.String(),
  permissions: Type.Array(Type.String()),
  created: Type.Number(),
  expires: Type.Union([Type.Number(), Type.Null()]),
  lastUsed: Type.Union([Type.Number(), Type.Null()], {
    description: 'Over HTTP or WebSocket, since the server started; null where it has not been used.',
  }),
  parent: Type.Optional(
    Type.String({ description: 'The token by which it was made, and with which it ends.' }),
  ),
});
const NewToken = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    permissions: Type.Optional(Type.Array(Permission, { maxItems: permissions.length })),
    expiresInDays: Type.Optional(days),
    duration_days: Type.Optional(days),
    expires_in_days: Type.Optional(days),
  },
  { additionalProperties: false },
);
const MadeToken = Type.Object({
  id: Type.String(),
  token: Type.String({ description: 'Shown this once.' }),
  expires: Type.Union([Type.Number(), Type.Null()]),
  api_key: Type.String(),
  key_id: Type.String(),
  created: Type.Number(),
  permissions: Type.Array(Type.String()),
});
const Session = Type.Object({
  id: Type.String(),
  username: Type.String(),
  created: Type.Number(),
  lastUsed: Type.Number(),
  address: Type.Optional(Type.String()),
  userAgent: Type.Optional(Type.String()),
  current: Type.Boolean(),
});

export function tokenRoutes(app: App, services: Services): void {
  const { store, accounts } = services;

  const list = (identity: Identity): Static<typeof TokenInfo>[] =>
    accounts.tokensOf(identity).flatMap((id) => {
      const known = store.get('apiTokens')[id];
      if (known === undefined) return [];
      const { hash: _hash, ...token } = known;
      return { id, ...token, lastUsed: accounts.lastUseOfToken(id) ?? null };
    });

  const make = async (
    identity: Identity,
    body: Static<typeof NewToken>,
  ): Promise<Static<typeof MadeToken>> => {
    const { id, token, expires } = await accounts.createToken(identity, {
      name: body.name ?? 'token',
      permissions: body.permissions,
      expiresInDays: body.expiresInDays ?? body.duration_days ?? body.expires_in_days,
    });
    const made = store.get('apiTokens')[id];
    return {
      ...{ id, token, expires, api_key: token, key_id: id },
      created: made?.created ?? Date.now(),
      permissions: made?.permissions ?? [],
    };
  };

  for (const url of ['/api/tokens', '/api/auth/apikeys'])
    app.get(
      url,
      {
        config: { access: 'account' },
        schema: {
          tags,
          summary: 'Your tokens; those of everybody with User_r',
          response: answers(Type.Object({ tokens: Type.Array(TokenInfo) })),
        },
      },
      ({ identity }) => ({ tokens: list(identity) }),
    );
  for (const [url, status] of [
    ['/api/tokens', 201],
    ['/api/token', 200],
    ['/api/auth/apikey', 200],
  ] as const)
    app.post(
      url,
      {
        config: { access: 'account' },
        schema: {
          tags,
          summary: 'Make a token that can do no more than you can',
          body: NewToken,
          response: answers(MadeToken, status),
        },
      },
      async ({ identity, body }, reply) => await reply.code(status).send(await make(identity, body)),
    );
  for (const url of ['/api/tokens/:id', '/api/auth/apikey/:id'])
    app.delete(
      url,
      {
        config: { access: 'account' },
        schema: { tags, summary: 'Revoke a token', params: IdParam, response: nothing },
      },
      async ({ identity, params }, reply) => {
        await accounts.revokeToken(identity, params.id);
        return await reply.code(204).send();
      },
    );

  app.get(
    '/api/sessions',
    {
      config: { access: 'account' },
      schema: {
        tags,
        summary: 'Your log-ins; those of everybody with User_r',
        response: answers(Type.Object({ sessions: Type.Array(Session) })),
      },
    },
    ({ identity }) => ({
      sessions: accounts
        .sessionsOf(identity)
        .map(({ id, username, created, lastUsed, address, userAgent }) => ({
          ...{ id, username, created, lastUsed, current: id === identity.sessionId },
          ...(address === undefined ? {} : { address }),
          ...(userAgent === undefined ? {} : { userAgent }),
        })),
    }),
  );
  app.delete(
    '/api/sessions/:id',
    {
      config: { access: 'account' },
      schema: { tags, summary: 'End a log-in', params: IdParam, response: nothing },
    },
    async ({ identity, params }, reply) => {
      await accounts.revokeSession(identity, params.id);
      return await reply.code(204).send();
    },
  );
}
