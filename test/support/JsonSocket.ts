import { WebSocket, type ClientOptions } from 'ws';

export type Json = Record<string, unknown>;

/** A plain WebSocket client that keeps what it hears, in order, and lets a test wait for what it expects. */
export class JsonSocket {
  readonly ws: WebSocket;
  readonly heard: Json[] = [];
  closed: { code: number; reason: string } | undefined;
  #waiting: (() => void)[] = [];
  #nextId = 1;

  constructor(url: string, options: ClientOptions = {}) {
    this.ws = new WebSocket(url, options);
    this.ws.on('message', (data: Buffer) => {
      this.heard.push(JSON.parse(data.toString()) as Json);
      this.#wake();
    });
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.ws.on('error', () => undefined);
  }

  static async open(url: string, options: ClientOptions = {}): Promise<JsonSocket> {
    const socket = new JsonSocket(url, options);
    await new Promise<void>((resolve, reject) => {
      socket.ws.once('open', resolve);
      socket.ws.once('error', reject);
    });
    return socket;
  }

  send(message: unknown): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /**
   * The first message that fits, heard already or still to come; it is taken out of what was heard. Without a wish, any
   * but what the machine says of itself each second.
   */
  async next(fits: (message: Json) => boolean = isNoReading): Promise<Json> {
    for (;;) {
      const at = this.heard.findIndex(fits);
      if (at >= 0) return this.heard.splice(at, 1)[0] ?? {};
      if (this.closed !== undefined) throw new Error(`closed with ${String(this.closed.code)}`);
      await this.#news();
    }
  }

  /** A v2 request and its answer. */
  async ask(message: Json): Promise<Json> {
    const id = this.#nextId;
    this.#nextId += 1;
    this.send({ id, ...message });
    return await this.next((answer) => answer['id'] === id);
  }

  async whenClosed(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await this.#news();
    return this.closed;
  }

  close(): void {
    this.ws.terminate();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const readings: ReadonlySet<string> = new Set(['cpuUsage', 'memoryUsage', 'storageSpace', 'time']);

function isNoReading(message: Json): boolean {
  return !Object.keys(message).every((key) => readings.has(key));
}
