// Remembers for a short while that a Basic header was right: checking a password is slow on purpose, and older clients
// send theirs with every request. What is kept is a keyed hash that is of no use outside of this process.
import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../../access/identity.js';

const lifeMs = 60_000;
const most = 200;

export class PasswordMemory {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly identity: Identity; readonly until: number }>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** An identity whose password has changed since is not valid any more, and is checked anew. */
  recall(request: FastifyRequest): Identity | undefined {
    const id = this.#idOf(request);
    const known = id === undefined ? undefined : this.#known.get(id);
    return known !== undefined && known.until > this.#now() && known.identity.valid
      ? known.identity
      : undefined;
  }

  remember(request: FastifyRequest, identity: Identity): void {
    const id = this.#idOf(request);
    if (id === undefined || this.recall(request) === identity) return;
    this.#known.set(id, { identity, until: this.#now() + lifeMs });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= most) break;
      this.#known.delete(oldest);
    }
  }

  /** The same header from elsewhere, or through another client, is another identity for the audit. */
  #idOf({ headers, ip }: FastifyRequest): string | undefined {
    const { authorization } = headers;
    if (authorization === undefined || !/^basic /i.test(authorization)) return undefined;
    const client = String(headers['x-obscura-client']);
    return createHmac('sha256', this.#key).update(`${ip}\n${client}\n${authorization}`).digest('base64');
  }
}
