// What the state process and the media process say to each other. Everything is plain JSON.
import type { PathSample } from '../adaptive/samples.js';
import type { MediaPlan } from '../pipelines/plan.js';
import type { Machine } from '../pipelines/machine.js';
import type { MediaSettings, Problem, VideoDevice } from '../pipelines/settings.js';
import type { ProcessTimes } from '../system/readings.js';

export type { PictureVariant } from '../pipelines/pictures.js';
export type { Picture } from './pictureFrames.js';

/** Who may fetch streams over RTSP, as the media process needs it: nothing that a password could be read from. */
export interface RtspAccess {
  readonly realm: string;
  readonly anonymous: boolean;
  /** HA1 of Digest by account. */
  readonly accounts: Readonly<Record<string, string>>;
  readonly tokens: Readonly<
    Record<string, { readonly user: string; readonly hash: string; readonly expires: number }>
  >;
  /** Account by the SHA-256 of the token of a session. */
  readonly sessions: Readonly<Record<string, string>>;
}

export interface RtspPorts {
  readonly address: string;
  /** Null where it is switched off. */
  readonly port: number | null;
  readonly securePort: number | null;
  /** How many may play at once. */
  readonly maxSessions: number;
  readonly multicast: {
    readonly address: string;
    readonly port: number;
    readonly ttl: number;
    readonly interface: string;
  } | null;
  readonly certificate: string;
  readonly key: string;
}

export interface WebRtcOrder {
  /** The browser's offer; null where the server is to offer. */
  readonly sdp: string | null;
  /** Whether the browser is told of further addresses as they are found; otherwise it waits for all of them. */
  readonly trickle: boolean;
  /** The channel that is played, or filled. */
  readonly stream: string;
  /** The browser is the camera. */
  readonly receives: boolean;
  /** Of the H.264 that is sent. */
  readonly profile: string;
  readonly stunServer: string;
  readonly turnServers: readonly string[];
}

/** An address at which one side may be reached. */
export interface WebRtcCandidate {
  readonly session: string;
  readonly line: number;
  readonly candidate: string;
}

export interface WebRtcOpened {
  readonly session: string;
  /** By which others know it, who are not to know its name. */
  readonly viewer: string;
  /** The answer, or the offer. */
  readonly sdp: string;
}

/** Bit rates below what the plan asks for, by channel; null where the plan's holds again. */
export type Steering = Readonly<Record<string, number | null>>;

export interface Orders {
  readonly 'webrtc-open': WebRtcOrder;
  readonly 'webrtc-answer': { readonly session: string; readonly sdp: string };
  readonly 'webrtc-candidate': WebRtcCandidate;
  readonly 'webrtc-close': { readonly session: string };
  /** From its next keyframe on the session gets another channel. */
  readonly 'webrtc-move': { readonly session: string; readonly stream: string };
  readonly steer: Steering;
  readonly plan: MediaPlan;
  readonly rtsp: RtspPorts;
  readonly access: RtspAccess;
  /**
   * bit/s into which whole pictures are left out of what a client gets over UDP, or null for every picture; answers
   * whether there is such a client.
   */
  readonly 'rtsp-limit': { readonly client: number; readonly bps: number | null };
  readonly kick: { readonly client: number };
  readonly graph: { readonly pipeline: string };
}
export type OrderKind = keyof Orders;

export type ToMedia = {
  readonly [K in OrderKind]: { readonly kind: K; readonly id: number; readonly order: Orders[K] };
}[OrderKind];

export interface PipelineReport {
  readonly name: string;
  readonly text: string;
  readonly state: 'idle' | 'starting' | 'running' | 'failed';
  readonly since: number;
  readonly restarts: number;
  /** The source that it takes encoded video from. */
  readonly from?: string;
  /** What its encoder is told, in bit/s; those without cannot be steered, because they pass on what they get. */
  readonly encoderBitrate?: number;
  readonly reason?: string;
  readonly problem?: Problem;
  /** What its device does not do of what settings ask of it. */
  readonly refusals?: readonly Refusal[];
}

/** Why a pipeline was made anew: settings or the source of a camera were changed, or it had failed. */
export type RebuildReason = 'settings' | 'source' | 'failure';

export interface Rebuild {
  readonly pipeline: string;
  readonly reason: RebuildReason;
  /** Until the new one had its first picture; nothing is known of that where it failed. */
  readonly ms?: number;
}

export interface Refusal {
  readonly setting: keyof MediaSettings;
  readonly reason: string;
}

/** A pipeline that runs, with the bins in it flattened. */
export interface PipelineGraph {
  /** The same in the language of DOT, as GStreamer itself writes it. */
  readonly dot: string;
  readonly elements: readonly GraphElement[];
  readonly links: readonly GraphLink[];
}

export interface GraphElement {
  readonly name: string;
  readonly factory: string;
  readonly state: string;
  /** The bin it stands in, as a path of names; empty directly in the pipeline. */
  readonly group: string;
  /** Those that differ from their default. */
  readonly properties: Readonly<Record<string, string>>;
}

/** Elements by their index. */
export interface GraphLink {
  readonly from: number;
  readonly to: number;
  readonly fromPad: string;
  readonly toPad: string;
  /** Empty before they are settled. */
  readonly caps: string;
}

/** What the hub counts. */
export interface ChannelFigures {
  readonly producing: boolean;
  readonly consumers: number;
  readonly frames: number;
  readonly bytes: number;
  readonly keyframes: number;
  readonly dropped: number;
  readonly changes: number;
  readonly ageMs: number;
  readonly caps: string;
}

export interface ChannelReport extends ChannelFigures {
  /** Over the last seconds, in bit/s. */
  readonly bitrate: number;
}

export interface ReceiverReport {
  readonly lossPercent: number;
  readonly lost: number;
  readonly jitterMs: number;
  readonly rttMs: number;
}

export interface RtspClientReport {
  readonly id: number;
  readonly since: number;
  readonly user: string;
  readonly path: string;
  readonly secure: boolean;
  readonly address?: string;
  readonly bytes?: number;
  /** bit/s, over the last three seconds. */
  readonly bitrate?: number;
  /** What the player said last of how the stream reaches it. */
  readonly report?: ReceiverReport;
  /** What the player itself thinks that its way carries, in bit/s. */
  readonly estimateBps?: number;
  /** How often the player has asked for packets again, and for a keyframe in either of two ways. */
  readonly nacks?: number;
  readonly plis?: number;
  readonly firs?: number;
  /** Over TCP: what is kept here and in the system because the player does not take it. */
  readonly backlogBytes?: number;
  /** How late that makes what is sent now. */
  readonly delayMs?: number;
  /** Pictures that this player has missed because it was too slow. */
  readonly framesDropped?: number;
  readonly transport: string;
}

export interface WebRtcReport {
  /** Known to its browser alone. */
  readonly session: string;
  /** As samples name it. */
  readonly viewer: string;
  readonly since: number;
  /** The one that it gets now. */
  readonly stream: string;
  readonly state: string;
  /** Of payload, since it began. */
  readonly bytes?: number;
  /** Of payload over the last seconds, in bit/s. */
  readonly bitrate: number;
  readonly report?: ReceiverReport;
  /** How often the browser has asked for packets again, and for keyframes. */
  readonly nacks?: number;
  readonly plis?: number;
  readonly firs?: number;
  /** By the feedback on each packet over the last seconds, where the browser gives any. */
  readonly path?: { readonly lossPercent: number; readonly rttMs: number };
}

interface Spread {
  readonly median?: number;
  readonly worst?: number;
}

/** How well the pictures that were shown together belong together. */
export interface AlignmentReport {
  readonly pictures: number;
  /** Between the times at which they were taken. */
  readonly skewMs: Spread;
  /** Of the one that came first. */
  readonly waitedMs: Spread;
  /** Pictures of a camera that were shown more than once, and never, since the beginning. */
  readonly repeated: number;
  readonly dropped: number;
  /** From when the pictures of a camera were taken to when they were here. */
  readonly lagMs: { readonly primary: number; readonly secondary: number };
}

/** Sent all the time: its absence means that the process hangs. */
export interface Beat {
  readonly kind: 'beat';
  readonly pipelines: readonly PipelineReport[];
  readonly channels: Readonly<Record<string, ChannelReport>>;
  readonly clients: readonly RtspClientReport[];
  readonly webrtc: readonly WebRtcReport[];
  /** While two cameras are shown in one picture. */
  readonly alignment?: AlignmentReport;
  /** Where the RTSP server listens, as far as it could. */
  readonly rtsp?: Pick<RtspPorts, 'port' | 'securePort'>;
  /** How long the loop of GLib takes to answer; much more than nothing means that it hangs. */
  readonly loopLagMs?: number;
  /** What the media process has used of the processors since its start. */
  readonly processor?: ProcessTimes;
}

export type FromMedia =
  | { readonly kind: 'ready'; readonly machine: Machine; readonly version: string }
  | { readonly kind: 'done'; readonly id: number; readonly result?: unknown }
  /** The cameras that are plugged in now. */
  | { readonly kind: 'devices'; readonly devices: readonly VideoDevice[] }
  /** `unsupported`: trying again makes no sense. */
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string; readonly unsupported: boolean }
  | { readonly kind: 'webrtc-closed'; readonly session: string }
  /** Whether anybody wants this rendition, by the name of its channel. */
  | { readonly kind: 'rendition'; readonly channel: string; readonly wanted: boolean }
  | ({ readonly kind: 'webrtc-candidate' } & WebRtcCandidate)
  /** What was learnt of the ways to the viewers, ten times a second while there is anything; `at` is on their clock. */
  | { readonly kind: 'samples'; readonly at: number; readonly samples: readonly PathSample[] }
  /** `category`: that of GStreamer, where it is GStreamer that warns. */
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn';
      readonly message: string;
      readonly category?: string;
    }
  | ({ readonly kind: 'rebuilt' } & Rebuild)
  | Beat;
