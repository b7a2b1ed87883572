// GStreamer as this process sees it: pipelines run by gstreamer-superficial, everything else by our own addon.
import { createRequire } from 'node:module';
import type { Problem } from '../pipelines/settings.js';

export interface TappedPicture {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  /** Counts all pictures of the channel, also those that nobody took. */
  readonly sequence: number;
  /** Microseconds since 1970. */
  readonly capturedAt: number;
  /** Microseconds on the clock of `liveSince`. */
  readonly capturedTicks: number;
}

/** The addon in native/media. */
export interface MediaAddon {
  listen(onEvent: (json: string) => void): void;
  channels(): string;
  /** Of a channel that nobody reads from or writes to any more. */
  forgetChannel(channel: string): void;
  /** Microseconds on the clock of the pictures; undefined while a card stands in, or before there was a picture. */
  liveSince(channel: string): number | undefined;
  /** From now on there is an event `picture` whenever a picture waits where none did. */
  openTap(channel: string): void;
  closeTap(channel: string): void;
  /** The newest picture; undefined where none has come since the last time. */
  takeFromTap(channel: string): TappedPicture | undefined;
  setProperty(pipeline: string, element: string, property: string, value: string): boolean;
  /** An AlignmentReport as JSON, since the last time; empty where there is no such pipeline. */
  alignment(pipeline: string): string;
  /** A PipelineGraph as JSON; empty where there is no such pipeline. */
  graph(pipeline: string): string;
  release(pipeline: string): boolean;
  hasElement(element: string): boolean;
  parse(text: string): string | undefined;
  /** A VideoDevice without its links, as JSON; empty where the path takes no pictures. */
  videoDevice(path: string): Promise<string>;
  /** Of each what the device says against it, empty where it is done. */
  setControls(
    path: string,
    wishes: readonly { readonly id: number; readonly value: number }[],
  ): Promise<readonly string[]>;
  version(): string;
  rtspListen(address: string, port: number): void;
  rtspsListen(address: string, port: number, certificate: string, key: string): void;
  rtspLimit(sessions: number): void;
  rtspMulticast(offer: object | undefined): void;
  rtspMounts(mounts: readonly { readonly path: string; readonly launch: string }[]): void;
  rtspAccess(access: object): void;
  rtspClients(): string;
  /** PathSamples since the last time, as a JSON list; empty where there are none. */
  rtspSamples(): string;
  /** Milliseconds that the loop of the RTSP server takes to answer. */
  rtspLoopLag(): number;
  /** bit/s that a client gets over UDP, or null for everything; false where there is no such client. */
  rtspLimitClient(client: number, bps: number | null): boolean;
  rtspKick(client: number): boolean;
  webrtcOpen(offer: {
    readonly session: string;
    readonly sdp: string;
    readonly channel: string;
    readonly caps: string;
    readonly trickle: boolean;
    readonly receives: boolean;
    readonly stunServer: string;
    readonly turnServers: readonly string[];
  }): void;
  webrtcAnswer(session: string, sdp: string): boolean;
  webrtcCandidate(session: string, line: number, candidate: string): boolean;
  webrtcStatistics(session: string): string;
  /** What was learnt of the way to the browser since the last time: PathSamples as JSON, without viewer and time. */
  webrtcSamples(session: string): string;
  /** Milliseconds since the last report; negative before the first. */
  webrtcSilence(session: string): number;
  webrtcClose(session: string): boolean;
}

interface SuperficialPipeline {
  play(): void;
  stop(): void;
}

export interface GStreamer {
  readonly addon: MediaAddon;
  readonly Pipeline: new (text: string) => SuperficialPipeline;
}

/** Throws where this machine has no GStreamer or the addon was not built. */
export function loadGStreamer(): GStreamer {
  const require = createRequire(import.meta.url);
  const addon = require('../../native/build/Release/obscura_media.node') as MediaAddon;
  const { Pipeline } = require('gstreamer-superficial') as Pick<GStreamer, 'Pipeline'>;
  return { addon, Pipeline };
}

/** What the hub and the RTSP server tell. */
export type MediaEvent =
  | { readonly event: 'producing'; readonly channel: string; readonly pipeline: string }
  /** Nobody fills the channel any more. */
  | { readonly event: 'idle'; readonly channel: string }
  | { readonly event: 'picture'; readonly channel: string }
  /** A pipeline reads from this channel now, and no more from the one before. */
  | { readonly event: 'moved'; readonly pipeline: string; readonly channel: string }
  | { readonly event: 'demand'; readonly channel: string; readonly consumers: number }
  | {
      readonly event: 'error' | 'warning';
      readonly pipeline: string;
      readonly element: string;
      readonly message: string;
      readonly details: string;
      readonly problem: Problem;
    }
  | { readonly event: 'ended'; readonly pipeline: string }
  /** GStreamer's own warnings, few of each category. */
  | {
      readonly event: 'gst-log';
      readonly category: string;
      readonly element: string;
      readonly message: string;
      /** How many of this category were not told since the last one. */
      readonly withheld: number;
    }
  | { readonly event: 'rtsp-playing' | 'rtsp-closed'; readonly client: number }
  | { readonly event: 'rtsp-refused'; readonly address: string }
  | { readonly event: 'rtsp-withdrawn'; readonly clients: number }
  | {
      readonly event: 'webrtc';
      readonly session: string;
      readonly what: 'description' | 'failed' | 'state' | 'candidate' | 'closed';
      readonly details: Readonly<Record<string, unknown>>;
    };
