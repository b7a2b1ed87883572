// What the page knows of the server, kept by the client library: who is here, the connection, every value that may be
// read, how changes fare, and the descriptions of the settings.
import { SvelteMap } from 'svelte/reactivity';
import { Client, ClientError, HttpClient, socketUrl, type ConnectionState } from '../client/index.js';
import { messageOf } from './messageOf.js';
import { patience } from './patience.js';
import type { Schema } from './settings/description.js';

export interface Me {
  /** Empty for somebody who has not logged in. */
  readonly username: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly authenticated: boolean;
}

export interface Standing {
  readonly status: 'pending' | 'applied' | 'failed';
  readonly reason?: string | undefined;
}

/** The newest change of a key by somebody, and in which state of the page it came. */
export interface ChangedBy {
  readonly by: string;
  readonly revision: number;
}

/** `new`: nobody can log in, and the first account is to be made. */
export type Phase = 'looking' | 'new' | 'out' | 'in';

const pauseMs = { first: 300, longest: 4000, again: 1000 };

export class Desk {
  readonly http = new HttpClient('');
  readonly values = new SvelteMap<string, unknown>();
  readonly standings = new SvelteMap<string, Standing>();
  /** Why the last change of a key did not come into force. The value returns at once and is in force again, but for
   *  whoever asked for it here the reason stays until they try anew. */
  readonly failures = new SvelteMap<string, string>();
  readonly changedBy = new SvelteMap<string, ChangedBy>();
  #phase = $state<Phase>('looking');
  #me = $state.raw<Me | undefined>();
  #link = $state.raw<ConnectionState>({ state: 'connecting' });
  #schema = $state.raw<Schema | undefined>();
  /** Why somebody who was logged in is not any more. */
  #ended = $state(false);
  /** What was changed here, and not by others. */
  readonly #asked = new Set<string>();
  #client: Client | undefined;
  #looking: Promise<void> | undefined;

  get phase(): Phase {
    return this.#phase;
  }

  get me(): Me | undefined {
    return this.#me;
  }

  get schema(): Schema | undefined {
    return this.#schema;
  }

  get link(): ConnectionState {
    return this.#link;
  }

  /** Whether what is shown is what is so. */
  get isCurrent(): boolean {
    return this.#link.state === 'open';
  }

  get sessionEnded(): boolean {
    return this.#ended;
  }

  get revision(): number | undefined {
    return this.#client?.revision;
  }

  /** Whether one of these permissions is held; of a setting nobody may write, never. */
  may(needs: readonly string[]): boolean {
    const me = this.#me;
    if (me === undefined) return false;
    return needs.some((need) =>
      need === 'Authenticated' ? me.authenticated : me.permissions.includes(need),
    );
  }

  /** Finds out who is here, as often as it takes, and begins to follow the server where they may see anything. */
  begin(): Promise<void> {
    this.#looking ??= this.#lookUntilSeen().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async logIn(username: string, password: string): Promise<void> {
    // The session is a cookie that no script can read; the answer's token is not kept.
    await this.http.post('/api/login', { username, password });
    this.#ended = false;
    await this.#look();
  }

  /** Makes the first administrator and logs in as such. Where somebody else was faster, one logs in as usual. */
  async setUp(first: {
    readonly code: string;
    readonly username: string;
    readonly password: string;
  }): Promise<void> {
    try {
      await this.http.post('/api/setup', first);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'conflict') throw error;
    }
    await this.#look();
  }

  async logOut(): Promise<void> {
    await this.http.post('/api/logout');
    this.#leave('out');
    await this.#look();
  }

  /** For somebody who may see something without having logged in, and would like to see more. */
  showLogIn(): void {
    this.#leave('out');
  }

  /**
   * Changes a setting and resolves with the revision of that. Refusals are thrown; whether an accepted change comes into
   * force is told by its standing. What is `transient` is shown to everybody, but not kept.
   */
  async change(key: string, value: unknown, ifRevision?: number, transient?: true): Promise<number> {
    if (this.#client === undefined) throw new ClientError('unreachable', 'Not connected');
    this.failures.delete(key);
    this.#asked.add(key);
    const { revision } = await this.#client.submit({ [key]: value }, { ifRevision, transient });
    return revision;
  }

  async #lookUntilSeen(): Promise<void> {
    for (;;) {
      try {
        await this.#look();
        return;
      } catch (error) {
        this.#link = { state: 'lost', reason: messageOf(error), retryInMs: pauseMs.again };
        await patience(pauseMs.again);
      }
    }
  }

  async #look(): Promise<void> {
    const me = await this.http.get<Me>('/api/me');
    this.#me = me;
    if (!me.authenticated && me.permissions.length === 0) {
      const { due } = await this.http.get<{ readonly due: boolean }>('/api/setup');
      this.#leave(due ? 'new' : 'out');
      return;
    }
    this.#schema = await this.http.get<Schema>('/api/schema');
    this.#phase = 'in';
    if (this.#client === undefined) this.#follow();
  }

  #follow(): void {
    const client = new Client(socketUrl(location.origin), { retry: pauseMs });
    this.#client = client;
    client.changes.subscribe(({ set, gone, by, complete, revision }) => {
      if (complete) this.values.clear();
      for (const key of gone) this.values.delete(key);
      for (const [key, value] of Object.entries(set)) {
        this.values.set(key, value);
        if (by !== undefined) this.changedBy.set(key, { by, revision });
      }
    });
    client.statuses.subscribe(({ key, status, reason }) => {
      this.standings.set(key, { status, reason });
      if (status === 'failed') this.failures.set(key, reason ?? '');
      else if (status === 'applied' && !this.#asked.has(key)) this.failures.delete(key);
    });
    client.notices.subscribe(({ code }) => {
      if (code === 'permissions' || code === 'session-ended') void this.#check();
    });
    let wasOpen = false;
    client.connection.subscribe((state) => {
      if (client !== this.#client) return;
      this.#link = state;
      // The server may have forgotten the session in the meantime, or thinks otherwise of it.
      if (state.state === 'open' && wasOpen) void this.#check();
      if (state.state === 'open') wasOpen = true;
      if (state.state === 'closed') void this.#anew(client);
    });
    // Where this fails the client closes, which is heard above.
    client
      .open()
      .then(() => client.watch(['*']))
      .catch(() => undefined);
  }

  /** A client that has given up does not come back; another one tries after a while, if there is still somebody. */
  async #anew(given: Client): Promise<void> {
    this.#link = { state: 'lost', reason: '', retryInMs: pauseMs.longest };
    await patience(pauseMs.first);
    if (given !== this.#client) return;
    this.#client = undefined;
    await this.#check();
  }

  async #check(): Promise<void> {
    const wasIn = this.#me?.authenticated === true;
    await this.begin();
    if (wasIn && this.#me?.authenticated === false) this.#ended = true;
  }

  #leave(phase: 'new' | 'out'): void {
    const client = this.#client;
    this.#client = undefined;
    client?.close();
    this.values.clear();
    this.standings.clear();
    this.failures.clear();
    this.#asked.clear();
    this.changedBy.clear();
    this.#schema = undefined;
    this.#phase = phase;
  }
}

export const desk = new Desk();
