// Those who follow what happens over HTTP: one JSON object per line, without end, each as long as they may.
import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ObscuraError } from '../../errors.js';
import type { App } from './route.js';

/** A reader that takes nothing off for this much is let go. */
const largestBacklog = 256 * 1024;
const mostFollowers = 50;
/** Far more than anybody looks at, and few enough that no one account takes all the places. */
const mostOfOne = 5;
/** Shows both ends that the other is there. */
const heartbeatMs = 15_000;

export class Followers {
  readonly #what: string;
  /** Whose each is, the oldest first. */
  readonly #following = new Map<PassThrough, string>();

  constructor(app: App, what: string) {
    this.#what = what;
    app.addHook('preClose', (done) => {
      for (const lines of this.#following.keys()) lines.end();
      done();
    });
  }

  /** `may` is asked again before each line. */
  open({ raw, ip, identity }: FastifyRequest, may: () => boolean): Follower {
    // No account's name begins so.
    const owner = identity.anonymous ? `@${ip}` : identity.name;
    this.#makeRoomFor(owner);
    if (this.#following.size >= mostFollowers)
      throw new ObscuraError('limited', `Too many follow ${this.#what} already`, { retryAfter: 30 });
    const lines = new PassThrough();
    this.#following.set(lines, owner);
    lines.on('close', () => this.#following.delete(lines));
    raw.on('close', () => lines.destroy());
    return new Follower(lines, may);
  }

  /** The newest is the one that is looked at: the oldest of the same account gives way, whether it still reads or not. */
  #makeRoomFor(owner: string): void {
    const own = [...this.#following].filter(([, whose]) => whose === owner).map(([lines]) => lines);
    for (const lines of own.slice(0, Math.max(0, own.length + 1 - mostOfOne))) {
      this.#following.delete(lines);
      lines.destroy();
    }
  }
}

export class Follower {
  readonly #lines: PassThrough;
  readonly #may: () => boolean;
  readonly #heartbeat: NodeJS.Timeout;
  #room = largestBacklog;

  constructor(lines: PassThrough, may: () => boolean) {
    this.#lines = lines;
    this.#may = may;
    this.#heartbeat = setInterval(() => {
      this.#write('\n');
    }, heartbeatMs).unref();
    this.onEnd(() => {
      clearInterval(this.#heartbeat);
    });
    // The reader knows at once that it is heard.
    this.#write('\n');
  }

  /** What it is sent first, however much that is: whoever has just come is not behind. */
  begin(told: readonly unknown[]): void {
    const text = told.map((each) => `${JSON.stringify(each)}\n`).join('');
    this.#room = largestBacklog + Buffer.byteLength(text);
    this.#write(text);
  }

  send(told: unknown): void {
    this.#write(`${JSON.stringify(told)}\n`);
  }

  /** Whether there is any use in telling more; whoever may not follow any longer is let go. */
  goesOn(): boolean {
    if (!this.#may()) this.#lines.end();
    return !this.#lines.writableEnded;
  }

  onEnd(listener: () => void): void {
    this.#lines.on('close', listener);
  }

  answer(reply: FastifyReply): FastifyReply {
    return reply.type('application/x-ndjson').header('x-accel-buffering', 'no').send(this.#lines);
  }

  #write(line: string): void {
    if (this.#lines.writableLength > this.#room) this.#lines.end();
    else if (this.goesOn()) this.#lines.write(line);
  }
}
