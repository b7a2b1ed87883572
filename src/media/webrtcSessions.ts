// The WebRTC sessions of the media process: opened with an offer, answered, and closed when the browser is gone.
import { randomBytes } from 'node:crypto';
import type { PathSample } from '../adaptive/samples.js';
import type { MediaAddon, MediaEvent } from './gstreamer.js';
import type { WebRtcCandidate, WebRtcOpened, WebRtcOrder, WebRtcReport } from './messages.js';
import { Rates } from './rates.js';
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
/** A stream that has given no keyframe by then will not. */
const moveWithinMs = 5000;

/** What every browser says it takes. Their decoders take the higher profiles as well, whatever they say. */
const ownParameters = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';
const ownPayloadType = 96;
const ownTwccId = 1;

interface Session {
  readonly since: number;
  readonly viewer: string;
  readonly receives: boolean;
  /** The one that it gets now. */
  stream: string;
  /** To another stream, under way. */
  move: Move | undefined;
  state: string;
  connectedAt: number | undefined;
  described: { readonly resolve: (sdp: string) => void; readonly reject: (error: Error) => void } | undefined;
  /** Addresses that were found before the browser has the description. */
  held: WebRtcCandidate[] | undefined;
  timer: NodeJS.Timeout;
}

interface Move {
  readonly to: string;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** What the addon tells of a session. */
interface Statistics extends Pick<WebRtcReport, 'bytes' | 'report' | 'nacks' | 'plis' | 'firs'> {
  readonly feedback?: { readonly arrived: number; readonly lost: number; readonly rttMs?: number };
}

interface Listeners {
  readonly onClosed: (session: string) => void;
  readonly onCandidate: (candidate: WebRtcCandidate) => void;
}

export class WebRtcSessions {
  readonly #addon: MediaAddon;
  readonly #listeners: Listeners;
  readonly #sessions = new Map<string, Session>();
  readonly #rates = new Rates();
  #serial = 0;

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
    const { codec, payloadType, parameters, twccId, givesEstimates } = agreedOn(order);
    const session = randomBytes(9).toString('base64url');
    this.#serial += 1;
    const viewer = `webrtc-${String(this.#serial)}`;
    const described = new Promise<string>((resolve, reject) => {
      this.#sessions.set(session, {
        ...{
          since: Date.now(),
          ...{ viewer, receives, stream, move: undefined },
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
    const feedback = [
      ...(receives ? ['nack-pli', 'nack'] : []),
      // A browser that cannot tell how each packet fares may still tell what it thinks of the way.
      ...(receives || twccId !== 0 || !givesEstimates ? [] : ['goog-remb']),
    ]
      .map((kind) => `,rtcp-fb-${kind}=(boolean)true`)
      .join('');
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
      const opened = { session, viewer, sdp: withParameters(await described, payloadType, parameters) };
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

  /** Resolves when the session gets the other stream. Where that gives nothing in time, it keeps the one that it has. */
  async move(name: string, to: string): Promise<void> {
    const session = this.#sessions.get(name);
    if (session === undefined || session.receives) throw new Error('There is no such session that watches');
    session.move?.failed(new Error('Another move has taken the place of this one'));
    session.move = undefined;
    // Where it is there already, this ends a move that is under way.
    if (!this.#addon.setProperty(name, 'frames', 'channel', to)) throw new Error('The session has not begun');
    if (session.stream === to) return;
    await new Promise<void>((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        if (session.move === move) session.move = undefined;
        act();
      };
      const move: Move = {
        to,
        done: () => {
          end(resolve);
        },
        failed: (error) => {
          end(() => {
            reject(error);
          });
        },
      };
      const timer = setTimeout(() => {
        this.#addon.setProperty(name, 'frames', 'channel', session.stream);
        move.failed(new Error(`${to} has given no keyframe in time, and ${session.stream} goes on`));
      }, moveWithinMs);
      session.move = move;
    });
  }

  close(name: string): boolean {
    const session = this.#sessions.get(name);
    if (session === undefined) return false;
    clearTimeout(session.timer);
    this.#sessions.delete(name);
    session.move?.failed(new Error('The session has ended'));
    this.#addon.webrtcClose(name);
    this.#listeners.onClosed(name);
    return true;
  }

  hear(event: MediaEvent): void {
    if (event.event === 'error' && this.#sessions.has(event.pipeline)) {
      this.#sessions.get(event.pipeline)?.described?.reject(new Error(event.message));
      this.close(event.pipeline);
    }
    if (event.event === 'moved') this.#moved(event.pipeline, event.channel);
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
    const now = Date.now();
    this.#rates.tidy(now);
    return [...this.#sessions].map(([session, { since, viewer, stream, state }]) => {
      const { feedback, ...statistics } = JSON.parse(this.#addon.webrtcStatistics(session)) as Statistics;
      const path = feedback === undefined ? undefined : this.#pathOf(viewer, feedback, now);
      return {
        ...{ session, viewer, since, stream, state },
        ...statistics,
        bitrate: Math.round(8 * this.#rates.of(viewer, statistics.bytes ?? 0, now)),
        ...(path === undefined ? {} : { path }),
      };
    });
  }

  /** What was learnt of the ways to those who watch since the last time. */
  samples(at: number): PathSample[] {
    return [...this.#sessions].flatMap(([session, { viewer, receives }]) => {
      if (receives) return [];
      const all = JSON.parse(this.#addon.webrtcSamples(session)) as readonly PathSample[];
      return all.map((sample) => ({ ...sample, viewer, at }));
    });
  }

  #pathOf(viewer: string, feedback: Required<Statistics>['feedback'], at: number): WebRtcReport['path'] {
    const { rttMs, arrived: allArrived, lost: allLost } = feedback;
    const lost = this.#rates.growth(`${viewer} lost`, allLost, at);
    const arrived = this.#rates.growth(`${viewer} arrived`, allArrived, at);
    if (rttMs === undefined) return undefined;
    return { rttMs, lossPercent: lost === 0 ? 0 : (100 * lost) / (lost + arrived) };
  }

  #moved(name: string, stream: string): void {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    session.stream = stream;
    if (session.move?.to === stream) session.move.done();
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
      givesEstimates: false,
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
