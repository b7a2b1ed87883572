import { connect, type Socket } from 'node:net';

/** A player over TCP that counts what comes and decodes nothing: light enough for hundreds of them. */
export class RtspSocket {
  packets = 0;
  bytes = 0;
  closed = false;
  readonly #socket: Socket;
  readonly #url: string;
  readonly #authorization: string;
  #buffer: Buffer = Buffer.alloc(0);
  #answer: ((head: string) => void) | undefined;
  #looking: (() => void)[] = [];
  #sequence = 0;
  #session = '';

  private constructor(socket: Socket, url: string, credentials: string) {
    this.#socket = socket;
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    socket.on('data', (data) => {
      this.#take(data);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Plays the stream; the credentials are NAME:PASSWORD. */
  static async play(port: number, path: string, credentials: string): Promise<RtspSocket> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const player = new RtspSocket(socket, `rtsp://127.0.0.1:${String(port)}${path}`, credentials);
    await player.#ask('DESCRIBE', player.#url, 'Accept: application/sdp');
    const setup = await player.#ask(
      'SETUP',
      `${player.#url}/stream=0`,
      'Transport: RTP/AVP/TCP;unicast;interleaved=0-1',
    );
    player.#session = /^Session: ([^;\r]+)/m.exec(setup)?.[1] ?? '';
    await player.#ask('PLAY', player.#url, 'Range: npt=0-');
    return player;
  }

  async until(fits: (player: RtspSocket) => boolean): Promise<void> {
    while (!fits(this)) {
      if (this.closed) throw new Error('The server has closed the connection');
      await new Promise<void>((resolve) => this.#looking.push(resolve));
    }
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    while (!this.closed) await new Promise<void>((resolve) => this.#looking.push(resolve));
  }

  async #ask(method: string, url: string, header: string): Promise<string> {
    this.#sequence += 1;
    const answer = new Promise<string>((resolve) => {
      this.#answer = resolve;
    });
    const session = this.#session === '' ? '' : `Session: ${this.#session}\r\n`;
    this.#socket.write(
      `${method} ${url} RTSP/1.0\r\nCSeq: ${String(this.#sequence)}\r\nAuthorization: ${this.#authorization}\r\n${session}${header}\r\n\r\n`,
    );
    const head = await answer;
    if (!head.startsWith('RTSP/1.0 200'))
      throw new Error(`${method} was answered ${head.split('\r\n')[0] ?? ''}`);
    return head;
  }

  /** Answers and packets share the connection: a packet begins with $, its channel and its length. */
  #take(data: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data]);
    for (;;) {
      if (this.#buffer[0] === 0x24) {
        if (this.#buffer.length < 4) break;
        const size = 4 + this.#buffer.readUInt16BE(2);
        if (this.#buffer.length < size) break;
        if (this.#buffer[1] === 0) {
          this.packets += 1;
          this.bytes += size - 4;
        }
        this.#buffer = this.#buffer.subarray(size);
      } else {
        const end = this.#buffer.indexOf('\r\n\r\n');
        if (end < 0) break;
        const head = this.#buffer.subarray(0, end).toString();
        const body = Number(/^Content-Length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (this.#buffer.length < end + 4 + body) break;
        this.#buffer = this.#buffer.subarray(end + 4 + body);
        this.#answer?.(head);
      }
    }
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}
