// The doors for WebSockets: who may come in, how many, and which protocol is spoken behind each path.
// Adds `hide` to the type of a route's schema.
import type {} from '@fastify/swagger';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { WebSocket } from 'ws';
import { networkOf } from '../../access/limiter.js';
import type { Origin } from '../../access/identity.js';
import { ObscuraError } from '../../errors.js';
import { isBuiltInRole, type BuiltInRole, type Permission } from '../../observables/permissions.js';
import { closeCodes } from '../../protocol/v2.js';
import { HttpError } from '../http/errors.js';
import { identify, isForeignOrigin, originOf, type Identified } from '../identify.js';
import type { Services } from '../services.js';
import { goingAway, type Connection } from './connection.js';
import { LegacyNames } from './legacyNames.js';
import { V1Connection, type V1Style } from './v1.js';
import { V2Connection } from './v2.js';

/** A value of every setting at once is far smaller; nobody has a reason to send more. */
const largestMessage = 64 * 1024;
const heartbeatMs = 25_000;
const loginWithinMs = 10_000;

type Open = (ws: WebSocket, request: FastifyRequest, identified: Identified, origin: Origin) => Connection;

interface DoorOptions {
  /** For how long somebody may stay who may do nothing without logging in. */
  readonly loginWithin?: number;
  /** Without any of these nobody comes in at all. */
  readonly needs?: readonly Permission[];
}

/** What makes a route one for WebSockets as well. */
type Door = Required<Pick<RouteOptions, 'preValidation' | 'wsHandler'>>;

export class Connections {
  readonly #services: Services;
  readonly #all = new Set<Connection>();
  readonly #identified = new WeakMap<FastifyRequest, Identified>();
  readonly #timer: NodeJS.Timeout;

  constructor(services: Services) {
    this.#services = services;
    services.accounts.changes$.subscribe(() => {
      for (const connection of this.#all) connection.rightsChanged();
    });
    this.#timer = setInterval(() => {
      const now = Date.now();
      for (const connection of this.#all) {
        connection.heartbeat(now);
        const { sessionId } = connection.identity;
        if (sessionId !== undefined) services.accounts.touch(sessionId);
      }
    }, heartbeatMs).unref();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Of everybody who is connected: that of their account, or what they are instead. */
  roles(): ('none' | 'custom' | BuiltInRole)[] {
    const accounts = this.#services.store.get('users');
    return [...this.#all].map(({ identity }) => {
      const role = accounts[identity.name]?.role;
      return role === undefined ? 'none' : isBuiltInRole(role) ? role : 'custom';
    });
  }

  async register(app: FastifyInstance): Promise<void> {
    const services = this.#services;
    const names = new LegacyNames(services.store);
    await app.register(websocket, {
      options: { maxPayload: largestMessage, perMessageDeflate: false, maxFragments: 64 },
      // What a client does wrong is its own affair: it is closed, and must not fill the log.
      errorHandler: (error, socket, request) => {
        services.log.debug({ err: error, address: request.ip }, 'socket failed');
        socket.terminate();
      },
    });
    const v1 =
      (style: V1Style): Open =>
      (ws, _request, { identity }, origin) =>
        new V1Connection(services, ws, identity, origin, names, style);
    this.#door(app, '/api/v1', v1('flat'));
    this.#door(app, '/api', v1('raw'));
    this.#door(app, '/ws', v1('typed'));
    this.#door(app, '/api/v1/ws', v1('typed'));
    this.#door(
      app,
      '/api/v2',
      (ws, _request, { identity }, origin) => new V2Connection(services, ws, identity, origin),
      { loginWithin: loginWithinMs },
    );
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { ws } of this.#all) ws.close(goingAway, 'the server is stopping');
  }

  #door(app: FastifyInstance, url: string, open: Open, options: DoorOptions = {}): void {
    app.route({
      method: 'GET',
      url,
      schema: { hide: true },
      // Health checks and browsers come here without an upgrade.
      handler: () => ({ websocket: url, message: 'Connect with a WebSocket client' }),
      ...this.upgrade(open, options),
    });
  }

  /** Nobody comes in without being identified and counted. */
  upgrade(open: Open, { loginWithin, needs }: DoorOptions = {}): Door {
    return {
      preValidation: async (request) => {
        if (request.ws) await this.#admit(request, needs);
      },
      wsHandler: (ws, request) => {
        const identified = this.#identified.get(request);
        if (identified === undefined) {
          ws.terminate();
          return;
        }
        const connection = open(ws, request, identified, originOf(request, 'ws'));
        connection.start();
        this.#all.add(connection);
        const timer =
          loginWithin === undefined
            ? undefined
            : setTimeout(() => {
                if (connection.isIdle) ws.close(closeCodes.unauthenticated, 'log in first');
              }, loginWithin).unref();
        ws.on('close', () => {
          clearTimeout(timer);
          this.#all.delete(connection);
        });
      },
    };
  }

  /** Before the upgrade: a refusal is a plain HTTP answer. */
  async #admit(request: FastifyRequest, needs: DoorOptions['needs']): Promise<void> {
    const { store, accounts, limits } = this.#services;
    if (isForeignOrigin(request, store.get('allowedOrigins')))
      throw new HttpError(
        403,
        'PERMISSION_DENIED',
        'Pages of other sites may not connect; see allowedOrigins',
      );
    const identified = await identify(accounts, request, 'ws', { queryToken: true });
    request.identity = identified.identity;
    if (needs !== undefined && !identified.identity.may(...needs))
      throw new ObscuraError('forbidden', `You may not come in here; it takes ${needs.join(' or ')}`);
    const place = networkOf(request.ip);
    let fromPlace = 0;
    let ofUser = 0;
    for (const { origin, identity } of this.#all) {
      if (networkOf(origin.address ?? '') === place) fromPlace += 1;
      if (identity.name !== '' && identity.name === identified.identity.name) ofUser += 1;
    }
    if (this.#all.size >= limits.total || fromPlace >= limits.perAddress || ofUser >= limits.perUser)
      throw new ObscuraError('limited', 'Too many connections', { retryAfter: 5 });
    this.#identified.set(request, identified);
  }
}
