// What the faces work with. The composition root fills it; no face builds a part of its own.
import type { Logger } from 'pino';
import type { Observable } from 'rxjs';
import type { Accounts, AppStore } from '../access/accounts.js';
import type { Setup } from '../access/setup.js';
import type { Certificate } from '../access/certificate.js';
import type { History } from '../store/history.js';
import type { Photo, PhotoQuery } from '../library/photoIndex.js';
import type { Places } from '../library/places.js';
import type { Thumbnails } from '../library/thumbnails.js';
import type { Journal } from '../store/journal.js';
import type { Locks } from '../store/locks.js';
import type { Presets } from '../store/presets.js';
import type { Drags } from '../store/drags.js';
import type { Trials } from '../store/trials.js';
import type { Identity } from '../access/identity.js';
import type {
  Beat,
  Picture,
  PictureVariant,
  PipelineGraph,
  Rebuild,
  ReceiverReport,
  WebRtcCandidate,
  WebRtcOpened,
} from '../media/messages.js';
import type { MediaState } from '../media/supervisor.js';
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';
import type { LogMemory } from '../system/logMemory.js';
import type { Sync } from './sync/sync.js';

export interface ConnectionLimits {
  readonly perAddress: number;
  readonly perUser: number;
  readonly total: number;
}

/** Somebody who watches over WebRTC. */
export interface WebRtcWatcher {
  /** Known to its browser alone. */
  readonly session: string;
  /** As everybody else may know it, and as samples name it. */
  readonly viewer: string;
  readonly user: string;
  readonly address: string;
  /** The one that it gets now. */
  readonly stream: 'stream1' | 'stream2';
  /** The one that was asked for. */
  readonly wished: 'stream1' | 'stream2';
  /** Whether the browser has found its way here, or lost it for a moment; otherwise nothing is sent so far. */
  readonly connected: boolean;
  readonly since: number;
  readonly bytes: number;
  /** What the browser said last of how the stream reaches it. */
  readonly report?: ReceiverReport;
  /** bit/s, over the last seconds. */
  readonly bitrate?: number;
  /** How often it has asked for packets again, and for keyframes. */
  readonly nacks?: number;
  readonly plis?: number;
  readonly firs?: number;
}

/** Watching over WebRTC, each session as somebody. */
export interface WebRtcWatch {
  /** Answers the browser's offer. Where it wants addresses as they are found, the answer does not wait for them. */
  readonly open: (
    identity: Identity,
    stream: 'stream1' | 'stream2',
    offer: string,
    onCandidate?: (candidate: WebRtcCandidate) => void,
  ) => Promise<WebRtcOpened>;
  /** An offer of the server, for the same person to answer. */
  readonly offer: (identity: Identity, stream: 'stream1' | 'stream2') => Promise<WebRtcOpened>;
  /** False where this person has no such offer to answer. */
  readonly answer: (identity: Identity, session: string, answer: string) => Promise<boolean>;
  /** False where there is no such session. */
  readonly addCandidate: (session: string, line: number, candidate: string) => Promise<boolean>;
  readonly close: (session: string) => Promise<boolean>;
  /** The same by the name that others know. */
  readonly end: (viewer: string) => Promise<boolean>;
  /** Gives a viewer the other stream, from its next keyframe on. Rejects where that cannot be; it then keeps its own. */
  readonly move: (viewer: string, to: 'stream1' | 'stream2') => Promise<void>;
  readonly list: () => readonly WebRtcWatcher[];
}

export type CameraName = 'primary' | 'secondary';

/** Cameras whose pictures are sent here over WebRTC, each by somebody. */
export interface PushedCameraDoor {
  /** Takes the place of whoever sent for this camera before. */
  readonly open: (identity: Identity, camera: CameraName, offer: string) => Promise<WebRtcOpened>;
  /** False where there is no such session. */
  readonly addCandidate: (session: string, line: number, candidate: string) => Promise<boolean>;
  readonly close: (session: string) => Promise<boolean>;
}

/** Whoever takes one picture after the other, over a connection of its own. */
export interface PictureReader {
  readonly protocol: 'mjpeg' | 'frames';
  readonly secure: boolean;
  onPicture(picture: Picture): void;
  /** Somebody else ended it: the right to watch is gone, or an administrator says so. */
  onEnd(): void;
  progress(): PictureProgress;
}

export interface PictureProgress {
  /** What has been sent so far. */
  readonly bytes: number;
  /** Of that, what has not arrived: it waits in this process or in the system, because it is not taken. */
  readonly backlogBytes: number;
  /** As the system measures it. */
  readonly rttMs?: number;
  /** Pictures left out for want of time. */
  readonly framesDropped: number;
}

export interface PictureWatcher extends PictureProgress {
  readonly id: string;
  readonly protocol: PictureReader['protocol'];
  readonly user: string;
  readonly address: string;
  readonly stream: string;
  readonly secure: boolean;
  readonly since: number;
  /** bit/s, over the last seconds. */
  readonly bitrate: number;
  /** How late what waits makes what is sent now. */
  readonly delayMs?: number;
}

/** Pictures one by one. Each variant is made once, for all who want it and only while somebody does. */
export interface Pictures {
  /** Until the function that it gives is called. */
  readonly watch: (identity: Identity, variant: PictureVariant, reader: PictureReader) => () => void;
  /** One that is captured from now on; fails with CAMERA_NOT_CONNECTED where the camera gives none in time. */
  readonly one: (variant: PictureVariant) => Promise<Picture>;
  /** Whether the camera gives pictures, as far as is known. */
  readonly hasSignal: () => boolean;
  readonly list: () => readonly PictureWatcher[];
  /** False where there is no such watcher. */
  readonly end: (id: string) => boolean;
  readonly endAll: () => void;
}

export interface PhotoWish {
  readonly format: 'jpeg' | 'webp';
  /** 1 to 100. */
  readonly quality: number;
  /** At most; otherwise that of the camera. */
  readonly width?: number | undefined;
  readonly addTimestamp?: boolean | undefined;
  /** Of the file; without it the time makes one. */
  readonly name?: string | undefined;
}

export interface TakenPhoto {
  readonly photo: Photo;
  readonly picture: Picture;
}

/** Photos: pictures at one moment, which may be kept. */
export interface Photos {
  /** Without keeping it. */
  readonly look: (wish: PhotoWish) => Promise<Picture>;
  readonly take: (wish: PhotoWish & { readonly reason: string }) => Promise<TakenPhoto>;
  /** The newest first. */
  readonly find: (query: PhotoQuery) => readonly Photo[];
  readonly totals: () => { readonly count: number; readonly bytes: number };
  /** The file, or all in this folder, has been deleted. */
  readonly forget: (key: string) => void;
}

export type StatisticsPoint = ValueOf<AppRegistry['statistics']>;

/** What is kept of one second. */
export interface KeptSecond {
  readonly point: StatisticsPoint;
  readonly load: ValueOf<AppRegistry['processLoad']>;
}

/** What the adaptive loop decided at some time, from when to when it went on with it, and why. Times are since 1970. */
export interface AdaptiveDecision {
  readonly id: number;
  /** `bitrate`: the target went up or down; `picture`: its size or frame rate was limited or freed; `viewer`: somebody
   *  was moved to this stream. */
  readonly kind: 'bitrate' | 'picture' | 'viewer';
  readonly stream: string;
  readonly at: number;
  readonly until: number;
  /** bit/s */
  readonly from?: number;
  readonly to?: number;
  readonly cause?: string;
  readonly reason: string;
  readonly viewer?: string;
  readonly height?: number | null;
  readonly framerate?: number | null;
}
/** Somebody who watches, over whichever protocol. */
export interface Viewer {
  readonly id: string;
  readonly protocol: 'rtsp' | 'webrtc' | PictureReader['protocol'];
  /** stream1, stream2, rendition, pictures or other. */
  readonly stream: string;
  readonly user: string;
  readonly address: string;
  readonly since: number;
  readonly bytes: number;
  /** Pictures of its stream that were left out for this viewer because its way is too narrow. */
  readonly framesDropped?: number;
  readonly report?: ReceiverReport;
}

/** One of the things that must hold. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Why not. */
  readonly reason?: string;
}

export interface HookDelivery {
  readonly event: string;
  readonly result: 'delivered' | 'failed' | 'dropped';
}

/** Those who are told by HTTP what happens. */
export interface Webhooks {
  readonly deliveries$: Observable<HookDelivery>;
  /** Sends a test at once, once. Says what is the matter where it did not arrive; fails where there is no such hook. */
  readonly test: (name: string) => Promise<string | undefined>;
}

/** What the faces may know and ask of the video side. */
export interface Media {
  readonly webrtc: WebRtcWatch;
  readonly pushed: PushedCameraDoor;
  readonly pictures: Pictures;
  readonly report: () => Omit<Beat, 'kind'> & { readonly state: MediaState };
  /** Each of the last seconds, the oldest first. */
  readonly history: () => readonly KeptSecond[];
  /** What the adaptive loop decided in the same time, the oldest first. */
  readonly decisions: () => readonly AdaptiveDecision[];
  readonly viewers: () => readonly Viewer[];
  /** Twice a second while the media process runs, and when it has ended. */
  readonly beats$: Observable<Omit<Beat, 'kind'>>;
  readonly rebuilds$: Observable<Rebuild>;
  /** False where there is no such client. */
  readonly kick: (client: number) => Promise<boolean>;
  /** Undefined while the pipeline does not run. */
  readonly graph: (pipeline: string) => Promise<PipelineGraph | undefined>;
}

export interface Services {
  /** Undefined on a server that does without video. */
  readonly media: Media | undefined;
  /** Undefined where no photos can be taken or kept. */
  readonly photos: Photos | undefined;
  /** The files that people may see. */
  readonly places: Places;
  readonly thumbnails: Thumbnails;
  /** Where the built web page lies; it may be empty. */
  readonly pageFolder: string;
  readonly store: AppStore;
  readonly journal: Pick<Journal, 'search' | 'onAudit' | 'note'>;
  readonly accounts: Accounts;
  readonly setup: Setup;
  readonly sync: Sync;
  readonly presets: Presets;
  readonly history: History;
  readonly drags: Pick<Drags, 'submit' | 'leave'>;
  readonly locks: Locks;
  readonly trials: Trials;
  readonly log: Logger;
  readonly version: string;
  readonly startedAt: number;
  readonly limits: ConnectionLimits;
  readonly certificate: () => Certificate;
  /** Validates, stores and serves another certificate. */
  readonly replaceCertificate: (cert: string, key: string) => Promise<Certificate>;
  /** The same with one that is made here. */
  readonly renewCertificate: () => Promise<Certificate>;
  /** Where the web server answers, as people would type it. */
  readonly webAddresses: () => readonly string[];
  /** What must hold for the server to be of use; each with the reason where it does not. */
  readonly readiness: () => readonly Check[];
  readonly webhooks: Webhooks;
  /** The newest lines of the log. */
  readonly recentLog: LogMemory;
}
