// What has not reached the other side of a TCP connection, and how far away that is.
import type { Socket } from 'node:net';
import { systemAddon } from './addon.js';

export interface ConnectionState {
  /** Kept by this process or by the system, and not acknowledged by the other side. */
  readonly backlogBytes: number;
  /** As the system measures it; nothing where the connection has ended, or there is nobody to ask. */
  readonly rttMs?: number;
}

export function stateOf(socket: Socket): ConnectionState {
  const kept = socket.writableLength;
  const descriptor = descriptorOf(socket);
  const known = descriptor === undefined ? undefined : systemAddon()?.tcpConnection(descriptor);
  return known === undefined
    ? { backlogBytes: kept }
    : { backlogBytes: kept + known.queuedBytes, rttMs: known.rttMs };
}

/** Node tells it nowhere else, for connections with and without encryption alike. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
