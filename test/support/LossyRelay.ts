import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** The first byte of RTP, and of RTCP on the same port; DTLS and STUN begin otherwise (RFC 7983). */
const firstOfMedia = 0x80;
const lastOfMedia = 0xbf;
/** RTCP has its types where RTP has these payload types (RFC 5761). */
const firstControlType = 64;
const lastControlType = 95;

/** What of the media that goes to the player is lost; everything else passes. */
export type Loses = (packet: { readonly payloadType: number; readonly serial: number }) => boolean;

/** Stands between a player and the server, and loses what it is told to: networks in tests lose nothing by themselves. */
export class LossyRelay {
  loses: Loses = () => false;
  /** Packets of media that were lost here. */
  lost = 0;
  readonly #inner: Socket;
  readonly #outer: Socket;
  #serial = 0;

  private constructor(inner: Socket, outer: Socket, server: AddressInfo) {
    this.#inner = inner;
    this.#outer = outer;
    let player: AddressInfo | undefined;
    outer.on('message', (packet, from) => {
      player = from;
      inner.send(packet, server.port, server.address);
    });
    inner.on('message', (packet) => {
      if (player !== undefined && this.#passes(packet)) outer.send(packet, player.port, player.address);
    });
  }

  /**
   * The server's answer, in which this relay is where the server is to be found.
   */
  static async before(answer: string): Promise<{ relay: LossyRelay; answer: string }> {
    const candidates = answer.match(/^a=candidate:.*\r?\n/gm) ?? [];
    const words = candidates
      .map((line) => line.split(' '))
      .find(
        ([, , protocol, , address]) => protocol === 'UDP' && address !== undefined && !address.includes(':'),
      );
    const [, , , , address = '', port = ''] = words ?? [];
    const [inner, outer] = [createSocket('udp4'), createSocket('udp4')];
    inner.bind(0);
    outer.bind(0, '127.0.0.1');
    await Promise.all([once(inner, 'listening'), once(outer, 'listening')]);
    const own = `a=candidate:1 1 UDP 2015363327 127.0.0.1 ${String(outer.address().port)} typ host\r\n`;
    const relay = new LossyRelay(inner, outer, { address, port: Number(port), family: 'IPv4' });
    let isFirst = true;
    const rewritten = answer.replaceAll(/^a=candidate:.*\r?\n/gm, () => {
      const line = isFirst ? own : '';
      isFirst = false;
      return line;
    });
    return { relay, answer: rewritten };
  }

  close(): void {
    this.#inner.close();
    this.#outer.close();
  }

  #passes(packet: Buffer): boolean {
    const [first = 0, second = 0] = packet;
    const payloadType = second & 0x7f;
    const isMedia =
      first >= firstOfMedia &&
      first <= lastOfMedia &&
      (payloadType < firstControlType || payloadType > lastControlType);
    if (!isMedia) return true;
    this.#serial += 1;
    if (!this.loses({ payloadType, serial: this.#serial })) return true;
    this.lost += 1;
    return false;
  }
}
