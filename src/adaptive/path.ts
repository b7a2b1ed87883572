// What is known of the way to one viewer, from whatever it lets us know. Of several kinds of news the most telling counts;
// what the viewer itself thinks (REMB) is a limit on top.
import { unknownPath, within, type Estimator, type PathContext, type PathEstimate } from './estimate.js';
import { reportEstimator, type ReportState } from './report.js';
import type { EstimateSample, PathSample } from './samples.js';
import { socketEstimator, type SocketState } from './socket.js';
import { transportEstimator } from './transport.js';
import type { TransportState } from './transportState.js';
import { inMegabits } from './words.js';

const claimKeptMs = 5000;
/** Whoever lets us know nothing for so long never will. */
const patienceMs = 5000;

export interface PathState {
  readonly estimate: PathEstimate;
  readonly since: number;
  readonly transport?: TransportState;
  readonly socket?: SocketState;
  readonly report?: ReportState;
  readonly claim?: EstimateSample;
}

export const pathEstimator: Estimator<PathSample, PathState> = {
  begin: (context) => ({ estimate: unknownPath(context), since: context.at }),
  step: (state, samples, context) => {
    const transport = advance(transportEstimator, state.transport, ofKind(samples, 'transport'), context);
    const socket = advance(socketEstimator, state.socket, ofKind(samples, 'socket'), context);
    const report = advance(reportEstimator, state.report, ofKind(samples, 'report'), context);
    const claim = newestClaim(state.claim, ofKind(samples, 'estimate'), context.at);
    const best = [transport, socket, report].find(
      (known) => known?.estimate.heard === true && known.estimate.state !== 'silent',
    );
    const silent = [transport, socket, report].find((known) => known?.estimate.heard === true);
    const known = best?.estimate ?? silent?.estimate ?? unheard(state, context);
    return {
      since: state.since,
      estimate: claim === undefined ? known : limited(known, claim, best !== undefined, context),
      ...(transport === undefined ? {} : { transport }),
      ...(socket === undefined ? {} : { socket }),
      ...(report === undefined ? {} : { report }),
      ...(claim === undefined ? {} : { claim }),
    };
  },
  lift: (state, target) => ({
    ...state,
    estimate: { ...state.estimate, target: Math.max(state.estimate.target, target) },
    ...(state.transport === undefined ? {} : { transport: transportEstimator.lift(state.transport, target) }),
    ...(state.socket === undefined ? {} : { socket: socketEstimator.lift(state.socket, target) }),
    ...(state.report === undefined ? {} : { report: reportEstimator.lift(state.report, target) }),
  }),
};

function ofKind<K extends PathSample['kind']>(
  samples: readonly PathSample[],
  kind: K,
): readonly Extract<PathSample, { kind: K }>[] {
  return samples.filter((sample): sample is Extract<PathSample, { kind: K }> => sample.kind === kind);
}

/** An estimator begins with the first news of its kind. */
function advance<Sample extends PathSample, State extends { readonly estimate: PathEstimate }>(
  estimator: Estimator<Sample, State>,
  state: State | undefined,
  samples: readonly Sample[],
  context: PathContext,
): State | undefined {
  if (state === undefined && samples.length === 0) return undefined;
  return estimator.step(state ?? estimator.begin(context), samples, context);
}

function newestClaim(
  before: EstimateSample | undefined,
  claims: readonly EstimateSample[],
  at: number,
): EstimateSample | undefined {
  const newest = [...(before === undefined ? [] : [before]), ...claims]
    .filter(
      (claim) => Number.isFinite(claim.bps) && claim.bps > 0 && claim.at <= at && claim.at > at - claimKeptMs,
    )
    .reduce<EstimateSample | undefined>(
      (latest, claim) => (latest === undefined || claim.at >= latest.at ? claim : latest),
      undefined,
    );
  return newest;
}

function unheard(state: PathState, context: PathContext): PathEstimate {
  const unknown = { ...unknownPath(context), heard: state.estimate.heard };
  if (context.at - state.since < patienceMs) return unknown;
  return { ...unknown, state: 'silent', reason: 'this viewer lets nothing be known of the way to it' };
}

function limited(
  known: PathEstimate,
  { bps }: EstimateSample,
  otherwiseKnown: boolean,
  context: PathContext,
): PathEstimate {
  if (otherwiseKnown && bps >= known.target) return known;
  const reason = `the viewer's own estimate is ${inMegabits(bps)}`;
  return {
    ...{ ...known, target: within(bps, context), state: 'holding', reason, cause: 'claim' },
    ...{ availableBps: bps, heard: true },
  };
}
