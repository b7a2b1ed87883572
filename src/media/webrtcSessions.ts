// The WebRTC sessions of the media process: opened with an offer, answered, and closed when the browser is gone.
import { randomBytes } from 'node:crypto';
import type { MediaAddon, MediaEvent } from './gstreamer.js';
import type { WebRtcOpened, WebRtcOrder } from './messages.js';
import { formats } from '../pipelines/encoders.js';
import { readOffer } from './sdp.js';

/** Gathering addresses takes no time on a local network; a server that does not answer must not hold up the rest. */
const answerWithinMs = 5000;
const connectWithinMs = 30_000;
/** Browsers report every second. One that is silent for this long has gone without a word. */
const silentForMs = 8000;
const lookEveryMs = 1000;
/** A browser that has lost the network for a moment comes back by itself. */
const mayBeGoneMs = 10_000;

interface Session {
  readonly since: number;
  readonly stream: string;
  state: string;
  connectedAt: number | undefined;
  answer: { readonly resolve: (sdp: string) => void; readonly reject: (error: Error) => void } | undefined;
  timer: NodeJS.Timeout;
}

export class WebRtcSessions {
  readonly #addon: MediaAddon;
  readonly #onClosed: (session: string) => void;
  readonly #sessions = new Map<string, Session>();

  constructor(addon: MediaAddon, onClosed: (session: string) => void) {
    this.#addon = addon;
    this.#onClosed = onClosed;
    setInterval(() => {
      for (const [name, { connectedAt }] of this.#sessions) {
        if (connectedAt === undefined) continue;
        const silence = addon.webrtcSilence(name);
        if ((silence < 0 ? Date.now() - connectedAt : silence) > silentForMs) this.close(name);
      }
    }, lookEveryMs);
  }

  async open({ sdp, stream, profile, stunServer, turnServers }: WebRtcOrder): Promise<WebRtcOpened> {
    const { payloadType, parameters, twccId } = readOffer(sdp, profile);
    const session = randomBytes(9).toString('base64url');
    const answer = new Promise<string>((resolve, reject) => {
      this.#sessions.set(session, {
        ...{ since: Date.now(), stream, state: 'new', connectedAt: undefined, answer: { resolve, reject } },
        timer: setTimeout(() => {
          reject(new Error('The session was not answered in time'));
        }, answerWithinMs),
      });
    });
    try {
      this.#addon.webrtcOpen({
        ...{ session, sdp, channel: stream, twccId, trickle: false, stunServer, turnServers },
        payloader: `${formats.h264.payloader} pt=${String(payloadType)}`,
        caps: `application/x-rtp,media=video,encoding-name=H264,payload=${String(payloadType)}`,
      });
      return { session, sdp: withParameters(await answer, payloadType, parameters) };
    } catch (error) {
      this.close(session);
      throw error;
    }
  }

  addCandidate(session: string, line: number, candidate: string): boolean {
    return this.#sessions.has(session) && this.#addon.webrtcCandidate(session, line, candidate);
  }

  close(name: string): boolean {
    const session = this.#sessions.get(name);
    if (session === undefined) return false;
    clearTimeout(session.timer);
    this.#sessions.delete(name);
    this.#addon.webrtcClose(name);
    this.#onClosed(name);
    return true;
  }

  hear(event: MediaEvent): void {
    if (event.event === 'error' && this.#sessions.has(event.pipeline)) {
      this.#sessions.get(event.pipeline)?.answer?.reject(new Error(event.message));
      this.close(event.pipeline);
    }
    if (event.event !== 'webrtc') return;
    const session = this.#sessions.get(event.session);
    if (session === undefined) return;
    const { what, details } = event;
    if (what === 'answer') {
      session.answer?.resolve(String(details['sdp']));
      session.answer = undefined;
      this.#closeAfter(event.session, session, connectWithinMs);
    } else if (what === 'failed') session.answer?.reject(new Error(String(details['reason'])));
    else if (what === 'state') this.#follow(event.session, session, String(details['state']));
  }

  report(): {
    readonly session: string;
    readonly since: number;
    readonly stream: string;
    readonly state: string;
  }[] {
    return [...this.#sessions].map(([session, { since, stream, state }]) => ({
      session,
      since,
      stream,
      state,
    }));
  }

  #follow(name: string, session: Session, state: string): void {
    session.state = state;
    if (state === 'connected') {
      clearTimeout(session.timer);
      session.connectedAt ??= Date.now();
    } else if (state === 'disconnected') this.#closeAfter(name, session, mayBeGoneMs);
    else if (state === 'failed' || state === 'closed') this.close(name);
  }

  #closeAfter(name: string, session: Session, ms: number): void {
    clearTimeout(session.timer);
    session.timer = setTimeout(() => this.close(name), ms);
  }
}

/** The answer names what the browser offered for the payload type, or it would expect something else. */
function withParameters(sdp: string, payloadType: number, parameters: string): string {
  if (parameters === '' || sdp.includes(`a=fmtp:${String(payloadType)} `)) return sdp;
  return sdp.replace(
    new RegExp(`^(a=rtpmap:${String(payloadType)} [^\\r\\n]*)`, 'm'),
    `$1\r\na=fmtp:${String(payloadType)} ${parameters}`,
  );
}
