import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network between a camera and the server that takes its time, and not always the same. */
export class DelayRelay {
  /** Milliseconds for whatever the camera sends. */
  delay = 0;
  /** And up to so many more. */
  jitter = 0;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = (server.address() as AddressInfo).port;
  }

  static async before(cameraPort: number): Promise<DelayRelay> {
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const camera = connect(cameraPort, '127.0.0.1');
      for (const socket of [client, camera]) {
        sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          camera.destroy();
        });
      }
      client.pipe(camera);
      let last = 0;
      camera.on('data', (data) => {
        // What was sent first also comes first.
        last = Math.max(last, Date.now() + relay.delay + Math.random() * relay.jitter);
        setTimeout(() => client.write(data), last - Date.now());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const relay = new DelayRelay(server, sockets);
    return relay;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
