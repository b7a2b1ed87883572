// Translates everything that can go wrong into the one shape of HTTP errors, in one table.
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ObscuraError, type ErrorCode } from '../../errors.js';
import type { Services } from '../services.js';

interface Answer {
  readonly status: number;
  readonly code: string;
}

const ofCode: Readonly<Record<ErrorCode, Answer>> = {
  unknown: { status: 404, code: 'NOT_FOUND' },
  invalid: { status: 422, code: 'INVALID_VALUE' },
  forbidden: { status: 403, code: 'PERMISSION_DENIED' },
  unauthenticated: { status: 401, code: 'INVALID_CREDENTIALS' },
  conflict: { status: 409, code: 'CONFLICT' },
  limited: { status: 429, code: 'RATE_LIMITED' },
  failed: { status: 503, code: 'UNAVAILABLE' },
};

/** Where the framework itself refuses a request. */
const ofStatus: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  408: 'TIMEOUT',
  413: 'TOO_LARGE',
  414: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  431: 'TOO_LARGE',
  503: 'UNAVAILABLE',
};

/** A refusal that only HTTP knows, or whose code the contract names. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly key?: string | undefined;
  readonly details?: unknown;
}

export function errorBody({ code, message, key, details }: ErrorFacts): { readonly error: object } {
  return {
    error: {
      code,
      message,
      ...(key === undefined ? {} : { key }),
      ...(details === undefined ? {} : { details }),
      timestamp: new Date().toISOString(),
    },
  };
}

export function answerError(
  { accounts }: Pick<Services, 'accounts'>,
  error: FastifyError | HttpError | ObscuraError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { status, facts } = translate(error, request);
  if (status === 401) challenge(accounts, error, request, reply);
  if (status === 429 || status === 503) {
    const wait = error instanceof ObscuraError ? error.retryAfter : undefined;
    if (wait !== undefined) reply.header('retry-after', Math.ceil(wait));
    else if (status === 429) reply.header('retry-after', 1);
  }
  if (status >= 500 && !isExpected(error)) request.log.error({ err: error }, 'a request failed');
  reply.code(status).type('application/json; charset=utf-8').send(errorBody(facts));
}

function translate(
  error: FastifyError | HttpError | ObscuraError,
  request: FastifyRequest,
): { readonly status: number; readonly facts: ErrorFacts } {
  if (error instanceof HttpError) return { status: error.status, facts: error };
  if (error instanceof ObscuraError) {
    const { key, message, details, knownAs } = error;
    // Whom nobody knows is asked to log in, rather than told that this is not for them.
    const stranger = error.code === 'forbidden' && isStranger(request);
    const { status, code } = ofCode[stranger ? 'unauthenticated' : error.code];
    const named = knownAs ?? (error.code === 'unknown' && key !== undefined ? 'UNKNOWN_KEY' : code);
    return { status, facts: { code: named, message, key, details: publicDetails(details) } };
  }
  if (error.validation !== undefined) {
    const message = `The ${error.validationContext ?? 'request'} is not as it must be: ${error.message}`;
    const details = error.validation.map(({ instancePath, message: text }) => ({
      path: instancePath,
      message: text,
    }));
    return { status: 400, facts: { code: 'INVALID_REQUEST', message, details } };
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500)
    return { status, facts: { code: ofStatus[status] ?? 'INVALID_REQUEST', message: error.message } };
  // What broke inside is for the log; it may name files and addresses.
  return status === 503
    ? { status, facts: { code: 'UNAVAILABLE', message: STATUS_CODES[503] ?? '' } }
    : {
        status: 500,
        facts: { code: 'INTERNAL', message: 'Something went wrong inside the server; see its log' },
      };
}

function isStranger(request: FastifyRequest): boolean {
  return (request.identity as FastifyRequest['identity'] | null)?.anonymous === true;
}

function isExpected(error: Error): boolean {
  return error instanceof HttpError || error instanceof ObscuraError;
}

/** Errors of transactions bring along everything that is wrong; the rest of what an error carries is not for clients. */
function publicDetails(details: unknown): unknown {
  if (typeof details !== 'object' || details === null || !('errors' in details)) return undefined;
  return { errors: details.errors };
}

/**
 * A browser would ask with a window of its own, which pages that log in by themselves do not want. Basic comes first
 * for clients that take the first they know.
 */
function challenge(
  accounts: Services['accounts'],
  error: Error,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): void {
  if (headers['x-requested-with'] !== undefined || headers['sec-fetch-mode'] !== undefined) return;
  const details = error instanceof ObscuraError ? error.details : undefined;
  const stale = typeof details === 'object' && details !== null && 'stale' in details;
  reply.header('www-authenticate', [
    'Basic realm="Obscura", charset="UTF-8"',
    accounts.digestChallenge(stale),
  ]);
}
