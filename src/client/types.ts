// The words of the client: keys and values typed from the server's own declarations, errors, options.
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry, Key } from '../observables/registry.js';
import type { ErrorAnswer, Notice, StatusPush } from '../protocol/v2.js';

export type SettingKey = Key;
export type SettingValue<K extends SettingKey> = ValueOf<AppRegistry[K]>;
export type Settings = { readonly [K in SettingKey]: SettingValue<K> };
export type Patch = { readonly [K in SettingKey]?: SettingValue<K> };

export type ErrorCode = ErrorAnswer['error']['code'] | 'unreachable' | 'timeout';

export interface Problem {
  readonly code: string;
  readonly key?: string | undefined;
  readonly message: string;
}

/** What the server refused, or why it could not be asked. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ErrorCode;
  readonly key: string | undefined;
  /** All that is wrong, where it is more than one thing. */
  readonly errors: readonly Problem[];
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    facts: {
      readonly key?: string | undefined;
      readonly errors?: readonly Problem[] | undefined;
      readonly retryAfter?: number | undefined;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.key = facts.key;
    this.errors = facts.errors ?? [];
    this.retryAfter = facts.retryAfter;
  }
}

/** The part of a WebSocket that is used, which browsers and the `ws` package share. */
export interface SocketLike {
  send(text: string): void;
  close(code?: number): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
}

export type Credentials =
  { readonly token: string } | { readonly username: string; readonly password: string };

export interface ClientOptions {
  readonly credentials?: Credentials | undefined;
  /** Makes the socket; needed for proxies and private certificates. */
  readonly openSocket?: ((url: string) => SocketLike | Promise<SocketLike>) | undefined;
  /** Gives up for good when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between attempts to connect: first and longest. */
  readonly retry?: { readonly first: number; readonly longest: number } | undefined;
}

export interface SetOptions {
  readonly ifRevision?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly wait?: 'accepted' | 'applied' | undefined;
  readonly transient?: boolean | undefined;
  readonly confirmWithin?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SetResult {
  readonly revision: number;
  readonly changed: readonly string[];
  readonly consequences?: readonly {
    readonly key: string;
    readonly effect: string;
    readonly message: string;
  }[];
  readonly confirmBefore?: number;
  readonly result?: unknown;
}

export type Status = Omit<StatusPush, 'op'>;
export type { Notice };

export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | { readonly state: 'lost'; readonly reason: string; readonly retryInMs: number }
  | { readonly state: 'closed'; readonly reason: string };

export interface Changes {
  readonly revision: number;
  readonly set: Readonly<Partial<Record<string, unknown>>>;
  readonly gone: readonly string[];
  readonly by?: string | undefined;
  /** The whole state anew, not a change of it. */
  readonly complete: boolean;
}
