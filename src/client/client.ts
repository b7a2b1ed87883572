// The client: reads, writes and follows the settings of a server, and finds its way back after a loss.
import type { Change, Notice, Push } from '../protocol/v2.js';
import { Link } from './link.js';
import { Listeners, type Subscription, type Watchable } from './listeners.js';
import type {
  Changes,
  ClientOptions,
  ConnectionState,
  Credentials,
  Patch,
  SetOptions,
  SetResult,
  SettingKey,
  Settings,
  SettingValue,
  Status,
} from './types.js';

export interface Session {
  readonly user: string;
  readonly permissions: readonly string[];
}

export class Client {
  readonly #link: Link;
  readonly #changes = new Listeners<Changes>();
  readonly #statuses = new Listeners<Status>();
  readonly #notices = new Listeners<Notice>();
  readonly #values = new Map<string, unknown>();
  readonly #globs = new Map<string, number>();
  /** Every change, and the whole state when it had to be sent anew. */
  readonly changes: Watchable<Changes> = this.#changes;
  /** How changes fare that something has to carry out. */
  readonly statuses: Watchable<Status> = this.#statuses;
  /** What the server says of this connection: other permissions, the end of the log-in, that it stops. */
  readonly notices: Watchable<Notice> = this.#notices;
  readonly connection: Watchable<ConnectionState> & { readonly value: ConnectionState };
  #credentials: Credentials | undefined;
  #session: Session = { user: '', permissions: [] };
  #revision: number | undefined;
  #epoch: string | undefined;
  #watchedPermissions = '';
  #requests = 0;
  readonly #name = Math.random().toString(36).slice(2);

  constructor(url: string, options: ClientOptions = {}) {
    this.#credentials = options.credentials;
    this.#link = new Link(url, options, () => this.#greet());
    this.connection = this.#link.state;
    this.#link.pushes.subscribe((push) => {
      this.#receive(push);
    });
  }

  /** Resolves once logged in; rejects where that cannot be. */
  open(): Promise<void> {
    return this.#link.open();
  }

  close(): void {
    this.#link.close();
  }

  get session(): Session {
    return this.#session;
  }

  /** The newest revision seen. */
  get revision(): number | undefined {
    return this.#revision;
  }

  async login(credentials: Credentials): Promise<Session> {
    const answer = await this.#link.request({ op: 'auth', ...credentials });
    this.#credentials = credentials;
    this.#session = { user: answer.user ?? '', permissions: answer.permissions ?? [] };
    return this.#session;
  }

  /** Asks the server. */
  async get<K extends SettingKey>(key: K): Promise<SettingValue<K>> {
    const { state } = await this.#link.request({ op: 'get', keys: [key] });
    return state?.[key] as SettingValue<K>;
  }

  /** All readable values whose names match. */
  async getAll(globs: readonly string[] = ['*']): Promise<Partial<Settings>> {
    const { state } = await this.#link.request({ op: 'get', keys: globs });
    return state ?? {};
  }

  set<K extends SettingKey>(key: K, value: SettingValue<K>, options: SetOptions = {}): Promise<SetResult> {
    return this.submit({ [key]: value }, options);
  }

  /** Several at once: all or none. */
  transact(patch: Patch, options: SetOptions = {}): Promise<SetResult> {
    return this.submit(patch, options);
  }

  /** Values that the compiler has not seen, as from a file or a command line; the server checks them. */
  async submit(set: Readonly<Record<string, unknown>>, options: SetOptions = {}): Promise<SetResult> {
    const { signal, ...rest } = options;
    this.#requests += 1;
    const requestId = `${this.#name}-${String(this.#requests)}`;
    const answer = await this.#link.request({ op: 'set', set, ...rest, requestId }, { signal });
    return {
      revision: answer.revision ?? 0,
      changed: answer.changed ?? [],
      ...(answer.consequences === undefined ? {} : { consequences: answer.consequences }),
      ...(answer.confirmBefore === undefined ? {} : { confirmBefore: answer.confirmBefore }),
      ...('result' in answer ? { result: answer.result } : {}),
    };
  }

  async describe(keys?: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#link.request({ op: 'describe', ...(keys === undefined ? {} : { keys }) });
    return answer.descriptions ?? {};
  }

  async undo(): Promise<SetResult> {
    const { revision = 0, changed = [] } = await this.#link.request({ op: 'undo' });
    return { revision, changed };
  }

  async confirm(revision: number): Promise<void> {
    await this.#link.request({ op: 'confirm', revision });
  }

  async lock(keys: readonly SettingKey[], seconds: number): Promise<number> {
    const { until = 0 } = await this.#link.request({ op: 'lock', keys, seconds });
    return until;
  }

  async unlock(keys?: readonly SettingKey[]): Promise<void> {
    await this.#link.request({ op: 'unlock', ...(keys === undefined ? {} : { keys }) });
  }

  /** Follows keys and patterns until unsubscribed. Resolves when their values are known. */
  async watch(globs: readonly string[], listener?: (changes: Changes) => void): Promise<Subscription> {
    const subscription = listener === undefined ? undefined : this.#changes.subscribe(listener);
    for (const glob of globs) this.#globs.set(glob, (this.#globs.get(glob) ?? 0) + 1);
    await this.#rewatch(false);
    return {
      unsubscribe: () => {
        subscription?.unsubscribe();
        for (const glob of globs) {
          const users = (this.#globs.get(glob) ?? 1) - 1;
          if (users === 0) this.#globs.delete(glob);
          else this.#globs.set(glob, users);
        }
      },
    };
  }

  /** What is known of a watched key. */
  peek<K extends SettingKey>(key: K): SettingValue<K> | undefined {
    return this.#values.get(key) as SettingValue<K> | undefined;
  }

  /** The value once it is known, then every other one. */
  observe<K extends SettingKey>(key: K): Watchable<SettingValue<K>> {
    return {
      subscribe: (next) => {
        const tell = (value: SettingValue<K>): void => {
          if (typeof next === 'function') next(value);
          else next.next?.(value);
        };
        if (this.#values.has(key)) tell(this.#values.get(key) as SettingValue<K>);
        const changes = this.#changes.subscribe(({ set }) => {
          if (Object.hasOwn(set, key)) tell(set[key] as SettingValue<K>);
        });
        const watch = this.watch([key]).catch(() => undefined);
        return {
          unsubscribe: () => {
            changes.unsubscribe();
            void watch.then((subscription) => subscription?.unsubscribe());
          },
        };
      },
    };
  }

  async #greet(): Promise<void> {
    if (this.#credentials !== undefined) {
      const answer = await this.#link.request({ op: 'auth', ...this.#credentials }, { survives: false });
      this.#session = { user: answer.user ?? '', permissions: answer.permissions ?? [] };
    }
    // Other permissions than before: what changed since is not all that is to be known.
    const resume = this.#session.permissions.join() === this.#watchedPermissions;
    if (this.#globs.size > 0) await this.#rewatch(resume, false);
  }

  async #rewatch(resume: boolean, survives = true): Promise<void> {
    const since = resume && this.#revision !== undefined ? { since: this.#revision, epoch: this.#epoch } : {};
    const answer = await this.#link.request(
      { op: 'watch', keys: [...this.#globs.keys()], ...since },
      { survives },
    );
    this.#watchedPermissions = this.#session.permissions.join();
    this.#epoch = answer.epoch;
    const complete = answer.changes === undefined;
    this.#merge({
      revision: answer.revision ?? 0,
      set: answer.changes ?? answer.state ?? {},
      gone: [],
      complete,
    });
    for (const [key, status] of Object.entries(answer.statuses ?? {}))
      this.#statuses.emit({ key, ...status });
  }

  #receive(push: Push): void {
    switch (push.op) {
      case 'change':
        this.#merge(changesFrom(push));
        break;
      case 'status': {
        const { op: _op, ...status } = push;
        this.#statuses.emit(status);
        break;
      }
      case 'notice':
        if (push.permissions !== undefined)
          this.#session = { ...this.#session, permissions: push.permissions };
        this.#notices.emit(push);
        break;
    }
  }

  #merge(changes: Changes): void {
    if (changes.complete) this.#values.clear();
    for (const key of changes.gone) this.#values.delete(key);
    for (const [key, value] of Object.entries(changes.set)) this.#values.set(key, value);
    this.#revision = changes.revision;
    this.#changes.emit(changes);
  }
}

function changesFrom({ revision, set, gone, by }: Change): Changes {
  return { revision, set, gone: gone ?? [], by, complete: false };
}

/** Connects to `http://host:port` or `ws://host:port` and logs in where credentials are given. */
export async function connect(server: string, options: ClientOptions = {}): Promise<Client> {
  const client = new Client(socketUrl(server), options);
  await client.open();
  return client;
}

export function socketUrl(server: string): string {
  const url = new URL(server);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  if (!url.pathname.endsWith('/api/v2')) url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v2`;
  return url.href;
}
