// Who a request is from: token, password, cookie or nobody. One place for HTTP and for WebSocket upgrades.
// Adds `cookies` to the request type.
import type {} from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Accounts } from '../access/accounts.js';
import { parseDigest } from '../access/digest.js';
import type { Identity, Origin } from '../access/identity.js';
import { ObscuraError } from '../errors.js';

export const sessionCookie = 'obscura_session';

export interface Identified {
  readonly identity: Identity;
  /** The browser sent it by itself, so another site may have made it do so. */
  readonly byCookie: boolean;
}

export interface IdentifyOptions {
  /** Whether `?token=` counts on this path: where an image tag or a socket of older clients cannot send headers. */
  readonly queryToken: boolean;
}

/** Wrong credentials are an error, never simply nobody. */
export async function identify(
  accounts: Accounts,
  request: FastifyRequest,
  via: Origin['via'],
  { queryToken }: IdentifyOptions,
): Promise<Identified> {
  const origin = originOf(request, via);
  const header = request.headers.authorization;
  if (header !== undefined)
    return { identity: await fromHeader(accounts, header, request, origin), byCookie: false };
  const apiKey = request.headers['x-api-key'];
  if (typeof apiKey === 'string') return { identity: accounts.withToken(apiKey, origin), byCookie: false };
  const { token } = request.query as { readonly token?: unknown };
  if (queryToken && typeof token === 'string' && token !== '')
    return { identity: accounts.withToken(token, origin), byCookie: false };
  const cookie = request.cookies[sessionCookie];
  if (cookie !== undefined) {
    try {
      return { identity: accounts.withToken(cookie, origin), byCookie: true };
    } catch (error) {
      // A browser keeps sending the cookie of a session that has ended; that must not keep it from the log-in page.
      if (!(error instanceof ObscuraError)) throw error;
    }
  }
  return { identity: accounts.anonymous(origin), byCookie: false };
}

export function originOf(request: FastifyRequest, via: Origin['via']): Origin {
  // The command line names itself, so that the audit can tell a script from a page.
  const client = request.headers['x-obscura-client'];
  return {
    via: client === 'cli' ? 'cli' : via,
    address: request.ip,
    userAgent: request.headers['user-agent'],
  };
}

async function fromHeader(
  accounts: Accounts,
  header: string,
  request: FastifyRequest,
  origin: Origin,
): Promise<Identity> {
  const [scheme = '', value = ''] = header.split(/ +(.*)/s);
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return accounts.withToken(value.trim(), origin);
    case 'basic': {
      const text = Buffer.from(value, 'base64').toString('utf8');
      const colon = text.indexOf(':');
      if (colon < 0) throw new ObscuraError('unauthenticated', 'The Basic header cannot be read');
      return await accounts.withPassword(text.slice(0, colon), text.slice(colon + 1), origin);
    }
    case 'digest': {
      // An answer speaks of one path; overheard, it must not open another.
      if (!speaksOf(parseDigest(header)?.uri, request.raw.url))
        throw new ObscuraError('unauthenticated', 'The Digest header is for another address');
      const identity = accounts.withDigest(header, request.method, origin);
      if (identity === 'stale')
        throw new ObscuraError('unauthenticated', 'The nonce is too old', { details: { stale: true } });
      return identity;
    }
    default:
      throw new ObscuraError('unauthenticated', `Authorization by ${scheme} is not understood`);
  }
}

/** Some clients write the whole URL where others write the path. */
function speaksOf(uri: string | undefined, path: string | undefined): boolean {
  return uri !== undefined && uri.replace(/^https?:\/\/[^/]*/i, '') === path;
}

/** A page of another site must not act with the cookies of this one. No Origin at all means no browser. */
export function isForeignOrigin(request: FastifyRequest, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes(origin)) return false;
  try {
    return new URL(origin).host !== host;
  } catch {
    return true;
  }
}
