// The WebRTC sessions of the media process: opened with an offer, answered, and closed when the browser is gone.
import { randomBytes } from 'node:crypto';
import type { MediaAddon, MediaEvent } from './gstreamer.js';
import type { WebRtcCandidate, WebRtcOpened, WebRtcOrder, WebRtcReport } from './messages.js';
import {
  isHidden,
  readOffer,
  readPushedOffer,
  twccUri,
  UnfitOffer,
  withoutHidden,
  type VideoOffer,
} from './sdp.js';

/** Gathering addresses takes no time on a local network; a server that does not answer must not hold up the rest. */
const describeWithinMs = 5000;
const connectWithinMs = 30_000;
/** Browsers report every second. One that is silent for this long has gone without a word. */
const silentForMs = 8000;
const lookEveryMs = 1000;
/** A browser that has lost the network for a moment comes back by itself. */
const mayBeGoneMs = 10_000;

/** What every browser says it takes. Their decoders take the higher profiles as well, whatever they say. */
const ownParameters = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';
const ownPayloadType = 96;
const ownTwccId = 1;

interface Session {
  readonly since: number;
  readonly stream: string;
  state: string;
  connectedAt: number | undefined;
  described: { readonly resolve: (sdp: string) => void; readonly reject: (error: Error) => void } | undefined;
  /** Addresses that were found before the browser has the description. */
  held: WebRtcCandidate[] | undefined;
  timer: NodeJS.Timeout;
}

interface Listeners {
  readonly onClosed: (session: string) => void;
  readonly onCandidate: (candidate: WebRtcCandidate) => void;
}

export class WebRtcSessions {
  readonly #addon: MediaAddon;
  readonly #listeners: Listeners;
  readonly #sessions = new Map<string, Session>();

  constructor(addon: MediaAddon, listeners: Listeners) {
    this.#addon = addon;
    this.#listeners = listeners;
    setInterval(() => {
      for (const [name, { connectedAt }] of this.#sessions) {
        if (connectedAt === undefined) continue;
        const silence = addon.webrtcSilence(name);
        if ((silence < 0 ? Date.now() - connectedAt : silence) > silentForMs) this.close(name);
      }
    }, lookEveryMs);
  }

  /** Answers the browser's offer, to watch or to be watched, or makes one where it has none. */
  async open(order: WebRtcOrder): Promise<WebRtcOpened> {
    const { sdp, stream, receives, trickle, stunServer, turnServers } = order;
    const { codec, payloadType, parameters, twccId } = agreedOn(order);
    const session = randomBytes(9).toString('base64url');
    const described = new Promise<string>((resolve, reject) => {
      this.#sessions.set(session, {
        ...{
          since: Date.now(),
          stream,
          state: 'new',
          connectedAt: undefined,
          described: { resolve, reject },
        },
        held: [],
        timer: setTimeout(() => {
          reject(new Error('The session was not described in time'));
        }, describeWithinMs),
      });
    });
    const extension = twccId === 0 ? '' : `,extmap-${String(twccId)}=(string)${twccUri}`;
    const feedback = receives ? ',rtcp-fb-nack-pli=(boolean)true,rtcp-fb-nack=(boolean)true' : '';
    const caps = `application/x-rtp,media=video,encoding-name=${codec},clock-rate=90000,payload=${String(payloadType)}${extension}${feedback}`;
    try {
      this.#addon.webrtcOpen({
        ...{
          session,
          sdp: withoutHidden(sdp ?? ''),
          channel: stream,
          caps,
          receives,
          trickle,
          stunServer,
          turnServers,
        },
      });
      const opened = { session, sdp: withParameters(await described, payloadType, parameters) };
      // Only when the description is on its way.
      setImmediate(() => {
        this.#release(session);
      });
      return opened;
    } catch (error) {
      this.close(session);
      throw error;
    }
  }

  answer(session: string, sdp: string): boolean {
    return this.#sessions.has(session) && this.#addon.webrtcAnswer(session, withoutHidden(sdp));
  }

  addCandidate(session: string, line: number, candidate: string): boolean {
    if (!this.#sessions.has(session)) return false;
    return isHidden(candidate) || this.#addon.webrtcCandidate(session, line, candidate);
  }

  close(name: string): boolean {
    const session = this.#sessions.get(name);
    if (session === undefined) return false;
    clearTimeout(session.timer);
    this.#sessions.delete(name);
    this.#addon.webrtcClose(name);
    this.#listeners.onClosed(name);
    return true;
  }

  hear(event: MediaEvent): void {
    if (event.event === 'error' && this.#sessions.has(event.pipeline)) {
      this.#sessions.get(event.pipeline)?.described?.reject(new Error(event.message));
      this.close(event.pipeline);
    }
    if (event.event !== 'webrtc') return;
    const session = this.#sessions.get(event.session);
    if (session === undefined) return;
    const { what, details } = event;
    if (what === 'description') {
      session.described?.resolve(String(details['sdp']));
      session.described = undefined;
      this.#closeAfter(event.session, session, connectWithinMs);
    } else if (what === 'failed')
      session.described?.reject(
        new UnfitOffer('unreadable', `The offer cannot be answered: ${String(details['reason'])}`),
      );
    else if (what === 'candidate') this.#found(session, event.session, details);
    else if (what === 'state') this.#follow(event.session, session, String(details['state']));
  }

  report(): WebRtcReport[] {
    return [...this.#sessions].map(([session, { since, stream, state }]) => ({
      ...{ session, since, stream, state },
      ...(JSON.parse(this.#addon.webrtcStatistics(session)) as Pick<WebRtcReport, 'bytes' | 'report'>),
    }));
  }

  #found(session: Session, name: string, { line, candidate }: Readonly<Record<string, unknown>>): void {
    const found = { session: name, line: Number(line), candidate: String(candidate) };
    if (session.held === undefined) this.#listeners.onCandidate(found);
    else session.held.push(found);
  }

  #release(name: string): void {
    const session = this.#sessions.get(name);
    for (const candidate of session?.held ?? []) this.#listeners.onCandidate(candidate);
    if (session !== undefined) session.held = undefined;
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

function agreedOn({ sdp, receives, profile }: WebRtcOrder): VideoOffer {
  if (sdp === null)
    return {
      ...{ codec: 'H264', payloadType: ownPayloadType, parameters: ownParameters, twccId: ownTwccId },
    };
  return receives ? readPushedOffer(sdp) : readOffer(sdp, profile);
}

/** The description names the parameters of the payload type, or the browser would expect something else. */
function withParameters(sdp: string, payloadType: number, parameters: string): string {
  if (parameters === '' || sdp.includes(`a=fmtp:${String(payloadType)} `)) return sdp;
  return sdp.replace(
    new RegExp(`^(a=rtpmap:${String(payloadType)} [^\\r\\n]*)`, 'm'),
    `$1\r\na=fmtp:${String(payloadType)} ${parameters}`,
  );
}
