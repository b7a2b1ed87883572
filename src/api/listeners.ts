// The web listeners: one application behind plain and encrypted ports, which can move while connections stay.
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../errors.js';
import { Unsupported } from '../store/reconcile.js';

export interface ListenWish {
  readonly bind: string;
  /** Null: do not listen. 0: any free port. */
  readonly httpPort: number | null;
  readonly httpsPort: number | null;
}

interface Pem {
  readonly cert: string;
  readonly key: string;
}

interface Listener {
  readonly server: Server | SecureServer;
  readonly wished: number;
  readonly address: AddressInfo;
}

type Kind = 'http' | 'https';

/** How long connections may take to end by themselves when everything stops. */
const graceMs = 1000;
/** A client that sends its request drop by drop keeps a connection from others. */
/** How often the two limits below are looked at. */
const connectionsCheckingInterval = 2000;
const headersWithinMs = 10_000;
const requestWithinMs = 60_000;

export class Listeners {
  /** Fastify and its WebSocket plugin live on this server, which itself listens nowhere. */
  readonly #hub: Server = createServer();
  readonly #listening: Partial<Record<Kind, Listener>> = {};
  /** Moved away from, but with connections that go on. */
  readonly #retired = new Set<Server | SecureServer>();
  /** WebSockets, which Node's own closing of connections does not know of. */
  readonly #upgraded = new Set<Duplex>();
  #certificate: Pem;
  #handler: RequestListener | undefined;

  constructor(certificate: Pem) {
    this.#certificate = certificate;
  }

  /** For Fastify's option of the same name. */
  readonly serverFactory = (handler: RequestListener): Server => {
    this.#handler = handler;
    return this.#hub;
  };

  get addresses(): { readonly http: AddressInfo | undefined; readonly https: AddressInfo | undefined } {
    return { http: this.#listening.http?.address, https: this.#listening.https?.address };
  }

  /** Opens what is new before it closes what is old; throws `Unsupported` with everything as it was. */
  async apply(wish: ListenWish): Promise<void> {
    const { bind, httpPort, httpsPort } = wish;
    const left = this.#leaveExchanged(wish);
    let http: Listener | undefined;
    try {
      http = await this.#opened('http', httpPort, bind);
      const https = await this.#opened('https', httpsPort, bind);
      this.#replace('http', http);
      this.#replace('https', https);
    } catch (error) {
      if (http !== this.#listening.http) http?.server.close();
      for (const [kind, port] of left) this.#replace(kind, await this.#opened(kind, port, bind));
      throw error;
    }
  }

  /** Where one kind takes over the port of the other, that one has to go first: a port has only one owner. */
  #leaveExchanged({ httpPort, httpsPort }: ListenWish): [Kind, number][] {
    const { http, https } = this.#listening;
    const left: [Kind, number][] = [];
    if (https !== undefined && httpPort === https.address.port && httpsPort !== https.wished)
      left.push(['https', https.address.port]);
    if (http !== undefined && httpsPort === http.address.port && httpPort !== http.wished)
      left.push(['http', http.address.port]);
    for (const [kind] of left) this.#replace(kind, undefined);
    return left;
  }

  /** New connections get it at once. */
  setCertificate(certificate: Pem): void {
    this.#certificate = certificate;
    const server = this.#listening.https?.server;
    if (server !== undefined && 'setSecureContext' in server)
      server.setSecureContext({ cert: certificate.cert, key: certificate.key });
  }

  async close(): Promise<void> {
    const servers = [...this.#retired, ...Object.values(this.#listening).map(({ server }) => server)];
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => {
              resolve();
            });
            server.closeIdleConnections();
            setTimeout(() => {
              server.closeAllConnections();
              for (const socket of this.#upgraded) socket.destroy();
            }, graceMs).unref();
          }),
      ),
    );
  }

  async #opened(kind: Kind, port: number | null, bind: string): Promise<Listener | undefined> {
    const current = this.#listening[kind];
    if (port === null || current?.wished === port) return port === null ? undefined : current;
    const handler: RequestListener = (request, response) => this.#handler?.(request, response);
    const server =
      kind === 'http'
        ? createServer({ connectionsCheckingInterval }, handler)
        : createSecureServer(
            { connectionsCheckingInterval, cert: this.#certificate.cert, key: this.#certificate.key },
            handler,
          );
    server.headersTimeout = headersWithinMs;
    server.requestTimeout = requestWithinMs;
    server.on('clientError', refuseGarbage);
    server.on('upgrade', (request, socket: Duplex, head) => {
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      this.#hub.emit('upgrade', request, socket, head);
    });
    try {
      await listen(server, port, bind);
    } catch (error) {
      throw new Unsupported(`Port ${String(port)} cannot be used: ${messageOf(error)}`, { cause: error });
    }
    return { server, wished: port, address: server.address() as AddressInfo };
  }

  #replace(kind: Kind, next: Listener | undefined): void {
    const before = this.#listening[kind];
    if (before === next) return;
    if (next === undefined) Reflect.deleteProperty(this.#listening, kind);
    else this.#listening[kind] = next;
    if (before === undefined) return;
    const { server } = before;
    this.#retired.add(server);
    // Stops accepting; what is connected stays until it ends.
    server.close(() => this.#retired.delete(server));
  }
}

async function listen(server: Server | SecureServer, port: number, bind: string): Promise<void> {
  try {
    await listenOnce(server, port, bind);
  } catch (error) {
    // A machine without IPv6 cannot listen on its "everywhere".
    if (bind !== '::' || !(error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT'))
      throw error;
    await listenOnce(server, port, '0.0.0.0');
  }
}

function listenOnce(server: Server | SecureServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** What is not even HTTP gets the one shape of errors as well, where the socket still takes it. */
function refuseGarbage(error: Error, socket: Duplex): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const tooLarge = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW';
  const [status, code, message] = tooLarge
    ? ['431 Request Header Fields Too Large', 'TOO_LARGE', 'The headers are larger than 16 KB']
    : ['400 Bad Request', 'INVALID_REQUEST', 'This is not an HTTP request'];
  const body = JSON.stringify({ error: { code, message, timestamp: new Date().toISOString() } });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
