// An answer without end whose parts are pictures, as image tags and players understand it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Picture } from '../../media/messages.js';
import type { Socket } from 'node:net';
import { stateOf } from '../../system/connection.js';
import type { PictureProgress, PictureReader } from '../services.js';
import { NewestOnly } from './newestOnly.js';

export const multipartType = 'multipart/x-mixed-replace; boundary=frame';
const separator = '\r\n--frame\r\n';

/** The same for all who get the picture. */
const parts = new WeakMap<Picture, Buffer>();

export class MultipartAnswer implements PictureReader {
  readonly protocol: PictureReader['protocol'];
  readonly secure: boolean;
  readonly #reply: FastifyReply;
  readonly #socket: Socket;
  readonly #newest = new NewestOnly((picture) => {
    const part = partOf(picture);
    this.#bytes += part.length;
    return this.#reply.raw.write(part);
  });
  #bytes = 0;

  constructor(request: FastifyRequest, reply: FastifyReply, protocol: PictureReader['protocol']) {
    this.#reply = reply;
    this.#socket = request.raw.socket;
    this.protocol = protocol;
    this.secure = request.protocol === 'https';
  }

  /** `onGone` is called once, when whoever watched has left or was made to. */
  begin(onGone: () => void): void {
    const { raw } = this.#reply;
    this.#reply.hijack();
    raw.writeHead(200, {
      ...(this.#reply.getHeaders() as Record<string, string | number | string[]>),
      'content-type': multipartType,
      // Nothing can follow on this connection.
      connection: 'close',
    });
    raw.write(separator);
    raw.on('drain', () => {
      this.#newest.ready();
    });
    raw.on('error', () => undefined);
    // Who has left while it was found out who they are is not told of any more.
    if (raw.destroyed) onGone();
    else raw.once('close', onGone);
  }

  onPicture(picture: Picture): void {
    this.#newest.offer(picture);
  }

  /** At once, also where the other side takes nothing. */
  onEnd(): void {
    this.#reply.raw.destroy();
  }

  progress(): PictureProgress {
    return {
      bytes: this.#bytes,
      ...stateOf(this.#socket),
      framesDropped: this.#newest.skipped,
    };
  }
}

export function typeOf({ channel }: Picture): string {
  if (channel.includes('/jpeg-')) return 'image/jpeg';
  return channel.includes('/webp-') ? 'image/webp' : 'application/octet-stream';
}

/** The separator comes after: browsers show a part when they see its end. */
function partOf(picture: Picture): Buffer {
  const known = parts.get(picture);
  if (known !== undefined) return known;
  const { bytes, capturedAt, sequence, width, height } = picture;
  const head = [
    `Content-Type: ${typeOf(picture)}`,
    `Content-Length: ${String(bytes.length)}`,
    `X-Timestamp: ${(capturedAt / 1e6).toFixed(6)}`,
    `X-Sequence: ${String(sequence)}`,
    `X-Width: ${String(width)}`,
    `X-Height: ${String(height)}`,
  ];
  const part = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes, Buffer.from(separator)]);
  parts.set(picture, part);
  return part;
}
