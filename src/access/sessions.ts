// Log-ins that last: opaque tokens of which only a hash is kept, ended by idleness, by age, or by hand.
import { createHash, randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { Subject, type Observable } from 'rxjs';
import { messageOf, ObscuraError } from '../errors.js';
import { realFiles, replaceFile } from '../store/files.js';

export interface SessionInfo {
  readonly id: string;
  readonly username: string;
  readonly created: number;
  readonly lastUsed: number;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
}

interface Session extends SessionInfo {
  readonly hash: string;
  lastUsed: number;
}

export interface SessionsOptions {
  readonly folder: string;
  /** Asked at every use, so that the setting counts at once. */
  readonly idleMs: () => number;
  readonly now?: () => number;
  readonly onFault?: (message: string) => void;
}

const fileName = 'sessions.json';
const oldestMs = 30 * 86_400_000;
const perUser = 50;
const inAll = 2000;
/** Uses are written down this much later, together: losing a few seconds of idle time in a crash harms nobody. */
const saveDelayMs = 5000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #now: () => number;
  readonly #byHash = new Map<string, Session>();
  readonly #ended = new Subject<string>();
  readonly #begun = new Subject<string>();
  /** Ids of sessions that have begun. */
  readonly begun$: Observable<string> = this.#begun.asObservable();
  /** Ids of sessions that have ended. */
  readonly ended$: Observable<string> = this.#ended.asObservable();
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: SessionsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  static async open(options: SessionsOptions): Promise<Sessions> {
    const sessions = new Sessions(options);
    const text = await realFiles.read(`${options.folder}/${fileName}`);
    if (text === undefined) return sessions;
    try {
      for (const session of JSON.parse(text) as Session[]) sessions.#byHash.set(session.hash, session);
    } catch {
      // Everybody logs in once more; nothing else is lost.
      sessions.#byHash.clear();
      const path = `${options.folder}/${fileName}`;
      await rename(path, `${path}.damaged-${String(Date.now())}`);
      options.onFault?.('The file of log-ins was damaged; everybody must log in anew.');
    }
    sessions.#prune();
    return sessions;
  }

  async create(
    username: string,
    origin: { readonly address?: string | undefined; readonly userAgent?: string | undefined },
  ): Promise<{ token: string; info: SessionInfo; expires: number }> {
    const token = randomBytes(32).toString('base64url');
    const now = this.#now();
    const session: Session = {
      id: randomBytes(9).toString('base64url'),
      hash: hashOf(token),
      username,
      created: now,
      lastUsed: now,
      address: origin.address,
      userAgent: origin.userAgent?.slice(0, 256),
    };
    this.#byHash.set(session.hash, session);
    this.#prune();
    // A full disk must not keep out who comes to make room: such a log-in ends with the process.
    await this.#save().catch(this.#cannotSave);
    this.#begun.next(session.id);
    return { token, info: session, expires: now + Math.min(this.#options.idleMs(), oldestMs) };
  }

  /** The session of a token, which is used thereby. */
  use(token: string): SessionInfo | undefined {
    const session = this.#byHash.get(hashOf(token));
    if (session === undefined) return undefined;
    if (!this.#isAlive(session)) {
      this.#end(session);
      return undefined;
    }
    session.lastUsed = this.#now();
    this.#saveSoon();
    return session;
  }

  isAlive(id: string): boolean {
    const session = this.#find(id);
    return session !== undefined && this.#isAlive(session);
  }

  /** An open connection keeps its session from going idle. */
  touch(id: string): void {
    const session = this.#find(id);
    if (session === undefined || !this.#isAlive(session)) return;
    session.lastUsed = this.#now();
    this.#saveSoon();
  }

  list(username?: string): SessionInfo[] {
    this.#prune();
    return [...this.#byHash.values()]
      .filter((session) => username === undefined || session.username === username)
      .map(({ hash: _hash, ...info }) => info);
  }

  /** The account by the hash of the token, for those who check tokens themselves. */
  byHash(): Record<string, string> {
    this.#prune();
    return Object.fromEntries([...this.#byHash.values()].map(({ hash, username }) => [hash, username]));
  }

  async revoke(matches: (session: SessionInfo) => boolean): Promise<number> {
    const chosen = [...this.#byHash.values()].filter(matches);
    for (const session of chosen) this.#end(session);
    if (chosen.length > 0)
      await this.#save().catch((error: unknown) => {
        this.#cannotSave(error);
        this.#saveSoon();
        throw new ObscuraError(
          'failed',
          `The log-in has ended, but only until a restart: ${messageOf(error)}`,
        );
      });
    return chosen.length;
  }

  /** For the server itself, which has nobody to tell but its log. */
  end(matches: (session: SessionInfo) => boolean): void {
    this.revoke(matches).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#save().catch(this.#cannotSave);
    this.#begun.complete();
    this.#ended.complete();
  }

  readonly #cannotSave = (error: unknown): void => {
    this.#options.onFault?.(`Log-ins cannot be saved: ${messageOf(error)}`);
  };

  #find(id: string): Session | undefined {
    for (const session of this.#byHash.values()) if (session.id === id) return session;
    return undefined;
  }

  #isAlive({ created, lastUsed }: SessionInfo): boolean {
    const now = this.#now();
    return now - lastUsed < this.#options.idleMs() && now - created < oldestMs;
  }

  #end(session: Session): void {
    if (this.#byHash.delete(session.hash)) this.#ended.next(session.id);
  }

  /** Ends what has run out, then the least recently used of whoever has too many. */
  #prune(): void {
    for (const session of this.#byHash.values()) if (!this.#isAlive(session)) this.#end(session);
    const byUse = [...this.#byHash.values()].sort((a, b) => b.lastUsed - a.lastUsed);
    const counts = new Map<string, number>();
    for (const [index, session] of byUse.entries()) {
      const count = (counts.get(session.username) ?? 0) + 1;
      counts.set(session.username, count);
      if (count > perUser || index >= inAll) this.#end(session);
    }
  }

  #saveSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#save().catch(this.#cannotSave);
    }, saveDelayMs).unref();
  }

  #save(): Promise<void> {
    const save = (): Promise<void> =>
      replaceFile(realFiles, this.#options.folder, fileName, JSON.stringify([...this.#byHash.values()]));
    this.#saving = this.#saving.then(save, save);
    return this.#saving;
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
