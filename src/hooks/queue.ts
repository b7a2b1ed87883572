// What one receiver is still to be told: in order, each again and again for a while, and no more than fits.
import { headersOf, type HookMessage } from './message.js';
import type { Poster } from './post.js';

export interface HookClock {
  readonly now: () => number;
  /** Rejects when the signal comes first. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Receiver {
  readonly url: string;
  readonly secret?: string | undefined;
}

export interface QueueStatus {
  readonly lastSuccess?: number;
  readonly lastError?: string;
  readonly lastErrorAt?: number;
  readonly queued: number;
  readonly dropped: number;
}

export type Result = 'delivered' | 'failed' | 'dropped';

export interface QueueOptions {
  readonly receiver: Receiver;
  readonly post: Poster;
  readonly clock: HookClock;
  readonly onResult: (event: string, result: Result) => void;
  readonly onStatus: () => void;
}

const mostTries = 5;
const firstRetryMs = 1000;
const mostQueued = 100;

export class HookQueue {
  readonly #options: QueueOptions;
  readonly #waiting: HookMessage[] = [];
  readonly #closed = new AbortController();
  #receiver: Receiver;
  #status: Omit<QueueStatus, 'queued'> = { dropped: 0 };
  #isSending = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#receiver = options.receiver;
  }

  get status(): QueueStatus {
    return { ...this.#status, queued: this.#waiting.length };
  }

  /** From the next try on. */
  redirect(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  add(message: HookMessage): void {
    // Of more than anybody will read, the newest count; the first may be under way.
    if (this.#waiting.length >= mostQueued) {
      const [gone] = this.#waiting.splice(1, 1);
      if (gone !== undefined) this.#giveUp(gone, 'dropped');
    }
    this.#waiting.push(message);
    this.#options.onStatus();
    if (!this.#isSending) void this.#send();
  }

  close(): void {
    this.#closed.abort();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    for (let [message] = this.#waiting; message !== undefined; [message] = this.#waiting) {
      const isDelivered = await this.#deliver(message);
      if (this.#closed.signal.aborted) return;
      this.#waiting.shift();
      if (isDelivered) this.#options.onResult(message.event, 'delivered');
      else this.#giveUp(message, 'failed');
      this.#options.onStatus();
    }
    this.#isSending = false;
  }

  async #deliver(message: HookMessage): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      const problem = await this.#try(message);
      if (problem === undefined) return true;
      if (tries === mostTries || this.#closed.signal.aborted) return false;
      try {
        await this.#options.clock.wait(firstRetryMs * 2 ** (tries - 1), this.#closed.signal);
      } catch {
        // The server is stopping, or the hook is gone.
        return false;
      }
    }
  }

  async #try(message: HookMessage): Promise<string | undefined> {
    const { post, clock } = this.#options;
    const { url, secret } = this.#receiver;
    const { signal } = this.#closed;
    const problem = await post({
      ...{ url, body: message.body, signal },
      headers: headersOf(message, secret, clock.now()),
    });
    if (signal.aborted) return problem;
    this.#status =
      problem === undefined
        ? { ...this.#status, lastSuccess: clock.now() }
        : { ...this.#status, lastError: problem.slice(0, 256), lastErrorAt: clock.now() };
    this.#options.onStatus();
    return problem;
  }

  #giveUp({ event }: HookMessage, result: 'failed' | 'dropped'): void {
    this.#status = { ...this.#status, dropped: this.#status.dropped + 1 };
    this.#options.onResult(event, result);
  }
}
