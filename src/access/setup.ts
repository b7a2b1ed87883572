// A server to which nobody can log in yet is taken over with a code that it shows where only its owner looks. The code
// is good until it is used or the server starts again.
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { ObscuraError } from '../errors.js';
import { systemActor, type Actor } from '../store/actor.js';
import type { Entry } from '../store/journalEntry.js';
import { originOf } from '../store/record.js';
import type { AppStore } from './accounts.js';
import type { Origin } from './identity.js';
import type { LoginLimiter } from './limiter.js';

export interface SetupOptions {
  readonly store: AppStore;
  /** The one of the log-ins: guessing a code costs as much as guessing a password. */
  readonly limiter: LoginLimiter;
  readonly audit: (entry: Entry) => void;
}

export interface SetupRequest {
  readonly code: string;
  readonly username: string;
  readonly password: string;
}

/** What failed attempts are counted under, beside their address; no account can have this name. */
const nobody = '';

export class Setup {
  readonly #store: AppStore;
  readonly #limiter: LoginLimiter;
  readonly #audit: (entry: Entry) => void;
  #code: string | undefined;

  constructor({ store, limiter, audit }: SetupOptions) {
    this.#store = store;
    this.#limiter = limiter;
    this.#audit = audit;
  }

  /** Whether there is somebody to be made who can log in. */
  get isDue(): boolean {
    return this.#code !== undefined && nobodyCanLogIn(this.#store);
  }

  /** A new code, to be shown to the owner; one of before is worth nothing any more. */
  begin(): string {
    this.#code = makeCode();
    return this.#code;
  }

  async complete({ code, username, password }: SetupRequest, origin: Origin): Promise<void> {
    const wanted = this.#code;
    if (wanted === undefined || !this.isDue)
      throw new ObscuraError('conflict', 'This server is set up already; log in instead');
    this.#assertMayTry(origin);
    if (!isSame(code, wanted)) {
      this.#limiter.failed(nobody, origin.address);
      this.#tell('set-up refused', nobody, origin);
      throw new ObscuraError('unauthenticated', 'This is not the code that the server has shown last');
    }
    // Whoever comes at the same time with the same code is too late.
    this.#code = undefined;
    try {
      await this.makeAdministrator(systemActor('system', username), username, password);
    } catch (error) {
      this.#code ??= wanted;
      throw error;
    }
    this.#limiter.succeeded(nobody, origin.address);
    this.#tell('set-up', username, origin);
  }

  /** An account of this name that has lost its password keeps what else is known of it. */
  async makeAdministrator(actor: Actor, username: string, password: string): Promise<void> {
    const outcome = await this.#store.update(actor, (get) => {
      const users = get('users');
      const before = Object.hasOwn(users, username) ? users[username] : { created: Date.now() };
      return {
        users: { ...users, [username]: { ...before, role: 'administrator' } },
        userPasswords: { [username]: password },
      };
    });
    if (!outcome.ok) throw new ObscuraError(outcome.error.code, outcome.error.message, outcome.error);
  }

  #assertMayTry({ address }: Origin): void {
    const wait = this.#limiter.waitFor(nobody, address);
    if (wait > 0)
      throw new ObscuraError('limited', `Too many wrong codes; try again in ${String(wait)} seconds`, {
        retryAfter: wait,
      });
  }

  #tell(event: string, name: string, { via, address }: Origin): void {
    const by = originOf({ name, via, address, mask: 0 });
    this.#audit({ kind: 'event', at: Date.now(), ...by, event, detail: {} });
  }
}

/** Passwords are sealed with the device key and are lost with it; then there are accounts, and nobody who can use them. */
export function nobodyCanLogIn(store: AppStore): boolean {
  const credentials = store.get('credentials');
  return !Object.keys(store.get('users')).some((username) => Object.hasOwn(credentials, username));
}

/** Letters and digits of which no two look or sound too much alike, in two groups of four: 37 bits. */
const alphabet = 'ACDEFGHJKMNPQRTUVWXY34679';

function makeCode(): string {
  const group = (): string =>
    Array.from({ length: 4 }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
  return `${group()}-${group()}`;
}

/** Small letters, blanks and a missing dash are no mistakes. */
function isSame(given: string, wanted: string): boolean {
  const digest = (code: string): Buffer =>
    createHash('sha256').update(code.toUpperCase().replaceAll(/[\s-]/g, '')).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
