import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Part {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A client of an answer in parts that takes nothing on trust: what is no part as RFC 2046 has it is an error. */
export class MultipartViewer {
  readonly parts: Part[] = [];
  readonly headers: IncomingHttpHeaders;
  ended = false;
  readonly #message: IncomingMessage;
  #rest = Buffer.alloc(0);
  #isBegun = false;
  #looking: (() => void)[] = [];

  private constructor(message: IncomingMessage, boundary: string) {
    this.#message = message;
    this.headers = message.headers;
    message.on('data', (data: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, data]);
      while (this.#take(boundary));
      this.#wake();
    });
    const end = (): void => {
      this.ended = true;
      this.#wake();
    };
    message.once('close', end);
    message.on('error', end);
  }

  /** Rejects with the status and the body where that is no success. */
  static open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<MultipartViewer> {
    return new Promise((resolve, reject) => {
      const asked = request(url, { headers, agent: false }, (message) => {
        const boundary = /^multipart\/x-mixed-replace; boundary=(\w+)$/.exec(
          message.headers['content-type'] ?? '',
        )?.[1];
        if (message.statusCode === 200 && boundary !== undefined)
          resolve(new MultipartViewer(message, boundary));
        else
          message.setEncoding('utf8').once('data', (body: string) => {
            message.destroy();
            reject(new Error(`${String(message.statusCode)}: ${body}`));
          });
      });
      asked.once('error', reject);
      asked.end();
    });
  }

  /** So many more parts, from now on. */
  async more(count: number): Promise<Part[]> {
    const begin = this.parts.length;
    while (this.parts.length < begin + count) {
      if (this.ended) throw new Error('The answer has ended');
      await this.#news();
    }
    return this.parts.slice(begin, begin + count);
  }

  async whenEnded(): Promise<void> {
    while (!this.ended) await this.#news();
  }

  /** Takes nothing any more, and stays. */
  stall(): void {
    this.#message.pause();
  }

  close(): void {
    this.#message.destroy();
  }

  #take(boundary: string): boolean {
    const opening = `--${boundary}\r\n`;
    if (!this.#isBegun) {
      const at = this.#rest.indexOf(opening);
      if (at < 0) return false;
      if (this.#rest.toString('latin1', 0, at).trim() !== '')
        throw new Error('What stands before the first part?');
      this.#rest = this.#rest.subarray(at + opening.length);
      this.#isBegun = true;
    }
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const headers = Object.fromEntries(
      this.#rest
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line) => {
          const [name = '', value = ''] = line.split(/: (.*)/s);
          return [name.toLowerCase(), value] as const;
        }),
    );
    const length = Number(headers['content-length']);
    const closing = `\r\n${opening}`;
    const whole = end + 4 + length + closing.length;
    if (this.#rest.length < whole) return false;
    if (this.#rest.toString('latin1', end + 4 + length, whole) !== closing)
      throw new Error('A part is not as long as it says');
    this.parts.push({ headers, body: Buffer.from(this.#rest.subarray(end + 4, end + 4 + length)) });
    this.#rest = this.#rest.subarray(whole);
    return true;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#looking.push(resolve);
    });
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}
