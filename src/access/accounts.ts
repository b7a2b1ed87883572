// Accounts at work: who logs in by which means, and how accounts, passwords and tokens are made and ended.
// The facts live in the store (users, customRoles, apiTokens, the hidden credentials); sessions have a file of their own.
import { filter, map, merge, type Observable } from 'rxjs';
import { ObscuraError } from '../errors.js';
import { Issue } from '../observables/define.js';
import { authenticatedMask, maskOf, type Mask, type Permission } from '../observables/permissions.js';
import type { AppRegistry } from '../observables/registry.js';
import { systemActor, type Actor } from '../store/actor.js';
import type { Entry } from '../store/journalEntry.js';
import { originOf } from '../store/record.js';
import type { Intake } from '../store/staging.js';
import type { Revise, Store, Values } from '../store/store.js';
import { DigestGuard, digestSecret, parseDigest } from './digest.js';
import { Identity, type Grant, type Origin } from './identity.js';
import { LoginLimiter } from './limiter.js';
import { hashPassword, passwordProblem, verifyAgainstNothing, verifyPassword } from './password.js';
import { maskOfAccount } from './rights.js';
import type { Sealer } from './seal.js';
import type { SessionInfo, Sessions } from './sessions.js';
import { makeToken, parseToken, tokenMatches } from './tokens.js';

export type AppStore = Store<AppRegistry>;
type Credentials = Values<AppRegistry>['credentials'];

export interface AccountsOptions {
  readonly store: AppStore;
  readonly sessions: Sessions;
  readonly sealer: Sealer;
  readonly limiter?: LoginLimiter;
  /** Hears of log-ins, good and bad. */
  readonly audit?: (entry: Entry) => void;
  readonly now?: () => number;
}

export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly role?: string | undefined;
  readonly additionalPermissions?: readonly (Permission | number)[] | undefined;
  readonly onvif?: boolean | undefined;
}

export interface TokenRequest {
  readonly name: string;
  /** A part of what its owner may do; without it all of that. */
  readonly permissions?: readonly Permission[] | undefined;
  readonly expiresInDays?: number | undefined;
}

const refusedLogin = 'Wrong user name or password';
const dayMs = 86_400_000;

export class Accounts {
  /** Somebody's rights or validity may have changed: read them again. */
  readonly changes$: Observable<void>;
  /** Somebody has logged in. */
  readonly loggedIn$: Observable<void>;
  readonly #store: AppStore;
  readonly #sessions: Sessions;
  readonly #sealer: Sealer;
  readonly #limiter: LoginLimiter;
  readonly #audit: (entry: Entry) => void;
  readonly #now: () => number;
  readonly #digest: DigestGuard;
  /** When each token was used last, since the server started: not worth writing to the disk with every request. */
  readonly #tokenUsed = new Map<string, number>();
  /** Sessions that change their own password, and stay. */
  readonly #spared = new Set<string>();

  constructor({ store, sessions, sealer, limiter, audit, now }: AccountsOptions) {
    this.#store = store;
    this.#sessions = sessions;
    this.#sealer = sealer;
    this.#limiter = limiter ?? new LoginLimiter();
    this.#audit = audit ?? (() => undefined);
    this.#now = now ?? Date.now;
    this.#digest = new DigestGuard(this.#now);
    const decisive = new Set(['users', 'customRoles', 'apiTokens', 'anonymousPermissions', 'credentials']);
    this.changes$ = merge(
      store.commits$.pipe(
        filter(({ changed }) => changed.some(({ key }) => decisive.has(key))),
        map(() => undefined),
      ),
      sessions.ended$.pipe(map(() => undefined)),
    );
    this.loggedIn$ = sessions.begun$.pipe(map(() => undefined));
    store.prepareIntake('userPasswords', (value) => this.#takePasswords(value as Record<string, string>));
    // A password that has changed ends what was opened with the old one; an account that has gone ends everything.
    let before = store.get('credentials');
    store.observe('credentials').subscribe((credentials) => {
      const changed = Object.keys(before).filter(
        (name) => before[name]?.scrypt.hash !== credentials[name]?.scrypt.hash,
      );
      before = credentials;
      if (changed.length > 0)
        sessions.end(({ username, id }) => changed.includes(username) && !this.#spared.has(id));
    });
    store.observe('users').subscribe((users) => {
      sessions.end(({ username }) => !Object.hasOwn(users, username));
      this.#tidy();
    });
  }

  anonymous(origin: Origin): Identity {
    const grant: Grant = {
      name: '',
      mask: () => maskOf(this.#store.get('anonymousPermissions')),
      valid: () => true,
    };
    return new Identity(grant, origin);
  }

  async login(
    username: string,
    password: string,
    origin: Origin,
  ): Promise<{ token: string; expires: number; identity: Identity }> {
    await this.#check(username, password, origin);
    const { token, info, expires } = await this.#sessions.create(username, origin);
    this.#tell('log-in', username, origin, {});
    void this.#store.update(systemActor(), (get) => {
      const users = get('users');
      const account = Object.hasOwn(users, username) ? users[username] : undefined;
      return account === undefined
        ? {}
        : { users: { ...users, [username]: { ...account, lastLogin: this.#now() } } };
    });
    return { token, expires, identity: this.#ofSession(info, origin) };
  }

  async logout({ sessionId }: Identity): Promise<void> {
    if (sessionId !== undefined) await this.#sessions.revoke(({ id }) => id === sessionId);
  }

  /** HTTP Basic and the like: the password with every request. */
  async withPassword(username: string, password: string, origin: Origin): Promise<Identity> {
    await this.#check(username, password, origin);
    return this.#ofAccount(username, origin);
  }

  /** A session's token or an API token. */
  withToken(token: string, origin: Origin): Identity {
    const parsed = parseToken(token);
    if (parsed !== undefined) {
      const known = this.#token(parsed.id);
      if (known?.hash !== undefined && tokenMatches(parsed.secret, known.hash)) {
        const identity = this.#ofToken(parsed.id, known.username, origin);
        if (identity.valid) {
          this.#tokenUsed.set(parsed.id, this.#now());
          return identity;
        }
      }
    } else {
      const session = this.#sessions.use(token);
      if (session !== undefined) return this.#ofSession(session, origin);
    }
    throw new ObscuraError('unauthenticated', 'The token is not valid, or not any more');
  }

  /**
   * Everybody who holds one of the permissions, with what their log-ins are checked against, for a part of the server
   * that must check by itself.
   */
  holders(mask: Mask): {
    readonly accounts: Record<string, string>;
    readonly tokens: Record<
      string,
      { readonly user: string; readonly hash: string; readonly expires: number }
    >;
    readonly sessions: Record<string, string>;
  } {
    const may = (username: string): boolean => (this.#maskOf(username) & mask) !== 0;
    const accounts: Record<string, string> = {};
    for (const username of Object.keys(this.#store.get('users')).filter(may)) {
      const sealed = this.#credential(username)?.digest;
      const secret = sealed === undefined ? undefined : this.#sealer.open(sealed, `digest ${username}`);
      if (secret !== undefined) accounts[username] = secret;
    }
    const tokens = Object.entries(this.#store.get('apiTokens')).flatMap(
      ([id, { username, hash, expires }]) => {
        const identity = this.#ofToken(id, username, { via: 'system' });
        if (hash === undefined || !identity.valid || (identity.mask & mask) === 0) return [];
        return [[id, { user: username, hash, expires: expires ?? 0 }] as const];
      },
    );
    const sessions = Object.entries(this.#sessions.byHash()).filter(([, username]) => may(username));
    return { accounts, tokens: Object.fromEntries(tokens), sessions: Object.fromEntries(sessions) };
  }

  digestChallenge(stale = false): string {
    return this.#digest.challenge(stale);
  }

  withDigest(header: string, method: string, origin: Origin): Identity | 'stale' {
    const answer = parseDigest(header);
    if (answer === undefined) throw new ObscuraError('unauthenticated', 'The Digest header cannot be read');
    const { username } = answer;
    this.#assertMayTry(username, origin);
    const sealed = this.#credential(username)?.digest;
    const secret = sealed === undefined ? undefined : this.#sealer.open(sealed, `digest ${username}`);
    const verdict = secret === undefined ? 'wrong' : this.#digest.verify(answer, method, secret);
    if (verdict === 'stale') return 'stale';
    if (verdict === 'wrong') throw this.#refuse(username, origin);
    return this.#ofAccount(username, origin);
  }

  async createUser(
    actor: Actor,
    { username, password, role, additionalPermissions, onvif }: NewUser,
  ): Promise<void> {
    await this.#update(actor, (get) => {
      const users = get('users');
      if (Object.hasOwn(users, username))
        throw new ObscuraError('conflict', `There is an account ${username} already`, { key: 'users' });
      const account = {
        role: role ?? 'viewer',
        additionalPermissions: [...(additionalPermissions ?? [])],
        created: this.#now(),
        ...(onvif === undefined ? {} : { onvif }),
      };
      return {
        users: { ...users, [username]: account },
        userPasswords: { [username]: password },
      };
    });
  }

  async changeUser(
    actor: Actor,
    username: string,
    change: {
      readonly role?: string | undefined;
      readonly additionalPermissions?: readonly (Permission | number)[] | undefined;
      readonly onvif?: boolean | undefined;
    },
  ): Promise<void> {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    await this.#update(actor, (get) => {
      const users = get('users');
      return { users: { ...users, [username]: { ...existing(users, username), ...given } } };
    });
  }

  /** What hangs on the account goes with it; see #tidy. */
  async deleteUser(actor: Actor, username: string): Promise<void> {
    await this.#update(actor, (get) => {
      const users = get('users');
      existing(users, username);
      return { users: without(users, ([name]) => name === username) };
    });
  }

  /** One's own needs the old password; somebody else's needs User_rw. Other log-ins of the account end. */
  async changePassword(actor: Identity, username: string, next: string, old?: string): Promise<void> {
    this.#assertKnown(username, actor);
    if (actor.name !== username) {
      await this.#update(actor, () => ({ userPasswords: { [username]: next } }));
      return;
    }
    await this.#check(username, old ?? '', { via: actor.via, address: actor.address });
    if (actor.sessionId !== undefined) this.#spared.add(actor.sessionId);
    try {
      // With the old password proven, the change is the account's own and needs no permission.
      await this.#update(systemActor('system', actor.name), () => ({ userPasswords: { [username]: next } }));
    } finally {
      if (actor.sessionId !== undefined) this.#spared.delete(actor.sessionId);
    }
  }

  /** A connection that stays open keeps its log-in alive. */
  touch(sessionId: string): void {
    this.#sessions.touch(sessionId);
  }

  sessionsOf(actor: Identity): SessionInfo[] {
    if (actor.may('User_r', 'User_rw')) return this.#sessions.list();
    return this.#speaksForItsOwner(actor) ? this.#sessions.list(actor.name) : [];
  }

  async revokeSession(actor: Identity, id: string): Promise<void> {
    const mayEnd = ({ username }: SessionInfo): boolean =>
      actor.may('User_rw') || (username === actor.name && this.#speaksForItsOwner(actor));
    const ended = await this.#sessions.revoke((session) => session.id === id && mayEnd(session));
    if (ended === 0) throw new ObscuraError('unknown', 'There is no such session');
  }

  async createToken(
    actor: Identity,
    { name, permissions, expiresInDays }: TokenRequest,
  ): Promise<{ id: string; token: string; expires: number | null }> {
    if (actor.anonymous) throw new ObscuraError('unauthenticated', 'Log in to make a token');
    const wanted = permissions ?? actor.permissions;
    const beyond = wanted.find((permission) => !actor.may(permission));
    if (beyond !== undefined)
      throw new ObscuraError('forbidden', `You do not hold ${beyond} and cannot give it to a token`);
    const { id, token, hash } = makeToken();
    const created = this.#now();
    // What a token makes lives no longer than itself.
    const parent = actor.tokenId === undefined ? undefined : { parent: actor.tokenId };
    const latest = (parent && this.#token(parent.parent)?.expires) ?? Infinity;
    const end = Math.min(
      latest,
      expiresInDays === undefined ? Infinity : created + Math.round(expiresInDays * dayMs),
    );
    const expires = end === Infinity ? null : end;
    const entry = { name, username: actor.name, permissions: [...wanted], created, expires, hash, ...parent };
    await this.#update(systemActor('system', actor.name), (get) => ({
      apiTokens: { ...get('apiTokens'), [id]: entry },
    }));
    this.#tell('token made', actor.name, { via: actor.via, address: actor.address }, { id, name });
    return { id, token, expires };
  }

  /** Ids of the tokens that somebody may see and end. */
  tokensOf(actor: Identity): string[] {
    const all = this.#store.get('apiTokens');
    if (actor.may('User_r', 'User_rw')) return Object.keys(all);
    if (actor.tokenId !== undefined && !this.#speaksForItsOwner(actor))
      return descendants(all, actor.tokenId);
    return Object.keys(all).filter((id) => all[id]?.username === actor.name);
  }

  /** Undefined where it has not been used since the server started. */
  lastUseOfToken(id: string): number | undefined {
    return this.#tokenUsed.get(id);
  }

  async revokeToken(actor: Identity, id: string): Promise<void> {
    const token = this.#token(id);
    const may = this.tokensOf(actor).includes(id) && (token?.username === actor.name || actor.may('User_rw'));
    if (token === undefined || !may) throw new ObscuraError('unknown', 'There is no such token');
    await this.#update(systemActor('system', actor.name), (get) => {
      const apiTokens = get('apiTokens');
      const gone = new Set(descendants(apiTokens, id));
      for (const each of gone) this.#tokenUsed.delete(each);
      return { apiTokens: without(apiTokens, ([each]) => gone.has(each)) };
    });
    this.#tell(
      'token revoked',
      actor.name,
      { via: actor.via, address: actor.address },
      { id, name: token.name },
    );
  }

  async #check(username: string, password: string, origin: Origin): Promise<void> {
    this.#assertMayTry(username, origin);
    const known = this.#credential(username);
    const exists = known !== undefined && Object.hasOwn(this.#store.get('users'), username);
    const right = exists
      ? await verifyPassword(password, known.scrypt)
      : await verifyAgainstNothing(password);
    // Many guesses sent at once must not learn more than the few that may fail.
    this.#assertMayTry(username, origin);
    if (!right) throw this.#refuse(username, origin);
    this.#limiter.succeeded(username, origin.address);
  }

  /** A token that may do less than its owner has no say over the owner's other tokens and log-ins. */
  #speaksForItsOwner({ tokenId, name, mask }: Identity): boolean {
    return tokenId === undefined || (this.#maskOf(name) & ~mask) === 0;
  }

  #assertMayTry(username: string, origin: Origin): void {
    const wait = this.#limiter.waitFor(username, origin.address);
    if (wait > 0)
      throw new ObscuraError('limited', `Too many failed log-ins; try again in ${String(wait)} seconds`, {
        retryAfter: wait,
      });
  }

  #refuse(username: string, origin: Origin): ObscuraError {
    this.#limiter.failed(username, origin.address);
    // An unknown name may be a password typed into the wrong field, so it is not written down.
    const known = Object.hasOwn(this.#store.get('users'), username);
    this.#tell('log-in refused', known ? username : '(unknown account)', origin, {});
    return new ObscuraError('unauthenticated', refusedLogin);
  }

  #tell(event: string, username: string, { via, address }: Origin, detail: Record<string, unknown>): void {
    const actor = { name: username, via, address, mask: 0 };
    this.#audit({ kind: 'event', at: this.#now(), ...originOf(actor), event, detail });
  }

  #ofSession({ id, username }: SessionInfo, origin: Origin): Identity {
    const grant: Grant = {
      name: username,
      sessionId: id,
      mask: () => this.#maskOf(username),
      valid: () => this.#exists(username) && this.#sessions.isAlive(id),
    };
    return new Identity(grant, origin);
  }

  #ofAccount(username: string, origin: Origin): Identity {
    const { scrypt } = this.#credential(username) ?? {};
    const grant: Grant = {
      name: username,
      mask: () => this.#maskOf(username),
      // Somebody who came by password goes with it.
      valid: () => this.#exists(username) && this.#credential(username)?.scrypt.hash === scrypt?.hash,
    };
    return new Identity(grant, origin);
  }

  #ofToken(id: string, username: string, origin: Origin): Identity {
    const grant: Grant = {
      name: username,
      tokenId: id,
      mask: () => this.#maskOf(username) & (maskOf(this.#token(id)?.permissions ?? []) | authenticatedMask),
      valid: () => {
        const token = this.#token(id);
        return (
          token !== undefined &&
          this.#exists(username) &&
          (token.expires === null || token.expires > this.#now())
        );
      },
    };
    return new Identity(grant, origin);
  }

  #maskOf(username: string): number {
    const store = this.#store;
    return maskOfAccount(username, { users: store.get('users'), customRoles: store.get('customRoles') });
  }

  #exists(username: string): boolean {
    return Object.hasOwn(this.#store.get('users'), username);
  }

  /** Credentials and tokens of accounts that are gone would open an account of the same name again. */
  #tidy(): void {
    void this.#store.update(systemActor(), (get) => {
      const users = get('users');
      return {
        credentials: without(get('credentials'), ([name]) => !Object.hasOwn(users, name)),
        apiTokens: without(
          get('apiTokens'),
          ([, { username, created }]) =>
            !Object.hasOwn(users, username) || created < (users[username]?.created ?? 0),
        ),
      };
    });
  }

  #assertKnown(username: string, actor: Identity): void {
    const visible = actor.name === username || actor.may('User_r', 'User_rw');
    existing(visible ? this.#store.get('users') : {}, username);
  }

  #credential(username: string): Credentials[string] | undefined {
    const all = this.#store.get('credentials');
    return Object.hasOwn(all, username) ? all[username] : undefined;
  }

  #token(id: string): Values<AppRegistry>['apiTokens'][string] | undefined {
    const all = this.#store.get('apiTokens');
    return Object.hasOwn(all, id) ? all[id] : undefined;
  }

  async #update(actor: Actor, revise: Revise<AppRegistry>): Promise<void> {
    const outcome = await this.#store.update(actor, revise);
    if (!outcome.ok) throw new ObscuraError(outcome.error.code, outcome.error.message, outcome.error);
  }

  /** Hashes first, outside of the transaction; inside it, the results are joined to the credentials of that moment. */
  async #takePasswords(passwords: Readonly<Record<string, string>>): Promise<Intake> {
    const made: Record<string, Credentials[string]> = {};
    for (const [username, password] of Object.entries(passwords)) {
      const problem = passwordProblem(password, username);
      if (problem !== undefined) return () => new Issue('userPasswords', problem);
      made[username] = {
        scrypt: await hashPassword(password),
        digest: this.#sealer.seal(digestSecret(username, password), `digest ${username}`),
        password: this.#sealer.seal(password, `password ${username}`),
      };
    }
    return (valueOf) => {
      const users = valueOf('users') as Values<AppRegistry>['users'];
      const stranger = Object.keys(made).find((username) => !Object.hasOwn(users, username));
      if (stranger !== undefined) return new Issue('userPasswords', `There is no account ${stranger}`);
      const kept = Object.entries(made).map(
        ([username, { password, ...rest }]): [string, Credentials[string]] => [
          username,
          // The password itself is only kept, sealed, where ONVIF cannot do without it.
          users[username]?.onvif === true && password !== undefined ? { ...rest, password } : rest,
        ],
      );
      return { credentials: { ...(valueOf('credentials') as Credentials), ...Object.fromEntries(kept) } };
    };
  }
}

/** A token and all that were made by it, and by those. */
function descendants(tokens: Values<AppRegistry>['apiTokens'], id: string): string[] {
  const found = [id];
  for (const parent of found)
    for (const [each, token] of Object.entries(tokens))
      if (token.parent === parent && !found.includes(each)) found.push(each);
  return found;
}

function existing<T>(users: Readonly<Record<string, T>>, username: string): T {
  const account = Object.hasOwn(users, username) ? users[username] : undefined;
  if (account === undefined)
    throw new ObscuraError('unknown', `There is no account ${username}`, { key: 'users' });
  return account;
}

function without<T>(
  record: Readonly<Record<string, T>>,
  goes: (entry: [string, T]) => boolean,
): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter((entry) => !goes(entry)));
}
