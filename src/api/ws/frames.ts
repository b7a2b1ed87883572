// Pictures over a WebSocket, for programs that look at them: before each picture, a message about it.
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Identity, Origin } from '../../access/identity.js';
import type { Picture, PictureVariant } from '../../media/messages.js';
import { ObscuraError } from '../../errors.js';
import { closeCodes } from '../../protocol/v2.js';
import { stateOf } from '../../system/connection.js';
import { NewestOnly } from '../http/newestOnly.js';
import type { Pictures, Services } from '../services.js';
import { Connection, protocolError } from './connection.js';

const goodbyeWithinMs = 500;

export interface FrameSource {
  readonly pictures: Pictures;
  readonly variant: PictureVariant;
  readonly secure: boolean;
  readonly socket: Socket;
}

export class FrameConnection extends Connection {
  readonly #source: FrameSource;

  constructor(services: Services, ws: WebSocket, identity: Identity, origin: Origin, source: FrameSource) {
    super(services, ws, identity, origin);
    this.#source = source;
  }

  override start(): void {
    super.start();
    const { pictures, variant, secure, socket } = this.#source;
    let bytes = 0;
    const newest: NewestOnly = new NewestOnly((picture) => {
      bytes += picture.bytes.length;
      this.send(describe(picture, variant));
      this.ws.send(picture.bytes, { binary: true }, () => {
        newest.ready();
      });
      return false;
    });
    try {
      const leave = pictures.watch(this.identity, variant, {
        ...{ protocol: 'frames', secure },
        onPicture: (picture) => {
          newest.offer(picture);
        },
        onEnd: () => {
          this.#end();
        },
        progress: () => ({
          bytes,
          ...stateOf(socket),
          framesDropped: newest.skipped,
        }),
      });
      this.ws.once('close', leave);
    } catch (error) {
      if (!(error instanceof ObscuraError)) throw error;
      this.send({ error: error.message });
      this.ws.close(closeCodes.limited, 'too many');
    }
  }

  #end(): void {
    this.ws.close(protocolError, 'you may not watch any more');
    // The goodbye would wait behind pictures that nobody takes.
    setTimeout(() => {
      this.ws.terminate();
    }, goodbyeWithinMs).unref();
  }

  /** Nothing is to be said here. */
  protected override receive(): Promise<void> {
    this.malformed('Nothing is to be said here');
    return Promise.resolve();
  }

  protected override sendMalformed(reason: string): void {
    this.send({ error: reason });
  }

  protected override sendTooFast(): void {
    this.sendMalformed('Too fast');
  }

  /** Whoever gives the pictures sees to it. */
  override rightsChanged(): void {
    return;
  }
}

function describe(
  { sequence, capturedAt, width, height, bytes }: Picture,
  { format }: PictureVariant,
): object {
  return { sequence, capturedAt, width, height, format, bytes: bytes.length };
}
