// Logging in and out, the very first time as well, and who one is. One answer carries the names of all client generations.
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../../../access/identity.js';
import { ObscuraError } from '../../../errors.js';
import { isForeignOrigin, originOf, sessionCookie } from '../../identify.js';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { answers, type App } from '../route.js';

const tags = ['log-in'];
const Credentials = Type.Object({
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  password: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  remember_me: Type.Optional(Type.Boolean()),
});
const FirstAdministrator = Type.Object(
  {
    code: Type.String({ minLength: 1, maxLength: 32 }),
    username: Type.String({ minLength: 1, maxLength: 64 }),
    password: Type.String({ minLength: 1, maxLength: 256 }),
  },
  { additionalProperties: false },
);
const Person = Type.Object({
  username: Type.String(),
  role: Type.String(),
  permissions: Type.Array(Type.String()),
});
const LoggedIn = Type.Object({
  token: Type.String({ description: 'For `Authorization: Bearer`.' }),
  expires: Type.Number({ description: 'Milliseconds since 1970; every use moves it.' }),
  username: Type.String(),
  role: Type.String(),
  permissions: Type.Array(Type.String()),
  access_token: Type.String(),
  refresh_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  user: Person,
});
const Me = Type.Object({
  username: Type.String({ description: 'Empty without log-in.' }),
  role: Type.String(),
  permissions: Type.Array(Type.String()),
  authenticated: Type.Boolean(),
  sessionId: Type.Optional(Type.String()),
  tokenId: Type.Optional(Type.String()),
});
const Success = Type.Object({ success: Type.Literal(true) });

export function loginRoutes(app: App, services: Services): void {
  const { accounts, setup, store } = services;
  const roleOf = ({ name }: Identity): string => store.get('users')[name]?.role ?? 'guest';
  const person = (identity: Identity): Static<typeof Person> => ({
    username: identity.name,
    role: roleOf(identity),
    permissions: identity.permissions,
  });
  const loggedIn = (identity: Identity, token: string, expires: number): Static<typeof LoggedIn> => ({
    token,
    expires,
    ...person(identity),
    access_token: token,
    refresh_token: token,
    token_type: 'Bearer',
    expires_in: Math.max(0, Math.round((expires - Date.now()) / 1000)),
    user: person(identity),
  });

  const logIn = async (
    request: FastifyRequest,
    reply: FastifyReply,
    body: Static<typeof Credentials>,
  ): Promise<Static<typeof LoggedIn>> => {
    const { username, password } = body.username === undefined ? basic(request) : body;
    if (username === undefined || password === undefined)
      throw new HttpError(400, 'INVALID_REQUEST', 'username and password are needed');
    const { token, expires, identity } = await accounts.login(username, password, originOf(request, 'http'));
    // Another site may log its visitor in, but not so that the browser goes about with it here.
    if (!isForeignOrigin(request, store.get('allowedOrigins')))
      void reply.setCookie(sessionCookie, token, {
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        path: '/',
      });
    return loggedIn(identity, token, expires);
  };

  app.get(
    '/api/setup',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Whether the first administrator has to be made',
        response: answers(Type.Object({ due: Type.Boolean() })),
      },
    },
    () => ({ due: setup.isDue }),
  );
  app.post(
    '/api/setup',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Make the first administrator, and log in as such',
        description:
          'With the code that the server shows on its standard error output as long as nobody can log in. 409 once somebody can.',
        body: FirstAdministrator,
        response: answers(LoggedIn, 201),
      },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      await setup.complete(request.body, originOf(request, 'http'));
      return await reply.code(201).send(await logIn(request, reply, { username, password }));
    },
  );

  for (const url of ['/api/login', '/api/auth/login', '/api/v1/auth/login'])
    app.post(
      url,
      {
        config: { access: 'public' },
        schema: { tags, summary: 'Log in', body: Credentials, response: answers(LoggedIn) },
      },
      (request, reply) => logIn(request, reply, request.body),
    );
  app.get(
    '/api/login',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Log in with a Basic header', response: answers(LoggedIn) },
    },
    (request, reply) => logIn(request, reply, {}),
  );

  for (const url of ['/api/logout', '/api/auth/logout', '/api/v1/auth/logout'])
    app.post(
      url,
      {
        config: { access: 'visitor' },
        schema: { tags, summary: 'Log out: the session ends at once', response: answers(Success) },
      },
      async (request, reply) => {
        await accounts.logout(request.identity);
        void reply.clearCookie(sessionCookie, { path: '/' });
        return { success: true as const };
      },
    );

  app.post(
    '/api/auth/refresh',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Keep a session alive',
        description: 'Sessions stay alive by being used, so the tokens in the answer are the same as before.',
        body: Type.Object({ refresh_token: Type.String({ minLength: 1, maxLength: 512 }) }),
        response: answers(LoggedIn),
      },
    },
    (request) => {
      const token = request.body.refresh_token;
      const identity = accounts.withToken(token, originOf(request, 'http'));
      if (identity.sessionId === undefined)
        throw new ObscuraError('unauthenticated', 'This is not the token of a session');
      return loggedIn(identity, token, Date.now() + store.get('sessionIdleMinutes') * 60_000);
    },
  );

  for (const url of ['/api/me', '/api/user/profile'])
    app.get(
      url,
      {
        config: { access: url === '/api/me' ? 'visitor' : 'account' },
        schema: { tags, summary: 'Who you are and what you may do', response: answers(Me) },
      },
      ({ identity }) => ({
        ...person(identity),
        authenticated: !identity.anonymous,
        ...(identity.sessionId === undefined ? {} : { sessionId: identity.sessionId }),
        ...(identity.tokenId === undefined ? {} : { tokenId: identity.tokenId }),
      }),
    );
}

function basic({ headers }: FastifyRequest): { readonly username?: string; readonly password?: string } {
  const [, encoded] = /^basic +(.+)$/i.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return {};
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? {} : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
