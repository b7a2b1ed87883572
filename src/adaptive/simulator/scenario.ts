// What a simulation is of.
import type { AdaptiveSettings, LoopInput, LoopOutput, StreamId, StreamWish } from '../decisions.js';
import type { EncoderSpec } from './encoder.js';
import type { ReportSpec } from './feedback.js';
import type { LinkSpec } from './link.js';

export type FeedbackSpec =
  | {
      readonly kind: 'transport';
      readonly everyMs: number;
      /** Share of the feedback that never comes. */
      readonly loss?: number;
      /** On top of the way back, by second. */
      readonly delayMs?: (second: number) => number;
    }
  | ({ readonly kind: 'report' } & ReportSpec)
  | { readonly kind: 'socket' };

export interface ViewerSpec {
  readonly id: string;
  /** Which of the links. */
  readonly link: number;
  readonly feedback: FeedbackSpec;
  readonly wished: StreamId;
  readonly movable: boolean;
  /** Seconds. */
  readonly from?: number;
  readonly until?: number;
  readonly paused?: readonly [from: number, until: number];
}

export interface StreamSpec {
  readonly wish: StreamWish;
  readonly encoder: EncoderSpec;
}

export interface Scenario {
  readonly name: string;
  readonly seconds: number;
  readonly seed: number;
  readonly settings: AdaptiveSettings;
  readonly streams: Readonly<Partial<Record<StreamId, StreamSpec>>>;
  /** bit/s that the main stream begins with. */
  readonly start: number;
  readonly links: readonly LinkSpec[];
  readonly viewers: readonly ViewerSpec[];
  readonly competitors?: readonly {
    readonly link: number;
    readonly from: number;
    readonly until: number;
    readonly bytes?: number;
  }[];
}

/** Something that says a target at every step; made anew for each run. */
export interface Controller {
  readonly name: string;
  readonly start: () => (input: LoopInput) => LoopOutput;
  /** What it changes in the settings of the scenario. */
  readonly settings?: Partial<AdaptiveSettings>;
}
