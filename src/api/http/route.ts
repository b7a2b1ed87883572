// What every HTTP route says about itself: who may use it, which budget of requests it draws on, how it is documented.
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Type, type TSchema } from '@sinclair/typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Identity } from '../../access/identity.js';
import type { Permission } from '../../observables/permissions.js';

/**
 * `public`: credentials are not even looked at. `visitor`: anybody, the answer depends on who asks. `reader`: whoever
 * may see anything at all, which without log-in depends on `anonymousPermissions`. `account`: whoever has logged in.
 * A list: whoever holds one of these permissions.
 */
export type Access = 'public' | 'visitor' | 'reader' | 'account' | readonly Permission[];

/** Which of the `rateLimits` counts; `none` for what machines poll. */
export type Budget = 'api' | 'images' | 'files' | 'uploads' | 'none';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    budget?: Budget;
    /** For image tags, which cannot send headers. */
    isPicture?: boolean;
  }
  interface FastifyRequest {
    identity: Identity;
  }
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export const ErrorBody = Type.Object(
  {
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      key: Type.Optional(Type.String()),
      details: Type.Optional(Type.Unknown()),
      timestamp: Type.String(),
    }),
  },
  { description: 'What went wrong: `code` for programs, `message` for people.' },
);

/** The answers of a route for its documentation: what it gives, and the one shape of everything that can go wrong. */
export function answers(success: TSchema, status = 200): Record<string, TSchema> {
  return { [String(status)]: success, '4xx': ErrorBody, '5xx': ErrorBody };
}

export const nothing: Record<string, TSchema> = answers(Type.Null({ description: 'Done.' }), 204);

export const Revision = Type.Integer({ minimum: 0, description: 'Counts the transactions of the server.' });
export const Values = Type.Record(Type.String(), Type.Unknown(), { description: 'Values by key.' });

/** How a change is to be made, beside what is to change. */
export const changeOptions = {
  ifRevision: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Refuse where a key changed after it.' }),
  ),
  dryRun: Type.Optional(Type.Boolean({ description: 'Say what would follow, but change nothing.' })),
  requestId: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'The same id changes things once.' }),
  ),
  wait: Type.Optional(Type.Union([Type.Literal('accepted'), Type.Literal('applied')])),
  transient: Type.Optional(
    Type.Boolean({ description: 'Published but not saved; what is left so is saved after a minute.' }),
  ),
  confirmWithin: Type.Optional(
    Type.Integer({
      minimum: 5,
      maximum: 600,
      description: 'Seconds after which the change returns unless another connection confirms it.',
    }),
  ),
} as const;
