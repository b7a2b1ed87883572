// Cameras that are no devices of this machine but browsers or encoders that send by WHIP: who may, and for how long.
import type { AppStore } from '../access/accounts.js';
import type { Identity } from '../access/identity.js';
import type { CameraName, PushedCameraDoor } from '../api/services.js';
import { ObscuraError } from '../errors.js';
import type { WebRtcOpened } from '../media/messages.js';
import type { Supervisor } from '../media/supervisor.js';
import { openSession } from './webrtc.js';

interface Sender {
  readonly identity: Identity;
  readonly camera: CameraName;
}

export class PushedCameras implements PushedCameraDoor {
  readonly #store: AppStore;
  readonly #supervisor: Supervisor;
  readonly #senders = new Map<string, Sender>();

  constructor(store: AppStore, supervisor: Supervisor) {
    this.#store = store;
    this.#supervisor = supervisor;
    supervisor.closedSessions$.subscribe((session) => this.#senders.delete(session));
    // Tokens run out without a word.
    supervisor.beats$.subscribe(() => {
      this.enforce();
    });
    supervisor.state$.subscribe(({ phase }) => {
      if (phase === 'down') this.#senders.clear();
    });
  }

  async open(identity: Identity, camera: CameraName, sdp: string): Promise<WebRtcOpened> {
    if (!this.#takes(camera))
      throw new ObscuraError(
        'conflict',
        `The ${camera} camera takes no stream from outside; cameraHeadSettings.${camera}.source must be whip`,
        { key: 'cameraHeadSettings' },
      );
    const opened = await openSession(this.#store, this.#supervisor, {
      ...{ sdp, stream: `coded/${camera}`, receives: true, profile: '', trickle: false },
    });
    const before = [...this.#senders].filter(([, sender]) => sender.camera === camera);
    this.#senders.set(opened.session, { identity, camera });
    for (const [session] of before) await this.close(session);
    // The rights may have gone while it was made.
    this.enforce();
    return opened;
  }

  async addCandidate(session: string, line: number, candidate: string): Promise<boolean> {
    if (!this.#senders.has(session)) return false;
    return (await this.#supervisor.order('webrtc-candidate', { session, line, candidate })) === true;
  }

  async close(session: string): Promise<boolean> {
    if (!this.#senders.delete(session)) return false;
    await this.#supervisor.order('webrtc-close', { session });
    return true;
  }

  /** Ends what nobody may send any more, or nobody wants. */
  enforce(): void {
    const enabled = this.#store.get('webrtcEnabled');
    for (const [session, { identity, camera }] of this.#senders)
      if (!enabled || !this.#takes(camera) || !identity.valid || !identity.may('Device_rw'))
        this.close(session).catch(() => undefined);
  }

  #takes(camera: CameraName): boolean {
    return this.#store.get('cameraHeadSettings')[camera].source === 'whip';
  }
}
