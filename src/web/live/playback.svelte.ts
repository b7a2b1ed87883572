// Keeps a picture on the page: over WebRTC where that works, else as MJPEG, and always with the reason.
import type { HttpClient } from '../../client/index.js';
import { messageOf } from '../messageOf.js';
import type { Figures } from './figures.js';
import { NoPicture, Reception, type IceServer, type StreamName } from './reception.js';

export type Transport = 'webrtc' | 'mjpeg';
export type Reason = 'off' | 'unable' | 'refused' | 'noPicture' | 'lost';

export interface Why {
  readonly reason: Reason;
  readonly detail: string;
}

export interface Wish {
  readonly stream: StreamName;
  readonly webrtcEnabled: boolean;
  readonly iceServers: readonly IceServer[];
  /** Another number is the same wish once more. */
  readonly attempt: number;
}

/** A stream that is lost so soon after it began is not tried again. */
const steadyMs = 15_000;
const mjpegAgainMs = 2000;

export class Playback {
  /** Undefined until the first attempt has come to something. */
  transport = $state<Transport | undefined>();
  /** Why it is not WebRTC. */
  why = $state.raw<Why | undefined>();
  isShown = $state(false);
  figures = $state.raw<Figures>({});
  /** Of the MJPEG picture; each attempt has an address of its own, or the browser would show the old end again. */
  address = $state<string | undefined>();
  readonly #http: HttpClient;
  #reception: Reception | undefined;
  #attempt = 0;
  #wish = '';
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Leaves a stream alone that plays as it is wished: the connection to the settings may be lost without it. */
  async start(video: HTMLVideoElement, wish: Wish): Promise<void> {
    const words = JSON.stringify(wish);
    if (words === this.#wish && this.#reception?.isAlive === true) return;
    this.stop();
    this.#wish = words;
    const attempt = this.#attempt;
    if (!wish.webrtcEnabled) this.#showMjpeg({ reason: 'off', detail: '' });
    else if (typeof RTCPeerConnection === 'undefined') this.#showMjpeg({ reason: 'unable', detail: '' });
    else {
      const why = await this.#receive(video, wish, attempt);
      if (attempt === this.#attempt) this.#showMjpeg(why);
    }
  }

  stop(): void {
    this.#attempt += 1;
    clearTimeout(this.#again);
    this.#reception?.close();
    this.#reception = undefined;
    this.address = undefined;
    this.isShown = false;
    this.figures = {};
    this.transport = undefined;
    this.why = undefined;
  }

  mjpegCame({ naturalWidth: width, naturalHeight: height }: HTMLImageElement): void {
    this.isShown = true;
    this.figures = { codec: 'JPEG', width, height };
  }

  mjpegFailed(): void {
    this.isShown = false;
    const attempt = this.#attempt;
    this.address = undefined;
    this.#again = setTimeout(() => {
      if (attempt === this.#attempt) this.#ask();
    }, mjpegAgainMs);
  }

  /** Plays until the stream is lost, and says why it is. */
  async #receive(video: HTMLVideoElement, wish: Wish, attempt: number): Promise<Why> {
    for (;;) {
      const reception = new Reception(this.#http, wish.stream, wish.iceServers);
      this.#reception = reception;
      let began = 0;
      try {
        await reception.play(video);
        if (attempt !== this.#attempt) break;
        began = performance.now();
        this.transport = 'webrtc';
        this.isShown = true;
        for await (const figures of reception.figures()) {
          if (attempt !== this.#attempt) break;
          this.figures = figures;
        }
      } catch (error) {
        if (error instanceof NoPicture) return { reason: 'noPicture', detail: '' };
        return { reason: 'refused', detail: messageOf(error) };
      } finally {
        reception.close();
      }
      if (attempt !== this.#attempt || performance.now() - began < steadyMs) break;
      this.isShown = false;
    }
    return { reason: 'lost', detail: '' };
  }

  #showMjpeg(why: Why): void {
    this.transport = 'mjpeg';
    this.why = why;
    this.isShown = false;
    this.figures = {};
    this.#ask();
  }

  #ask(): void {
    this.address = `/api/camera/stream?fps=15&width=1280&attempt=${String(Date.now())}`;
  }
}
