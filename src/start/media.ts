// Joins the store to the media process: settings become a plan, accounts become who may watch, reports become status.
import { auditTime, filter, merge, Subscription } from 'rxjs';
import type { Logger } from 'pino';
import type { Accounts, AppStore } from '../access/accounts.js';
import { realm } from '../access/digest.js';
import type { Certificate } from '../access/certificate.js';
import type { Check, Media, Viewer } from '../api/services.js';
import { messageOf } from '../errors.js';
import { maskOf } from '../observables/permissions.js';
import { MediaFailure, Supervisor } from '../media/supervisor.js';
import type { PipelineGraph, RtspAccess, RtspPorts } from '../media/messages.js';
import { NoEncoder } from '../pipelines/encoders.js';
import { plan, type MediaPlan } from '../pipelines/plan.js';
import type { Machine } from '../pipelines/machine.js';
import { mediaKeys, type MediaSettings } from '../pipelines/settings.js';
import { Adaptive } from './adaptive.js';
import { followAlignment } from './alignment.js';
import { followCameras } from './cameras.js';
import { watchLoad } from './load.js';
import { PushedCameras } from './pushedCameras.js';
import { followDevices } from './devices.js';
import { PictureDesk } from './pictures.js';
import { followRenditions } from './renditions.js';
import { videoChecks } from './readiness.js';
import { Statistics } from './statistics.js';
import { simulateHead } from './simulatedHead.js';
import { viewersOf } from './viewers.js';
import { WebRtcWatchers } from './webrtc.js';
import type { Journal } from '../store/journal.js';
import { reconcile, Unsupported, type Reconciler } from '../store/reconcile.js';

export interface MediaParts {
  readonly store: AppStore;
  readonly accounts: Accounts;
  readonly bind: string;
  readonly deviceFolder: string;
  readonly program?: URL | undefined;
  readonly certificate: () => Certificate;
  readonly audit: Journal['note'];
  readonly log: Logger;
}

export interface RunningMedia extends Media {
  readonly checks: () => readonly Check[];
  /** Whether it is in hand: it runs, or is being started again. */
  readonly isInHand: () => boolean;
  stop(): Promise<void>;
}

const rtspKeys = [
  ...(['rtspEnabled', 'rtspPort', 'rtspsEnabled', 'rtspsPort'] as const),
  ...(['rtspMaxSessions', 'rtspMulticast'] as const),
] as const;
/** Changes of rights that come together are told together, and still well within a second. */
const accessWithinMs = 20;
/** The supervisor replaces a process that hangs much sooner; when it does not, it is itself what hangs. */
const lostAfterMs = 15_000;

export function runMedia({
  store,
  accounts,
  bind,
  deviceFolder,
  program,
  certificate,
  audit,
  log,
}: MediaParts): RunningMedia {
  const parts = log.child({ part: 'media' });
  const supervisor = new Supervisor({
    deviceFolder,
    program,
    log: (level, message, category) => {
      parts[level](category === undefined ? {} : { category }, message);
    },
  });
  const subscriptions = new Subscription();
  const reconcilers: Reconciler[] = [];

  /** Tells the reconciler apart what can never be and what may work later. */
  const order = async (...words: Parameters<typeof supervisor.order>): Promise<void> => {
    try {
      await supervisor.order(...words);
    } catch (error) {
      if (error instanceof MediaFailure && error.unsupported) throw new Unsupported(error.message);
      throw error;
    }
  };

  const webrtc = new WebRtcWatchers(store, accounts, supervisor);
  const pushed = new PushedCameras(store, supervisor);
  subscriptions.add(
    merge(accounts.changes$, store.observe('webrtcEnabled'), store.observe('cameraHeadSettings')).subscribe(
      () => {
        webrtc.enforce();
        pushed.enforce();
      },
    ),
  );

  const pictures = new PictureDesk(store, accounts, supervisor);

  const tellAccess = (): void => {
    const access: RtspAccess = {
      realm,
      anonymous: anonymousMayWatch(store),
      ...accounts.holders(maskOf(['Media_r', 'Media_rw'])),
    };
    supervisor.order('access', access).catch((error: unknown) => {
      parts.debug(`The rights are not told: ${messageOf(error)}`);
    });
  };
  tellAccess();
  subscriptions.add(
    merge(accounts.changes$, accounts.loggedIn$, store.observe('rtspAuth'))
      .pipe(auditTime(accessWithinMs))
      .subscribe(tellAccess),
  );

  const multicast = (): RtspPorts['multicast'] => {
    const { enabled, ...offer } = store.get('rtspMulticast');
    return enabled ? offer : null;
  };
  const ports = (): RtspPorts => {
    const enabled = store.get('rtspEnabled');
    const { cert, key } = certificate();
    return {
      address: bind,
      port: enabled ? store.get('rtspPort') : null,
      securePort: enabled && store.get('rtspsEnabled') ? store.get('rtspsPort') : null,
      maxSessions: store.get('rtspMaxSessions'),
      multicast: multicast(),
      certificate: cert,
      key,
    };
  };
  const read = <K extends keyof MediaSettings | (typeof rtspKeys)[number]>(keys: readonly K[]) =>
    Object.fromEntries(keys.map((key) => [key, store.get(key)])) as {
      readonly [Key in K]: ReturnType<typeof store.get<Key>>;
    };
  const onFailure = (reason: string): void => {
    parts.warn(`The video cannot follow the settings: ${reason}`);
  };

  // While the process was down there was nobody to carry anything out.
  const again$ = supervisor.state$.pipe(filter(({ phase }) => phase === 'running'));
  reconcilers.push(
    reconcile({
      store,
      again$,
      keys: rtspKeys,
      desired: ports,
      apply: (next) => order('rtsp', next),
      fallback: read(rtspKeys),
      onFailure,
    }),
    reconcile({
      store,
      again$,
      keys: mediaKeys,
      desired: (settings: MediaSettings) => settings,
      apply: async (settings) => {
        const machine = await supervisor.whenRunning();
        const next = planned(settings, machine);
        await order('plan', next);
        store.write({
          streamFramerateEffective: next.framerate,
          streamPassthroughStatus: {
            stream1: passing(next.obstacles['stream1']),
            stream2: passing(
              settings.stream2.enabled ? next.obstacles['stream2'] : 'the stream is switched off',
            ),
          },
        });
      },
      fallback: read(mediaKeys),
      onFailure,
    }),
  );
  subscriptions.add(followRenditions(store, supervisor));
  subscriptions.add(watchLoad(store, supervisor, parts));
  subscriptions.add(followCameras(store, supervisor));
  subscriptions.add(followAlignment(store, supervisor));
  subscriptions.add(followDevices(store, supervisor));
  subscriptions.add(simulateHead(store));
  let first = true;
  subscriptions.add(
    store.observe('tlsCertificate').subscribe(() => {
      if (!first) void supervisor.order('rtsp', ports()).catch(() => undefined);
      first = false;
    }),
  );
  const viewers = (): Viewer[] =>
    viewersOf({ rtsp: supervisor.beat.clients, webrtc: webrtc.list(), pictures: pictures.list() });
  const adaptive = new Adaptive({
    ...{ store, supervisor, webrtc, log: parts },
    note: (summary) => {
      audit({
        ...{ kind: 'event', at: Date.now(), by: 'adaptive', via: 'adaptive', event: 'bitrate adapted' },
        detail: summary,
      });
    },
  });
  const statistics = new Statistics({
    ...{ store, supervisor, viewers, log: parts },
    decisions: () => adaptive.latest,
  });
  let lastBeatAt = Date.now();
  subscriptions.add(
    merge(supervisor.beats$, supervisor.state$).subscribe(() => {
      lastBeatAt = Date.now();
    }),
  );

  return {
    webrtc,
    pushed,
    pictures,
    report: () => ({ state: supervisor.state, ...supervisor.beat }),
    kick: async (client) => (await supervisor.order('kick', { client })) === true,
    graph: async (pipeline) => (await supervisor.order('graph', { pipeline })) as PipelineGraph | undefined,
    viewers,
    beats$: supervisor.beats$,
    rebuilds$: supervisor.rebuilds$,
    checks: () => {
      const { port, securePort } = ports();
      const { status, reason } = store.statuses.of('rtspPort', 0);
      return videoChecks(
        {
          ...{ state: supervisor.state, beat: supervisor.beat, rtsp: { port, securePort } },
          rtspTrouble: status === 'failed' ? reason : undefined,
          cameras: store.get('cameraStatus'),
          framerate: Math.min(
            store.get('streamFramerateEffective'),
            store.get('stream2').enabled ? store.get('stream2').framerate : Infinity,
          ),
        },
        Date.now(),
      );
    },
    history: () => statistics.history(),
    decisions: () => adaptive.decisions(),
    isInHand: () =>
      supervisor.state.phase !== 'running' ||
      (Date.now() - lastBeatAt < lostAfterMs && (supervisor.beat.loopLagMs ?? 0) < lostAfterMs),
    stop: async () => {
      subscriptions.unsubscribe();
      statistics.stop();
      await adaptive.stop();
      pictures.close();
      await supervisor.close();
      for (const each of reconcilers) await each.stop();
    },
  };
}

/** `optional`: whoever has not logged in may watch as far as people without log-in may see the stream at all. */
function anonymousMayWatch(store: AppStore): boolean {
  switch (store.get('rtspAuth')) {
    case 'off':
      return true;
    case 'optional':
      return (maskOf(store.get('anonymousPermissions')) & maskOf(['Media_r', 'Media_rw'])) !== 0;
    case 'required':
      return false;
  }
}

function passing(obstacle: string | undefined): { readonly active: boolean; readonly reason?: string } {
  return obstacle === undefined ? { active: true } : { active: false, reason: obstacle };
}

function planned(settings: MediaSettings, machine: Machine): MediaPlan {
  try {
    return plan(settings, machine);
  } catch (error) {
    if (error instanceof NoEncoder) throw new Unsupported(error.message);
    throw error;
  }
}
