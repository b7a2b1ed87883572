// What every request passes before its route: security headers, the budget of its address, who is asking, whether they may.
import cookie from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { networkOf } from '../../access/limiter.js';
import { ObscuraError } from '../../errors.js';
import { identify, isForeignOrigin, originOf } from '../identify.js';
import type { Services } from '../services.js';
import { Budgets, type Verdict } from './budgets.js';
import { errorBody } from './errors.js';
import { PasswordMemory } from './passwordMemory.js';
import type { Access, App, Budget } from './route.js';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Where image tags, players and scripts of older clients cannot send headers. */
const takesQueryToken = /^\/(?:api|image|camera\.jpeg|status|hls|files|download|metrics)(?:[/?]|$)/;

/**
 * No upgrade to HTTPS and no HSTS: on a local network the device is reached by address, often without encryption, and
 * a certificate of its own making must not lock a browser out for a year.
 */
const contentPolicy = [
  "default-src 'self'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
};

export async function guard(app: App, services: Services): Promise<void> {
  const { store, accounts } = services;
  await app.register(cookie);
  // Declared with a getter rather than a value, because every request has its own.
  app.decorateRequest('identity', null as never);

  const budgets = new Budgets((budget) => {
    const { imagesPerSecond, filesPerSecond, apiPerSecond, uploadsPerSecond } = store.get('rateLimits');
    return { images: imagesPerSecond, files: filesPerSecond, api: apiPerSecond, uploads: uploadsPerSecond }[
      budget
    ];
  });
  const passwords = new PasswordMemory();

  app.addHook('onRequest', async (request, reply) => {
    request.identity = accounts.anonymous(originOf(request, 'http'));
    reply.headers(headers);
    admitOrigins(request, reply, store.get('allowedOrigins'));
    admitImages(request, reply);
    // Sockets are counted and identified where they are opened.
    if (isUpgrade(request)) return;
    const { access = 'public', budget = 'api' } = request.routeOptions.config;
    if (isOverBudget(request, reply, budgets, budget)) return reply;
    if (access === 'public') return;
    const queryToken = safeMethods.has(request.method) && takesQueryToken.test(request.url);
    const remembered = passwords.recall(request);
    const found =
      remembered === undefined
        ? await identify(accounts, request, 'http', { queryToken })
        : { identity: remembered, byCookie: false };
    passwords.remember(request, found.identity);
    request.identity = found.identity;
    if (found.byCookie && !safeMethods.has(request.method))
      assertOwnPage(request, store.get('allowedOrigins'));
    assertMay(request, access);
  });
}

function assertMay({ identity }: FastifyRequest, access: Access): void {
  if (access === 'visitor' || access === 'public') return;
  const allowed =
    access === 'reader'
      ? identity.mask !== 0
      : access === 'account'
        ? !identity.anonymous && identity.valid
        : identity.may(...access);
  if (allowed) return;
  if (identity.anonymous) throw new ObscuraError('unauthenticated', 'Log in first');
  const needed = typeof access === 'string' ? '' : `; it takes ${access.join(' or ')}`;
  throw new ObscuraError('forbidden', `You may not do this${needed}`);
}

/** A cookie comes along whoever made the browser send the request, so the page that did must be known and our own. */
function assertOwnPage(request: FastifyRequest, allowed: readonly string[]): void {
  if (request.headers.origin === undefined || isForeignOrigin(request, allowed))
    throw new ObscuraError(
      'forbidden',
      'With a session cookie only the own page may change things (Origin is missing or not in allowedOrigins)',
    );
}

/** Whoever knows the token could fetch it anyway; with it in the address, any page may show the picture. */
function admitImages({ routeOptions, query }: FastifyRequest, reply: FastifyReply): void {
  const hasToken = typeof query === 'object' && query !== null && 'token' in query;
  if (routeOptions.config.isPicture === true && hasToken)
    reply.header('cross-origin-resource-policy', 'cross-origin');
}

/** Pages that the owner has allowed may read the answers; for all others the browser keeps them from it. */
function admitOrigins(request: FastifyRequest, reply: FastifyReply, allowed: readonly string[]): void {
  const { origin } = request.headers;
  if (origin === undefined || !allowed.includes(origin)) return;
  reply.headers({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'ETag, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  });
}

function isOverBudget(
  request: FastifyRequest,
  reply: FastifyReply,
  budgets: Budgets,
  budget: Budget,
): boolean {
  if (budget === 'none') return false;
  const verdict = budgets.spend(networkOf(request.ip), budget);
  reply.headers({
    'x-ratelimit-limit': verdict.limit,
    'x-ratelimit-remaining': verdict.remaining,
    'x-ratelimit-reset': Math.ceil(Date.now() / 1000) + verdict.resetAfter,
  });
  if (verdict.allowed) return false;
  reply.code(429).header('retry-after', verdict.retryAfter).send(tooMany(verdict));
  return true;
}

function tooMany({ limit, retryAfter }: Verdict): object {
  const message = `Too many requests from this address: ${String(limit)} in a second are allowed`;
  return {
    ...errorBody({ code: 'RATE_LIMITED', message, details: { limit, period: 1 } }),
    // Clients of the reference product look for these beside the error.
    limit,
    period: 1,
    retry_after: retryAfter,
  };
}

function isUpgrade({ headers: { upgrade, connection } }: FastifyRequest): boolean {
  return upgrade?.toLowerCase() === 'websocket' && /\bupgrade\b/i.test(connection ?? '');
}
