// API tokens: made of an id, which says whose it is, and a secret, of which only a hash is kept.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const prefix = 'obs';

export interface NewToken {
  readonly id: string;
  /** Shown once, to whoever asked for it. */
  readonly token: string;
  readonly hash: string;
}

export function makeToken(): NewToken {
  const id = randomBytes(6).toString('hex');
  const secret = randomBytes(32).toString('hex');
  return { id, token: `${prefix}_${id}_${secret}`, hash: hashOf(secret) };
}

export function parseToken(token: string): { readonly id: string; readonly secret: string } | undefined {
  const [kind, id, secret, ...rest] = token.split('_');
  if (kind !== prefix || id === undefined || secret === undefined || rest.length > 0) return undefined;
  return { id, secret };
}

export function tokenMatches(secret: string, hash: string): boolean {
  const given = Buffer.from(hashOf(secret));
  const kept = Buffer.from(hash);
  return given.length === kept.length && timingSafeEqual(given, kept);
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
