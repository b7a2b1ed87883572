// The loop: from what is learnt of the ways to the viewers to what the encoders are told. Each step is a pure function of
// the state before and the input.
import { map, scan, type OperatorFunction } from 'rxjs';
import { aggregateNetwork } from './aggregate.js';
import { boundsOf, flowOf, type Bounds } from './bounds.js';
import type {
  LoopInput,
  LoopOutput,
  StreamDecision,
  StreamId,
  StreamWish,
  ViewerDecision,
} from './decisions.js';
import type { PathContext } from './estimate.js';
import { climb, fullRung, topOfLadder, type LadderState } from './ladder.js';
import { pathEstimator, type PathState } from './path.js';
import {
  applyPolicy,
  isKnown,
  noPolicy,
  type PolicyOutput,
  type PolicyState,
  type Watcher,
} from './policy.js';
import { rotoclear, rotoclearLossLimit, type RotoclearState } from './rotoclear.js';
import type { PathSample } from './samples.js';
import { inMegabits, inPercent } from './words.js';

const streamIds = ['stream1', 'stream2'] as const;
/** A stream that gives less than this sends nothing worth an answer. */
const idleBps = 5000;
/** Where there is no wish for a stream that somebody watches. */
const noBounds: Bounds = { floor: 300_000, ceiling: 300_000 };

interface LoopState {
  readonly output: LoopOutput;
  readonly paths: ReadonlyMap<string, PathState>;
  readonly policy: PolicyState;
  readonly rotoclear?: RotoclearState;
  readonly ladders: Readonly<Partial<Record<StreamId, LadderState>>>;
}

const begin: LoopState = {
  output: { at: 0, streams: {}, viewers: {}, moves: [] },
  paths: new Map(),
  policy: noPolicy,
  ladders: {},
};

export function adaptiveLoop(): OperatorFunction<LoopInput, LoopOutput> {
  return (inputs) =>
    inputs.pipe(
      scan(step, begin),
      map(({ output }) => output),
    );
}

function step(before: LoopState, input: LoopInput): LoopState {
  const paths = lookAtPaths(before, input);
  const watchers = input.viewers.flatMap((viewer): readonly Watcher[] => {
    const path = paths.get(viewer.id);
    return path === undefined ? [] : [{ ...viewer, estimate: path.estimate }];
  });
  switch (input.settings.mode) {
    case 'off':
      return stepOff(before, input, paths, watchers);
    case 'rotoclear':
      return stepRotoclear(before, input, paths, watchers);
    case 'auto':
      return stepAuto(before, input, paths, watchers);
  }
}

function lookAtPaths(before: LoopState, input: LoopInput): ReadonlyMap<string, PathState> {
  const samples = new Map<string, PathSample[]>(input.viewers.map(({ id }) => [id, []]));
  for (const sample of input.samples) samples.get(sample.viewer)?.push(sample);
  return new Map(
    input.viewers.map(({ id, stream }) => {
      const context = contextOf(before, input, stream);
      const path = before.paths.get(id) ?? pathEstimator.begin(context);
      return [id, pathEstimator.step(path, samples.get(id) ?? [], context)];
    }),
  );
}

function contextOf(
  { output }: LoopState,
  { at, settings, streams }: LoopInput,
  stream: StreamId,
): PathContext {
  const wish = streams[stream];
  const { floor, ceiling } = wish === undefined ? noBounds : boundsOf(stream, wish, settings);
  return {
    at,
    // A way may be narrower than a stream that cannot be made to fit.
    floor: Math.min(floor, settings.min),
    ceiling: Math.max(ceiling, settings.max),
    start: output.streams[stream]?.target ?? ceiling,
    idle: (wish?.encodedBps ?? Infinity) < idleBps,
  };
}

/** Outside of mode auto nobody is moved, and whoever was moved before comes back. */
function bringBack(before: LoopState, input: LoopInput, watchers: readonly Watcher[]): PolicyOutput {
  return applyPolicy(before.policy, {
    at: input.at,
    policy: 'worst',
    wishes: input.streams,
    bounds: {},
    viewers: watchers,
  });
}

function stepOff(
  before: LoopState,
  input: LoopInput,
  paths: ReadonlyMap<string, PathState>,
  watchers: readonly Watcher[],
): LoopState {
  const { state: policy, moves } = bringBack(before, input, watchers);
  const streams = forStreams(input, (_id, { bitrate }) => ({
    target: bitrate,
    reason: 'the bitrate is kept as it is set',
    cause: 'wish',
    rung: fullRung,
  }));
  return { ...begin, paths, policy, output: { at: input.at, streams, viewers: tellOf(watchers), moves } };
}

/** The reference knows one stream only; the second one is left as it is set. */
function stepRotoclear(
  before: LoopState,
  input: LoopInput,
  paths: ReadonlyMap<string, PathState>,
  watchers: readonly Watcher[],
): LoopState {
  const { at, settings } = input;
  const { state: policy, moves } = bringBack(before, input, watchers);
  const watching = watchers.filter(({ stream, estimate }) => stream === 'stream1' && isKnown(estimate));
  const network = aggregateNetwork(Object.values(tellOf(watching)), settings.policy);
  const wish = input.streams.stream1?.bitrate;
  const law =
    wish === undefined
      ? undefined
      : rotoclear(before.rotoclear, {
          ...{ at, wish, min: settings.min, max: settings.max },
          // Of nobody nothing is lost, which is no reason to raise anything.
          ...(watching.length === 0 ? { packetLoss: 0, availableBandwidth: 0 } : network),
        });
  const available = network.availableBandwidth === null ? 'unknown' : inMegabits(network.availableBandwidth);
  const streams = forStreams(input, (id, { bitrate }) => ({
    target: id === 'stream1' ? (law?.current ?? bitrate) : bitrate,
    reason:
      id === 'stream1' && watching.length === 0
        ? 'nothing is known of the way to any viewer'
        : id === 'stream1'
          ? `${inPercent(network.packetLoss)} loss, available: ${available}`
          : 'the bitrate is kept as it is set',
    cause:
      id !== 'stream1'
        ? 'wish'
        : watching.length === 0
          ? 'unknown'
          : network.packetLoss > rotoclearLossLimit
            ? 'loss'
            : 'growth',
    rung: fullRung,
  }));
  return {
    ...begin,
    paths,
    policy,
    ...(law === undefined ? {} : { rotoclear: law }),
    output: { at, streams, viewers: tellOf(watchers, new Set(watching.map(({ id }) => id))), moves },
  };
}

function stepAuto(
  before: LoopState,
  input: LoopInput,
  paths: ReadonlyMap<string, PathState>,
  watchers: readonly Watcher[],
): LoopState {
  const { at, settings } = input;
  const bounds = Object.fromEntries(
    streamIds.flatMap((id) => {
      const wish = input.streams[id];
      return wish === undefined ? [] : [[id, boundsOf(id, wish, settings)]];
    }),
  );
  const policy = applyPolicy(before.policy, {
    at,
    policy: settings.policy,
    wishes: input.streams,
    bounds,
    viewers: watchers,
  });
  const ladders = climbAll(before, input, policy);
  const streams = forStreams(input, (id, wish) => ({
    ...(wish.steerable === false
      ? asItIs(wish)
      : (policy.votes[id] ?? { target: wish.bitrate, reason: '', cause: 'unknown' })),
    rung: ladders[id]?.rung ?? fullRung,
  }));
  const viewers = tellOf(watchers, policy.voters);
  return {
    paths: lifted(paths, policy.lifts),
    policy: policy.state,
    ladders,
    output: { at, streams, viewers, moves: policy.moves },
  };
}

function asItIs(wish: StreamWish): Omit<StreamDecision, 'rung'> {
  return { target: flowOf(wish), reason: 'its bitrate cannot be changed here', cause: 'wish' };
}

function lifted(
  paths: ReadonlyMap<string, PathState>,
  lifts: ReadonlyMap<string, number>,
): ReadonlyMap<string, PathState> {
  if (lifts.size === 0) return paths;
  return new Map(
    [...paths].map(([id, path]) => {
      const target = lifts.get(id);
      return [id, target === undefined ? path : pathEstimator.lift(path, target)];
    }),
  );
}

function climbAll(before: LoopState, input: LoopInput, { votes }: PolicyOutput): LoopState['ladders'] {
  const { at, settings, viewers } = input;
  if (!settings.ladder) return {};
  return Object.fromEntries(
    streamIds.flatMap((id) => {
      const wish = input.streams[id];
      const target = votes[id]?.target;
      if (wish === undefined || wish.steerable === false || target === undefined) return [];
      const watching = viewers.filter(({ stream }) => stream === id);
      const resizes = watching.every(({ movable }) => movable);
      // A person who asks for few bits asks for the picture with them.
      const full = watching.length === 0 || target >= wish.bitrate;
      const ladder = before.ladders[id] ?? topOfLadder;
      return [[id, climb(ladder, { at, target: full ? Infinity : target, wish, resizes })]];
    }),
  );
}

function forStreams(
  { streams }: LoopInput,
  decide: (id: StreamId, wish: StreamWish) => StreamDecision,
): LoopOutput['streams'] {
  return Object.fromEntries(
    streamIds.flatMap((id) => {
      const wish = streams[id];
      return wish === undefined ? [] : [[id, decide(id, wish)]];
    }),
  );
}

function tellOf(
  watchers: readonly Watcher[],
  voters: ReadonlySet<string> = new Set(),
): Readonly<Record<string, ViewerDecision>> {
  return Object.fromEntries(
    watchers.map(({ id, estimate: { narrowAt: _narrowAt, heard: _heard, cause: _cause, ...told } }) => [
      id,
      { ...told, target: Math.round(told.target), votes: voters.has(id) },
    ]),
  );
}
