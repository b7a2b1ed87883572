// The part of the server that has no socket messages: log-in, accounts, tokens, presets, audit, backup.
import { ClientError, type Credentials, type ErrorCode, type Problem } from './types.js';

export interface HttpClientOptions {
  readonly credentials?: Credentials | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch?: typeof fetch | undefined;
}

const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'unknown',
  409: 'conflict',
  413: 'limited',
  422: 'invalid',
  429: 'limited',
  503: 'failed',
};

export class HttpClient {
  readonly #base: string;
  readonly #options: HttpClientOptions;

  constructor(base: string, options: HttpClientOptions = {}) {
    this.#base = base.replace(/\/$/, '');
    this.#options = options;
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#ask('GET', path, undefined, signal);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#ask('POST', path, body);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#ask('PUT', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#ask('PATCH', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#ask('DELETE', path, undefined);
  }

  /** One JSON document a line, as they come. */
  async *lines(path: string, signal?: AbortSignal): AsyncGenerator {
    const response = await this.#fetch('GET', path, undefined, signal);
    if (!response.ok) throw await problemOf(response);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) if (part !== '') yield JSON.parse(part) as unknown;
    }
  }

  async #ask<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const response = await this.#fetch(method, path, body, signal);
    if (!response.ok) throw await problemOf(response);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async #fetch(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const ask = this.#options.fetch ?? fetch;
    try {
      return await ask(this.#base + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...authorization(this.#options.credentials),
          ...this.#options.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw new ClientError('unreachable', `${this.#base} cannot be reached: ${reasonOf(error)}`);
    }
  }
}

function authorization(credentials: Credentials | undefined): Record<string, string> {
  if (credentials === undefined) return {};
  if ('token' in credentials) return { authorization: `Bearer ${credentials.token}` };
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

async function problemOf(response: Response): Promise<ClientError> {
  const code = codeByStatus[response.status] ?? 'failed';
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  try {
    const { error } = (await response.json()) as {
      error: { message: string; key?: string; details?: { errors?: Problem[] } };
    };
    return new ClientError(code, error.message, {
      key: error.key,
      errors: error.details?.errors,
      retryAfter: Number.isNaN(retryAfter) ? undefined : retryAfter,
    });
  } catch {
    return new ClientError(code, `The server answered ${String(response.status)}`);
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
