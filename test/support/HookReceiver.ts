import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HeardPost {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A receiver of webhooks that remembers what it is sent, and answers as it is told to. */
export class HookReceiver {
  readonly heard: HeardPost[] = [];
  /** Of the next answers; when there are none left, 200. */
  readonly answers: (number | 'never')[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => {
        const { event, data } = JSON.parse(body) as Pick<HeardPost, 'event' | 'data'>;
        this.heard.push({ headers: request.headers, body, event, data });
        const status = this.answers.shift() ?? 200;
        if (status === 'never') return;
        response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
      });
    });
  }

  static async open(port = 0): Promise<HookReceiver> {
    const receiver = new HookReceiver();
    await new Promise<void>((done) => {
      receiver.#server.listen(port, '127.0.0.1', done);
    });
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}/hook`;
  }

  events(): string[] {
    return this.heard.map(({ event }) => event);
  }

  async close(): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => {
        done();
      });
      this.#server.closeAllConnections();
    });
  }
}
