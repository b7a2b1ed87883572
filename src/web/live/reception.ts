// One stream over WebRTC: asks the server for it, and says when a picture comes and when none does any more.
import type { HttpClient } from '../../client/index.js';
import { patience } from '../patience.js';
import { measure, type Counters, type Figures, type Measured, type StatsEntry } from './figures.js';

export type StreamName = 'stream1' | 'stream2';

export interface IceServer {
  readonly urls: string | readonly string[];
  readonly username?: string;
}

/** WebRTC that stands, but shows nothing. */
export class NoPicture extends Error {}

const firstPictureWithinMs = 5000;
const lookEveryMs = 100;
const measureEveryMs = 1000;
/** Seconds without a new picture after which a stream counts as lost. */
const mostStill = 5;

export class Reception {
  readonly #connection: RTCPeerConnection;
  readonly #http: HttpClient;
  readonly #stream: StreamName;
  #session: string | undefined;
  #closed = false;
  #counters: Counters | undefined;
  #still = 0;

  constructor(http: HttpClient, stream: StreamName, iceServers: readonly IceServer[]) {
    this.#http = http;
    this.#stream = stream;
    this.#connection = new RTCPeerConnection({ iceServers: usable(iceServers) });
  }

  /** Resolves with the first picture. */
  async play(video: HTMLVideoElement): Promise<void> {
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
    this.#connection.ontrack = ({ track }) => {
      video.srcObject = new MediaStream([track]);
      // Refused only where the element has gone already.
      void video.play().catch(() => undefined);
    };
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    const answer = await this.#http.post<{ readonly sdp: string; readonly session: string }>(
      '/api/webrtc/offer',
      { type: 'offer', sdp: this.#connection.localDescription?.sdp, stream: this.#stream },
    );
    this.#session = answer.session;
    if (this.#closed) {
      this.#endSession();
      return;
    }
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    await this.#firstPicture(video);
  }

  /** For a page in the background it is enough that it is decoded: nothing is shown until somebody looks. */
  async #firstPicture(video: HTMLVideoElement): Promise<void> {
    const giveUpAt = performance.now() + firstPictureWithinMs;
    const isShown = (): boolean => document.hidden || video.readyState >= video.HAVE_CURRENT_DATA;
    while (!this.#closed) {
      if (((await this.#measure())?.counters.decoded ?? 0) > 0 && isShown()) return;
      if (performance.now() > giveUpAt || this.#connection.connectionState === 'failed')
        throw new NoPicture();
      await patience(lookEveryMs);
    }
  }

  async #measure(): Promise<Measured | undefined> {
    const report = await this.#connection.getStats();
    return measure(report.values() as Iterable<StatsEntry>, this.#counters);
  }

  /** Whether pictures came within the last seconds. */
  get isAlive(): boolean {
    return (
      this.#counters !== undefined && this.#still <= 1 && this.#connection.connectionState === 'connected'
    );
  }

  /** Figures once a second, until the stream is lost or closed. */
  async *figures(): AsyncGenerator<Figures> {
    let decoded = 0;
    while (!this.#closed && this.#connection.connectionState !== 'failed' && this.#still < mostStill) {
      const measured = await this.#measure();
      if (measured !== undefined) {
        this.#counters = measured.counters;
        yield measured.figures;
      }
      // A browser decodes nothing for a page that nobody sees.
      const isStill = !document.hidden && measured?.counters.decoded === decoded;
      this.#still = isStill ? this.#still + 1 : 0;
      decoded = measured?.counters.decoded ?? 0;
      await patience(measureEveryMs);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#endSession();
  }

  #endSession(): void {
    if (this.#session !== undefined)
      // The server notices by itself as well, only later.
      void this.#http.delete(`/api/whep/${this.#stream}/${this.#session}`).catch(() => undefined);
  }
}

/** Credentials are never shown, and a TURN server without them cannot be asked. */
function usable(servers: readonly IceServer[]): RTCIceServer[] {
  return servers.flatMap(({ urls }) => {
    const stun = [urls].flat().filter((url) => url.startsWith('stun'));
    return stun.length === 0 ? [] : [{ urls: stun }];
  });
}
