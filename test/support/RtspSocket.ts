import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

export interface PlayOptions {
  readonly transport?: 'tcp' | 'udp';
  /** Over TLS, with whatever certificate. */
  readonly secure?: boolean;
  /** Takes every packet, of the stream (channel 0) and, over TCP, of its reports (1). */
  readonly onPacket?: (channel: number, packet: Buffer) => void;
}

/** A player that counts what comes and decodes nothing: light enough for hundreds of them. */
export class RtspSocket {
  packets = 0;
  bytes = 0;
  /** Whole pictures since the first that can be decoded alone. */
  pictures = 0;
  closed = false;
  readonly #socket: Socket;
  #datagrams: readonly DatagramSocket[] = [];
  readonly #url: string;
  readonly #authorization: string;
  #buffer: Buffer = Buffer.alloc(0);
  #answer: { readonly resolve: (head: string) => void; readonly reject: (error: Error) => void } | undefined;
  #looking: (() => void)[] = [];
  #sequence = 0;
  #decodable = false;
  #onPacket: PlayOptions['onPacket'];
  /** Its name on the server. */
  session = '';
  /** Where the server takes reports over UDP; 0 over TCP. */
  reportPort = 0;

  private constructor(socket: Socket, url: string, credentials: string) {
    this.#socket = socket;
    this.#url = url;
    this.#authorization =
      credentials === '' ? '' : `Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
    socket.on('data', (data) => {
      this.#take(data);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#answer?.reject(new Error('The server has closed the connection'));
      this.#wake();
    });
  }

  /** Plays the stream; the credentials are NAME:PASSWORD, or empty. */
  static async play(
    port: number,
    path: string,
    credentials: string,
    { transport = 'tcp', secure = false, onPacket }: PlayOptions = {},
  ): Promise<RtspSocket> {
    const socket = secure
      ? connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    const scheme = secure ? 'rtsps' : 'rtsp';
    const player = new RtspSocket(socket, `${scheme}://127.0.0.1:${String(port)}${path}`, credentials);
    player.#onPacket = onPacket;
    try {
      await player.#begin(transport);
    } catch (error) {
      await player.stop();
      throw error;
    }
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
    for (const each of this.#datagrams) each.close();
    this.#datagrams = [];
    while (!this.closed) await new Promise<void>((resolve) => this.#looking.push(resolve));
  }

  /** Ends what it plays, and stays connected. */
  async tearDown(): Promise<void> {
    await this.#ask('TEARDOWN', this.#url, 'Accept: */*');
  }

  /** Takes nothing any more, as a player whose network is gone, until it resumes. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends RTCP, from where the server expects it. */
  report(packet: Buffer): void {
    const [, reports] = this.#datagrams;
    if (reports !== undefined) {
      reports.send(packet, this.reportPort, '127.0.0.1');
      return;
    }
    const head = Buffer.from([0x24, 1, 0, 0]);
    head.writeUInt16BE(packet.length, 2);
    this.#socket.write(Buffer.concat([head, packet]));
  }

  async #begin(transport: 'tcp' | 'udp'): Promise<void> {
    await this.#ask('DESCRIBE', this.#url, 'Accept: application/sdp');
    // As players do, by the Content-Base of the answer.
    const base = this.#url.replace(/\?.*/, '');
    const setup = await this.#ask(
      'SETUP',
      `${base}/stream=0`,
      `Transport: ${transport === 'tcp' ? 'RTP/AVP/TCP;unicast;interleaved=0-1' : await this.#receiveDatagrams()}`,
    );
    this.session = /^Session: ([^;\r]+)/m.exec(setup)?.[1] ?? '';
    this.reportPort = Number(/server_port=\d+-(\d+)/.exec(setup)?.[1] ?? 0);
    await this.#ask('PLAY', base, 'Range: npt=0-');
  }

  /** Two ports, for packets and for reports. */
  async #receiveDatagrams(): Promise<string> {
    const bound = async (): Promise<DatagramSocket> => {
      const socket = createSocket('udp4');
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      return socket;
    };
    const [packets, reports] = [await bound(), await bound()];
    this.#datagrams = [packets, reports];
    packets.on('message', (packet) => {
      this.#count(packet);
      this.#onPacket?.(0, packet);
      this.#wake();
    });
    return `RTP/AVP;unicast;client_port=${String(packets.address().port)}-${String(reports.address().port)}`;
  }

  #count(packet: Buffer): void {
    this.packets += 1;
    this.bytes += packet.length;
    this.#decodable ||= isOfKeyframe(packet);
    if (!this.#decodable) return;
    // The marker is on the last packet of a picture.
    if (((packet[1] ?? 0) & 0x80) !== 0) this.pictures += 1;
  }

  async #ask(method: string, url: string, header: string): Promise<string> {
    if (this.closed) throw new Error('The server has closed the connection');
    this.#sequence += 1;
    const answer = new Promise<string>((resolve, reject) => {
      this.#answer = { resolve, reject };
    });
    const session = this.session === '' ? '' : `Session: ${this.session}\r\n`;
    this.#socket.write(
      `${method} ${url} RTSP/1.0\r\nCSeq: ${String(this.#sequence)}\r\n${this.#authorization}${session}${header}\r\n\r\n`,
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
        const packet = this.#buffer.subarray(4, size);
        if (this.#buffer[1] === 0) this.#count(packet);
        this.#onPacket?.(this.#buffer[1] ?? 0, packet);
        this.#buffer = this.#buffer.subarray(size);
      } else {
        const end = this.#buffer.indexOf('\r\n\r\n');
        if (end < 0) break;
        const head = this.#buffer.subarray(0, end).toString();
        const body = Number(/^Content-Length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (this.#buffer.length < end + 4 + body) break;
        this.#buffer = this.#buffer.subarray(end + 4 + body);
        this.#answer?.resolve(head);
        this.#answer = undefined;
      }
    }
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}

/** Whether this RTP packet holds (part of) a slice of an IDR picture of H.264. */
export function isOfKeyframe(packet: Buffer): boolean {
  const idr = 5;
  const at = 12 + 4 * ((packet[0] ?? 0) & 15);
  const type = (packet[at] ?? 0) & 31;
  // Of several together the first that counts follows sets of parameters; of one in parts the second byte tells.
  if (type === 28) return ((packet[at + 1] ?? 0) & 31) === idr;
  if (type !== 24) return type === idr;
  for (let unit = at + 1; unit + 2 < packet.length; unit += 2 + packet.readUInt16BE(unit))
    if (((packet[unit + 2] ?? 0) & 31) === idr) return true;
  return false;
}
