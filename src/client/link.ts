// One lasting connection over sockets that come and go: requests with answers, pushes, and coming back after a loss.
import type { Answer, ErrorAnswer, Push } from '../protocol/v2.js';
import { Current, Listeners, type Watchable } from './listeners.js';
import { ClientError, type ClientOptions, type ConnectionState, type SocketLike } from './types.js';

interface Waiting {
  readonly message: Readonly<Record<string, unknown>>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: ClientError) => void;
  /** Asked again over the next socket; the server knows a repeated change by its request id. */
  readonly survives: boolean;
}

/** From here on the server means: do not come back before something has changed. */
const finalCloseCode = 4500;

export class Link {
  readonly #url: string;
  readonly #options: ClientOptions;
  /** What has to happen on every new socket before anything else: log-in and resuming the watch. */
  readonly #greet: () => Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #pushes = new Listeners<Push>();
  readonly #state = new Current<ConnectionState>({ state: 'connecting' });
  readonly pushes: Watchable<Push> = this.#pushes;
  readonly state: Watchable<ConnectionState> & { readonly value: ConnectionState } = this.#state;
  #socket: SocketLike | undefined;
  #greeted = false;
  #nextId = 1;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(url: string, options: ClientOptions, greet: () => Promise<void>) {
    this.#url = url;
    this.#options = options;
    this.#greet = greet;
  }

  async open(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted === true) throw new ClientError('unreachable', 'Aborted');
    signal?.addEventListener('abort', () => {
      this.close('aborted');
    });
    await this.#connect();
  }

  request(
    message: Readonly<Record<string, unknown>>,
    {
      survives = true,
      signal,
    }: { readonly survives?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Answer> {
    if (this.#closed) return Promise.reject(new ClientError('unreachable', 'The connection is closed'));
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const forget = (): void => {
        this.#waiting.delete(id);
        reject(new ClientError('timeout', 'Given up waiting for the answer'));
      };
      if (signal?.aborted === true) {
        forget();
        return;
      }
      signal?.addEventListener('abort', forget, { once: true });
      this.#waiting.set(id, { message: { id, ...message }, resolve, reject, survives });
      // What belongs to the greeting goes at once; everything else waits for it.
      if (this.#socket !== undefined && (this.#greeted || !survives)) this.#send(id);
    });
  }

  close(reason = 'closed'): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = undefined;
    this.#state.set({ state: 'closed', reason });
    this.#failAll(() => true, reason);
  }

  async #connect(): Promise<void> {
    this.#state.set({ state: 'connecting' });
    const socket = await (this.#options.openSocket ?? openSocket)(this.#url);
    await new Promise<void>((resolve, reject) => {
      let failure = 'The server cannot be reached';
      socket.onerror = ({ message }) => {
        failure = message ?? failure;
      };
      socket.onclose = ({ code, reason }) => {
        const why = reason === '' ? failure : reason;
        this.#lost(socket, code, why);
        reject(new ClientError('unreachable', why));
      };
      socket.onmessage = ({ data }) => {
        this.#receive(String(data));
      };
      socket.onopen = () => {
        this.#socket = socket;
        this.#greet()
          .then(() => {
            this.#greeted = true;
            this.#attempt = 0;
            this.#state.set({ state: 'open' });
            for (const id of [...this.#waiting.keys()]) this.#send(id);
            resolve();
          })
          .catch((error: unknown) => {
            // Wrong credentials do not get better by trying again.
            const known = error instanceof ClientError ? error : new ClientError('failed', String(error));
            if (known.code === 'unreachable') return;
            reject(known);
            this.close(known.message);
          });
      };
    });
  }

  #send(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) this.#socket?.send(JSON.stringify(waiting.message));
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as Answer | ErrorAnswer | Push;
    if ('op' in message) {
      this.#pushes.emit(message);
      return;
    }
    const { id } = message;
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== 'number') return;
    this.#waiting.delete(id);
    if (message.ok) waiting.resolve(message);
    else {
      const { code, message: words, ...facts } = message.error;
      waiting.reject(new ClientError(code, words, facts));
    }
  }

  #lost(socket: SocketLike, code: number, reason: string): void {
    socket.onmessage = null;
    const wasOpen = this.#greeted;
    this.#socket = undefined;
    this.#greeted = false;
    this.#failAll(({ survives }) => !survives, reason);
    if (this.#closed) return;
    if (
      code >= finalCloseCode ||
      (!wasOpen && this.#attempt === 0 && this.#state.value.state === 'connecting')
    ) {
      this.close(reason);
      return;
    }
    const { first, longest } = this.#options.retry ?? { first: 500, longest: 30_000 };
    // Spread out, so that a thousand clients of a restarted server do not come in the same moment.
    const retryInMs = Math.min(longest, first * 2 ** this.#attempt) * (0.5 + Math.random() / 2);
    this.#attempt += 1;
    this.#state.set({ state: 'lost', reason, retryInMs });
    this.#timer = setTimeout(() => {
      this.#connect().catch(() => undefined);
    }, retryInMs);
  }

  #failAll(which: (waiting: Waiting) => boolean, reason: string): void {
    for (const [id, waiting] of this.#waiting)
      if (which(waiting)) {
        this.#waiting.delete(id);
        waiting.reject(new ClientError('unreachable', reason));
      }
  }
}

async function openSocket(url: string): Promise<SocketLike> {
  const { WebSocket: native } = globalThis as { readonly WebSocket?: new (url: string) => SocketLike };
  if (native !== undefined) return new native(url);
  const { WebSocket } = await import('ws');
  return new WebSocket(url) as unknown as SocketLike;
}
