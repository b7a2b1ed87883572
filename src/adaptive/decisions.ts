// What the adaptive loop is told and what it says. It knows nothing of where this comes from or goes to.
import type { PathSample } from './samples.js';

export type StreamId = 'stream1' | 'stream2';

/** Whoever watches, at the moment of a step. */
export interface Viewer {
  readonly id: string;
  readonly stream: StreamId;
  /** The one that was asked for; a viewer on another was moved there. */
  readonly wished: StreamId;
  /** Whether the server may give it the other stream. */
  readonly movable: boolean;
}

/** What people ask of a stream: the ceilings. */
export interface StreamWish {
  /** bit/s */
  readonly bitrate: number;
  readonly width: number;
  readonly height: number;
  readonly framerate: number;
  /** What the encoder gives now, where it is known; less than asked for where the picture stands still. */
  readonly encodedBps?: number;
  /** False where its bitrate cannot be changed here: the camera encodes it, or the codec knows none. */
  readonly steerable?: boolean;
}

export interface AdaptiveSettings {
  readonly mode: 'off' | 'rotoclear' | 'auto';
  readonly min: number;
  readonly max: number;
  readonly policy: 'worst' | 'percentile' | 'majority';
  readonly ladder: boolean;
}

/** One step: everything that has come since the last one. Steps come about every 100 ms, whatever has come. */
export interface LoopInput {
  readonly at: number;
  readonly settings: AdaptiveSettings;
  /** Those that exist; where it does not, nobody can be moved there. */
  readonly streams: Readonly<Partial<Record<StreamId, StreamWish>>>;
  readonly viewers: readonly Viewer[];
  readonly samples: readonly PathSample[];
}

/** A limit below what people ask for; null leaves it to them. */
export interface Rung {
  readonly height: number | null;
  readonly framerate: number | null;
}

/**
 * Why, as a code: packets are lost, a queue stands, nothing is in the way of growth, there is as much as is wished, the
 * viewer itself asks for less, nothing is known, or nobody watches.
 */
export type Cause = 'loss' | 'queue' | 'growth' | 'wish' | 'claim' | 'unknown' | 'nobody';

export interface StreamDecision {
  /** bit/s for the encoder. */
  readonly target: number;
  readonly cause: Cause;
  /** In words for people. */
  readonly reason: string;
  /** Whose way sets the target, if anybody's. */
  readonly limitedBy?: string;
  readonly rung: Rung;
}

export interface ViewerDecision {
  /** bit/s that this viewer's way is thought to carry. */
  readonly target: number;
  readonly state: 'starting' | 'growing' | 'holding' | 'draining' | 'competing' | 'silent';
  readonly reason: string;
  /** Whether the stream follows this viewer. */
  readonly votes: boolean;
  /** Null where nothing is known of it. */
  readonly availableBps: number | null;
  readonly loss: number;
  readonly rttMs: number | null;
  readonly jitterMs: number | null;
  /** That stands on the way, or here. */
  readonly queueMs: number | null;
}

export interface LoopOutput {
  readonly at: number;
  readonly streams: Readonly<Partial<Record<StreamId, StreamDecision>>>;
  readonly viewers: Readonly<Record<string, ViewerDecision>>;
  /** Moves that are due now; each is told once. */
  readonly moves: readonly { readonly viewer: string; readonly to: StreamId; readonly reason: string }[];
}
