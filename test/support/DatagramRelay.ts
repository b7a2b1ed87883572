import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Two sockets, for packets and for reports, as a player and a server settle them. */
/** Milliseconds. */
const longestQueue = 200;

type Pair = readonly [DatagramSocket, DatagramSocket];

/** A network between the server and one player of RTSP over UDP, which takes its time and loses what it is told to. */
export class DatagramRelay {
  /** Milliseconds each way. */
  delay = 0;
  /** And so many more for every other picture. */
  wobble = 0;
  /** Which packets of the stream, counted from 1, do not get through. */
  loses: (serial: number) => boolean = () => false;
  /** bit/s towards the player; a packet that would wait longer than `longestQueue` is lost. */
  capacity = Infinity;
  /** Packets that were lost that way. */
  overflown = 0;
  readonly port: number;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #towardsServer: Pair;
  readonly #towardsPlayer: Pair;
  #serverPorts: readonly number[] = [];
  #playerPorts: readonly number[] = [];
  #serial = 0;
  #pictures = 0;
  #last = 0;
  #freeAt = 0;
  #closed = false;

  private constructor(listener: Server, towardsServer: Pair, towardsPlayer: Pair) {
    this.#listener = listener;
    this.#towardsServer = towardsServer;
    this.#towardsPlayer = towardsPlayer;
    this.port = (listener.address() as AddressInfo).port;
  }

  static async before(serverPort: number): Promise<DatagramRelay> {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const relay = new DatagramRelay(listener, await bound(), await bound());
    listener.on('connection', (player) => {
      relay.#joinConnections(player, connect(serverPort, '127.0.0.1'));
    });
    for (const kind of [0, 1] as const) relay.#joinDatagrams(kind);
    return relay;
  }

  async stop(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    for (const socket of [...this.#towardsServer, ...this.#towardsPlayer]) socket.close();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #joinConnections(player: Socket, server: Socket): void {
    for (const socket of [player, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        player.destroy();
        server.destroy();
      });
    }
    player.on('data', (data) => {
      server.write(
        data.toString('latin1').replace(/client_port=(\d+)-(\d+)/, (_all, ...ports: string[]) => {
          this.#playerPorts = ports.slice(0, 2).map(Number);
          return `client_port=${portsOf(this.#towardsServer)}`;
        }),
        'latin1',
      );
    });
    server.on('data', (data) => {
      const answer = data.toString('latin1');
      const own = `client_port=${this.#playerPorts.join('-')};server_port=${portsOf(this.#towardsPlayer)}`;
      player.write(
        answer.replace(/client_port=[\d-]+;server_port=(\d+)-(\d+)/, (_all, ...ports: string[]) => {
          this.#serverPorts = ports.slice(0, 2).map(Number);
          return own;
        }),
        'latin1',
      );
    });
  }

  #joinDatagrams(kind: 0 | 1): void {
    const [inner, outer] = [this.#towardsServer[kind], this.#towardsPlayer[kind]];
    inner.on('message', (packet) => {
      const queue = this.#queueFor(packet);
      if (queue > longestQueue) {
        this.overflown += 1;
        return;
      }
      if (kind === 1) this.#pass(outer, packet, this.#playerPorts[1], this.delay + queue);
      else this.#passMedia(outer, packet, queue);
    });
    outer.on('message', (packet) => {
      this.#pass(inner, packet, this.#serverPorts[kind], this.delay);
    });
  }

  /** How long the link takes until it has sent this; where that is too long, it does not. */
  #queueFor({ length }: Buffer): number {
    const now = Date.now();
    const until = Math.max(now, this.#freeAt) + (length * 8000) / this.capacity;
    if (until - now <= longestQueue) this.#freeAt = until;
    return until - now;
  }

  #passMedia(socket: DatagramSocket, packet: Buffer, queue: number): void {
    this.#serial += 1;
    const extra = this.#pictures % 2 === 0 ? 0 : this.wobble;
    // The marker is on the last packet of a picture.
    if (((packet[1] ?? 0) & 0x80) !== 0) this.#pictures += 1;
    if (this.loses(this.#serial)) return;
    // What was sent first also comes first.
    this.#last = Math.max(this.#last, Date.now() + this.delay + queue + extra);
    this.#pass(socket, packet, this.#playerPorts[0], this.#last - Date.now());
  }

  #pass(socket: DatagramSocket, packet: Buffer, port: number | undefined, delay: number): void {
    setTimeout(() => {
      if (!this.#closed && port !== undefined) socket.send(packet, port, '127.0.0.1');
    }, delay);
  }
}

/** Neighbours: ffmpeg sends its reports to the port after that of the packets, whatever it was told. */
async function bound(): Promise<Pair> {
  for (;;) {
    const pair: Pair = [createSocket('udp4'), createSocket('udp4')];
    const [packets, reports] = pair;
    await listening(packets, 0);
    if (await listening(reports, packets.address().port + 1)) return pair;
    packets.close();
    reports.close();
  }
}

function listening(socket: DatagramSocket, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('listening', () => {
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
    socket.bind(port, '127.0.0.1');
  });
}

function portsOf(pair: Pair): string {
  return pair.map((socket) => String(socket.address().port)).join('-');
}
