// What is thought of the way to one viewer, and the shape that all estimators have.
import { scan, type OperatorFunction, map } from 'rxjs';
import type { Cause, ViewerDecision } from './decisions.js';
import type { PathSample } from './samples.js';

export interface PathEstimate extends Omit<ViewerDecision, 'votes'> {
  /** What the reason says. */
  readonly cause: Cause;
  /** When the way was last found to be too narrow for what was sent; null for never. */
  readonly narrowAt: number | null;
  /** Whether anything was ever heard. */
  readonly heard: boolean;
}

export interface PathContext {
  readonly at: number;
  /** bit/s, between which the estimate stays. */
  readonly floor: number;
  readonly ceiling: number;
  /** What is sent when nothing is known of the way yet. */
  readonly start: number;
  /** Nothing is sent, so that silence means nothing. */
  readonly idle: boolean;
}

/** Time comes in with the context, so that the same input gives the same output. */
export interface Estimator<Sample extends PathSample, State extends { readonly estimate: PathEstimate }> {
  readonly begin: (context: PathContext) => State;
  readonly step: (state: State, samples: readonly Sample[], context: PathContext) => State;
  /** The viewer is about to get more than was thought possible, on trial. */
  readonly lift: (state: State, target: number) => State;
}

/** An estimator as an operator, for a way that is looked at by itself. */
export function estimating<Sample extends PathSample, State extends { readonly estimate: PathEstimate }>(
  estimator: Estimator<Sample, State>,
): OperatorFunction<{ readonly context: PathContext; readonly samples: readonly Sample[] }, PathEstimate> {
  return (steps) =>
    steps.pipe(
      scan<{ readonly context: PathContext; readonly samples: readonly Sample[] }, State, undefined>(
        (state, { context, samples }) => estimator.step(state ?? estimator.begin(context), samples, context),
        undefined,
      ),
      map(({ estimate }) => estimate),
    );
}

export function unknownPath(context: PathContext): PathEstimate {
  return {
    target: within(context.start, context),
    state: 'starting',
    reason: 'nothing is known of the way yet',
    cause: 'unknown',
    availableBps: null,
    loss: 0,
    rttMs: null,
    jitterMs: null,
    queueMs: null,
    narrowAt: null,
    heard: false,
  };
}

export function within(target: number, { floor, ceiling }: PathContext): number {
  return Math.min(ceiling, Math.max(floor, target));
}

/** At least so much is given from now on. */
export function lifted<State extends { readonly target: number; readonly estimate: PathEstimate }>(
  state: State,
  target: number,
): State {
  const { estimate } = state;
  return {
    ...state,
    target: Math.max(state.target, target),
    estimate: { ...estimate, target: Math.max(estimate.target, target) },
  };
}

/** Whether a sample can be true: of figures that can be, neither from the future nor older than what is known. */
export function isPossible(
  { at, figures }: { readonly at: number; readonly figures: readonly number[] },
  after: number | null,
  context: PathContext,
): boolean {
  return (
    [at, ...figures].every((value) => Number.isFinite(value) && value >= 0) &&
    at <= context.at &&
    (after === null || at > after)
  );
}
