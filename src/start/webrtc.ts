// WebRTC for people: who may watch over it, with which servers, and for how long.
import { throttleTime } from 'rxjs';
import type { Accounts, AppStore } from '../access/accounts.js';
import type { Identity } from '../access/identity.js';
import type { WebRtcWatch, WebRtcWatcher } from '../api/services.js';
import { ObscuraError } from '../errors.js';
import type { WebRtcCandidate, WebRtcOpened, WebRtcOrder } from '../media/messages.js';
import type { Supervisor } from '../media/supervisor.js';

interface Watcher {
  readonly identity: Identity;
  readonly since: number;
  readonly viewer: string;
  readonly wished: Stream;
  /** The one that it gets now. */
  stream: Stream;
  readonly onCandidate: ((candidate: WebRtcCandidate) => void) | undefined;
  /** The server's own offer, which nobody has answered so far. */
  awaitsAnswer: boolean;
}

type Stream = 'stream1' | 'stream2';

/** Who watches does not go idle; this is well within the shortest time until somebody does. */
const keepAliveMs = 20_000;

export class WebRtcWatchers implements WebRtcWatch {
  readonly #store: AppStore;
  readonly #supervisor: Supervisor;
  readonly #watchers = new Map<string, Watcher>();
  #opening = 0;

  constructor(store: AppStore, accounts: Pick<Accounts, 'touch'>, supervisor: Supervisor) {
    this.#store = store;
    this.#supervisor = supervisor;
    supervisor.closedSessions$.subscribe((session) => this.#watchers.delete(session));
    // Tokens run out without a word.
    supervisor.beats$.subscribe(() => {
      this.enforce();
    });
    supervisor.beats$.pipe(throttleTime(keepAliveMs)).subscribe(() => {
      for (const { identity } of this.#watchers.values())
        if (identity.sessionId !== undefined) accounts.touch(identity.sessionId);
    });
    supervisor.candidates$.subscribe((candidate) =>
      this.#watchers.get(candidate.session)?.onCandidate?.(candidate),
    );
    store.observe('stream2').subscribe(({ enabled }) => {
      if (!enabled) this.#leaveSecond();
    });
    supervisor.state$.subscribe(({ phase }) => {
      if (phase === 'down') this.#watchers.clear();
    });
  }

  open(
    identity: Identity,
    wished: Stream,
    sdp: string,
    onCandidate?: (candidate: WebRtcCandidate) => void,
  ): Promise<WebRtcOpened> {
    return this.#open(identity, wished, sdp, onCandidate);
  }

  offer(identity: Identity, wished: Stream): Promise<WebRtcOpened> {
    return this.#open(identity, wished, null, undefined);
  }

  async answer(identity: Identity, session: string, sdp: string): Promise<boolean> {
    const watcher = this.#watchers.get(session);
    if (watcher?.awaitsAnswer !== true || watcher.identity.name !== identity.name) return false;
    watcher.awaitsAnswer = false;
    return (await this.#supervisor.order('webrtc-answer', { session, sdp })) === true;
  }

  async addCandidate(session: string, line: number, candidate: string): Promise<boolean> {
    if (!this.#watchers.has(session)) return false;
    return (await this.#supervisor.order('webrtc-candidate', { session, line, candidate })) === true;
  }

  async close(session: string): Promise<boolean> {
    if (!this.#watchers.delete(session)) return false;
    await this.#supervisor.order('webrtc-close', { session });
    return true;
  }

  async end(viewer: string): Promise<boolean> {
    const [session] = this.#find(viewer) ?? [];
    return session !== undefined && (await this.close(session));
  }

  async move(viewer: string, to: Stream): Promise<void> {
    const [session, watcher] = this.#find(viewer) ?? [];
    if (session === undefined || watcher === undefined)
      throw new ObscuraError('unknown', `There is no viewer ${viewer}`);
    await this.#supervisor.order('webrtc-move', { session, stream: to });
    watcher.stream = to;
  }

  list(): WebRtcWatcher[] {
    const reports = new Map(this.#supervisor.beat.webrtc.map((each) => [each.session, each]));
    return [...this.#watchers].map(([session, { identity, viewer, since, stream, wished }]) => {
      const { state = 'new', bytes = 0, report, bitrate, nacks, plis, firs } = reports.get(session) ?? {};
      return {
        ...{ session, viewer, stream, wished, since, bytes },
        connected: state === 'connected' || state === 'disconnected',
        user: identity.name,
        address: identity.address ?? '',
        ...(report === undefined ? {} : { report }),
        ...(bitrate === undefined ? {} : { bitrate }),
        ...(nacks === undefined ? {} : { nacks }),
        ...(plis === undefined ? {} : { plis }),
        ...(firs === undefined ? {} : { firs }),
      };
    });
  }

  /** Ends what nobody may watch any more. */
  enforce(): void {
    const enabled = this.#store.get('webrtcEnabled');
    for (const [session, { identity }] of this.#watchers)
      if (!enabled || !identity.valid || !identity.may('Media_r', 'Media_rw'))
        this.close(session).catch(() => undefined);
  }

  /** Whoever was moved to what is no more comes back. */
  #leaveSecond(): void {
    for (const { viewer, stream, wished } of this.#watchers.values())
      if (stream === 'stream2' && wished === 'stream1') this.move(viewer, wished).catch(() => undefined);
  }

  #find(viewer: string): [string, Watcher] | undefined {
    return [...this.#watchers].find(([, each]) => each.viewer === viewer);
  }

  async #open(
    identity: Identity,
    wished: Stream,
    sdp: string | null,
    onCandidate: ((candidate: WebRtcCandidate) => void) | undefined,
  ): Promise<WebRtcOpened> {
    const stream = this.#playable(wished);
    const most = this.#store.get('webrtcMaxSessions');
    // Those on their way count as well, or a crowd that comes at once would all get in.
    if (this.#watchers.size + this.#opening >= most)
      throw new ObscuraError('limited', `No more than ${String(most)} may play over WebRTC`, {
        key: 'webrtcMaxSessions',
      });
    const profile =
      stream === 'stream1' ? this.#store.get('encoderProfile') : this.#store.get('stream2').profile;
    this.#opening += 1;
    const opened = await openSession(this.#store, this.#supervisor, {
      ...{ sdp, stream, profile, receives: false, trickle: onCandidate !== undefined },
    }).finally(() => (this.#opening -= 1));
    this.#watchers.set(opened.session, {
      ...{ identity, since: Date.now(), viewer: opened.viewer, onCandidate, awaitsAnswer: sdp === null },
      ...{ stream, wished: stream },
    });
    // The rights may have gone while it was made.
    this.enforce();
    return opened;
  }

  /** Browsers play H.264 alone, which the second stream always is. */
  #playable(wished: Stream): Stream {
    if (!this.#store.get('webrtcEnabled'))
      throw new ObscuraError('failed', 'WebRTC is switched off; see the setting webrtcEnabled', {
        key: 'webrtcEnabled',
      });
    const second = this.#store.get('stream2').enabled;
    if (wished === 'stream1' && this.#store.get('videoEncoder') === 'h264') return 'stream1';
    if (second) return 'stream2';
    throw new ObscuraError('failed', `${wished} is not H.264, which is what browsers play over WebRTC`);
  }
}

/** Throws where the offer is not one that could be answered. */
export async function openSession(
  store: AppStore,
  supervisor: Supervisor,
  wish: Omit<WebRtcOrder, 'stunServer' | 'turnServers'>,
): Promise<WebRtcOpened> {
  const opened = (await supervisor.order('webrtc-open', { ...wish, ...iceServers(store) })) as
    WebRtcOpened | { readonly unfit: string; readonly message: string };
  if ('unfit' in opened)
    throw new ObscuraError('invalid', opened.message, { details: { unfit: opened.unfit } });
  return opened;
}

/** In the form that webrtcbin wants. */
function iceServers(store: AppStore): {
  readonly stunServer: string;
  readonly turnServers: string[];
} {
  const all = store
    .get('webrtcIceServers')
    .flatMap(({ urls, username, credential }) => [urls].flat().map((url) => ({ url, username, credential })));
  const place = (url: string): string => url.replace(/^[a-z]+:/, '').replace(/\?.*$/, '');
  const stun = all.find(({ url }) => url.startsWith('stun:'));
  return {
    stunServer: stun === undefined ? '' : `stun://${place(stun.url)}`,
    turnServers: all
      .filter(({ url }) => /^turns?:/.test(url))
      .map(
        ({ url, username = '', credential = '' }) =>
          `${url.startsWith('turns') ? 'turns' : 'turn'}://${encodeURIComponent(username)}:${encodeURIComponent(credential)}@${place(url)}`,
      ),
  };
}
