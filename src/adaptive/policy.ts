// Many viewers, one encoder. One viewer on a narrow way must not take the picture from the others: it is moved to the second
// stream, or does not count where it cannot be moved, and comes back on trial once its way seems to carry the first again.
import { clamp, type Bounds } from './bounds.js';
import type { AdaptiveSettings, Cause, LoopOutput, StreamId, StreamWish, Viewer } from './decisions.js';
import type { PathEstimate } from './estimate.js';
import { upperMedian } from './series.js';
import { inMegabits, inMilliseconds, inPercent } from './words.js';

/** Of what most viewers' ways carry; below it a viewer is left behind. */
const leftBehindBelow = 0.6;
/** What 1080p needs to look like anything. */
const comfortable1080p = 1_200_000;
const leaveAfterMs = 1000;
const leaveInTrialAfterMs = 400;
const atOnce = { loss: 0.1, queueMs: 300 } as const;
const wait = { first: 10_000, longest: 300_000 } as const;
const trialMs = 6000;
const trialForgottenMs = 30_000;
const needsForReturn = 1.05;
const keptOfCapacity = 0.9;
/** Of a stream that cannot be steered a way that carries a little less than its mean may still do. */
const fixedKept = 0.9;
const narrowRememberedMs = 10_000;
/** What a viewer must look like to come back where nothing tells what its way carries. */
const calm = { loss: 0.01, queueMs: 20, forMs: 15_000 } as const;
const sameCauseMs = 300;
const sameCauseHeldMs = 2000;
const sameCauseEveryMs = 10_000;
const moveRepeatedMs = 5000;

interface Member {
  /** Since when its way has been too narrow beside the others. */
  readonly behindSince: number | null;
  /** Since when it has not counted for the first stream. */
  readonly outSince: number | null;
  readonly waitMs: number;
  readonly trialSince: number | null;
  readonly calmSince: number | null;
  readonly move: { readonly to: StreamId; readonly at: number } | null;
}

export interface PolicyState {
  readonly members: ReadonlyMap<string, Member>;
  /** When several viewers last had trouble at once. */
  readonly sameCauseAt: number;
  readonly targets: Readonly<Partial<Record<StreamId, number>>>;
}

export const noPolicy: PolicyState = {
  members: new Map(),
  sameCauseAt: Number.NEGATIVE_INFINITY,
  targets: {},
};

export interface PolicyInput {
  readonly at: number;
  readonly policy: AdaptiveSettings['policy'];
  readonly wishes: Readonly<Partial<Record<StreamId, StreamWish>>>;
  readonly bounds: Readonly<Partial<Record<StreamId, Bounds>>>;
  readonly viewers: readonly Watcher[];
}

export interface Watcher extends Viewer {
  readonly estimate: PathEstimate;
}

export interface StreamVote {
  readonly target: number;
  readonly reason: string;
  readonly cause: Cause;
  readonly limitedBy?: string;
}

export interface PolicyOutput {
  readonly state: PolicyState;
  readonly votes: Readonly<Partial<Record<StreamId, StreamVote>>>;
  readonly voters: ReadonlySet<string>;
  readonly moves: LoopOutput['moves'];
  /** Viewers that are about to get more, and how much. */
  readonly lifts: ReadonlyMap<string, number>;
}

const newMember: Member = {
  behindSince: null,
  outSince: null,
  waitMs: wait.first,
  trialSince: null,
  calmSince: null,
  move: null,
};

export function applyPolicy(state: PolicyState, input: PolicyInput): PolicyOutput {
  const viewers = [...input.viewers].sort((a, b) => (a.id < b.id ? -1 : 1));
  const members = new Map(viewers.map((viewer) => [viewer.id, memberOf(state, viewer, input)]));
  const round = new Round(state, { ...input, viewers }, members);
  return round.run();
}

function memberOf(state: PolicyState, viewer: Viewer, { at, policy }: PolicyInput): Member {
  const known = state.members.get(viewer.id) ?? newMember;
  if (policy !== 'percentile') return { ...newMember, move: known.move };
  // Whoever is found where it did not want to be was moved before this loop began.
  const out = viewer.stream !== viewer.wished && known.outSince === null && known.trialSince === null;
  return out ? { ...known, outSince: at } : known;
}

/** One application of the policy; it gathers what comes of it. */
class Round {
  readonly #before: PolicyState;
  readonly #input: PolicyInput;
  readonly #members: Map<string, Member>;
  readonly #moves: { viewer: string; to: StreamId; reason: string }[] = [];
  readonly #lifts = new Map<string, number>();
  #sameCauseAt: number;

  constructor(before: PolicyState, input: PolicyInput, members: Map<string, Member>) {
    this.#before = before;
    this.#input = input;
    this.#members = members;
    this.#sameCauseAt = before.sameCauseAt;
  }

  run(): PolicyOutput {
    const { policy } = this.#input;
    if (policy === 'percentile') {
      this.#joinTheForsaken();
      this.#leaveBehind();
    } else this.#giveWhatWasWished();
    const votes: Partial<Record<StreamId, StreamVote>> = {};
    const voters = new Set<string>();
    for (const id of ['stream1', 'stream2'] as const) {
      const bounds = this.#input.bounds[id];
      if (bounds === undefined) continue;
      const voting = this.#votersOf(id);
      for (const viewer of voting) voters.add(viewer.id);
      votes[id] = this.#vote(id, voting, bounds);
    }
    if (policy === 'percentile') this.#takeBack(votes.stream1?.target ?? 0);
    return {
      state: {
        members: this.#members,
        sameCauseAt: this.#sameCauseAt,
        targets: Object.fromEntries(Object.entries(votes).map(([id, { target }]) => [id, target])),
      },
      votes,
      voters,
      moves: this.#moves,
      lifts: this.#lifts,
    };
  }

  #member(id: string): Member {
    return this.#members.get(id) ?? newMember;
  }

  #change(id: string, change: Partial<Member>): void {
    this.#members.set(id, { ...this.#member(id), ...change });
  }

  #votersOf(id: StreamId): readonly Watcher[] {
    return this.#input.viewers.filter(
      (viewer) =>
        viewer.stream === id &&
        isKnown(viewer.estimate) &&
        (id === 'stream2' || this.#member(viewer.id).outSince === null),
    );
  }

  /** What the ways of most viewers carry, as far as the stream could use it. */
  #usual(voters: readonly Watcher[]): number {
    const ceiling = this.#input.bounds.stream1?.ceiling ?? 0;
    return Math.min(ceiling, upperMedian(voters.map(({ estimate }) => this.#couldCarry(estimate))));
  }

  /** The estimate does not grow beyond what is sent; trains tell of more, and are believed of a way without trouble. */
  #couldCarry({ target, availableBps, narrowAt }: PathEstimate): number {
    const troubled = narrowAt !== null && this.#input.at - narrowAt < narrowRememberedMs;
    return troubled ? target : Math.max(target, keptOfCapacity * (availableBps ?? 0));
  }

  /** Beside nobody, whoever was left behind is everybody. */
  #joinTheForsaken(): void {
    if (this.#votersOf('stream1').length > 0) return;
    for (const { id, stream, estimate } of this.#input.viewers)
      if (stream === 'stream1' && isKnown(estimate) && this.#member(id).move === null)
        this.#change(id, { outSince: null, trialSince: null, calmSince: null, waitMs: wait.first });
  }

  #leaveBehind(): void {
    const { at, wishes, bounds } = this.#input;
    const voters = this.#votersOf('stream1');
    const usual = this.#usual(voters);
    const best = Math.max(...voters.map(({ estimate }) => estimate.target));
    const needed = comfortable(wishes.stream1, bounds.stream1);
    this.#lookForSameCause(voters);
    for (const { id, estimate, movable } of voters) {
      const { target, loss, queueMs } = estimate;
      // Where the encoder cannot follow, whoever cannot keep up is behind without any comparison.
      const overrun =
        movable && wishes.stream1?.steerable === false && target < fixedKept * (bounds.stream1?.floor ?? 0);
      const behind =
        overrun ||
        (target < best && (target < leftBehindBelow * usual || (target < needed && best >= needed)));
      const member = this.#member(id);
      const behindSince = behind ? (member.behindSince ?? at) : null;
      this.#change(id, { behindSince });
      if (behindSince === null || at - this.#sameCauseAt < sameCauseHeldMs) continue;
      const inTrial = member.trialSince !== null && at - member.trialSince < trialMs;
      const urgent = loss > atOnce.loss || (queueMs ?? 0) > atOnce.queueMs;
      if (!urgent && at - behindSince < (inTrial ? leaveInTrialAfterMs : leaveAfterMs)) continue;
      this.#change(id, {
        behindSince: null,
        outSince: at,
        trialSince: null,
        calmSince: null,
        waitMs: inTrial ? Math.min(wait.longest, member.waitMs * 2) : member.waitMs,
      });
      if (movable && bounds.stream2 !== undefined)
        this.#move(id, 'stream2', `viewer ${id} ${troubleOf(estimate).words}`);
    }
  }

  /** Where most viewers have trouble within a moment the reason is common, and moving them away helps nobody. */
  #lookForSameCause(voters: readonly Watcher[]): void {
    const { at } = this.#input;
    const troubled = voters.filter(
      ({ estimate: { narrowAt } }) => narrowAt !== null && at - narrowAt <= sameCauseMs,
    );
    const several = troubled.length >= 2 && troubled.length * 2 >= voters.length;
    if (several && at - this.#sameCauseAt > sameCauseEveryMs) this.#sameCauseAt = at;
  }

  #takeBack(voted: number): void {
    const { at, viewers, wishes, bounds } = this.#input;
    // To a stream that nobody watches one may come back with as little as makes it worth while: it will adapt.
    const isFree = !viewers.some(({ stream }) => stream === 'stream1') && wishes.stream1?.steerable !== false;
    const target = isFree
      ? Math.max(bounds.stream1?.floor ?? 0, comfortable(wishes.stream1, bounds.stream1))
      : voted;
    for (const viewer of viewers) {
      const member = this.#member(viewer.id);
      if (member.trialSince !== null && at - member.trialSince > trialForgottenMs && member.outSince === null)
        this.#change(viewer.id, { trialSince: null, waitMs: wait.first });
      if (member.outSince === null) {
        this.#repeatMove(viewer, member);
        continue;
      }
      const { estimate } = viewer;
      const isCalm = isKnown(estimate) && estimate.loss < calm.loss && (estimate.queueMs ?? 0) < calm.queueMs;
      const calmSince = isCalm ? (member.calmSince ?? at) : null;
      this.#change(viewer.id, { calmSince });
      if (at - member.outSince < member.waitMs || !this.#seemsFit(estimate, target, calmSince)) {
        this.#repeatMove(viewer, member);
        continue;
      }
      this.#change(viewer.id, { outSince: null, trialSince: at, behindSince: null });
      this.#lifts.set(viewer.id, target);
      if (viewer.stream !== viewer.wished)
        this.#move(
          viewer.id,
          viewer.wished,
          `the way to viewer ${viewer.id} seems to carry ${inMegabits(target)} again`,
        );
    }
  }

  #seemsFit(estimate: PathEstimate, target: number, calmSince: number | null): boolean {
    if (!isKnown(estimate)) return false;
    const needed = needsForReturn * target;
    if (estimate.target >= needed) return true;
    if (estimate.availableBps !== null) return this.#couldCarry(estimate) >= needed;
    return calmSince !== null && this.#input.at - calmSince >= calm.forMs;
  }

  #giveWhatWasWished(): void {
    for (const viewer of this.#input.viewers)
      if (viewer.stream !== viewer.wished && viewer.movable)
        this.#moveUnlessMoving(viewer, viewer.wished, 'every viewer gets the stream that it asked for');
  }

  /** A move that has not happened for long is asked for again. */
  #repeatMove(viewer: Watcher, { move, outSince }: Member): void {
    const belongs = outSince === null ? viewer.wished : 'stream2';
    if (move?.to === belongs && viewer.stream !== belongs && viewer.movable)
      this.#moveUnlessMoving(viewer, belongs, 'it has not been moved yet');
  }

  #moveUnlessMoving({ id }: Watcher, to: StreamId, reason: string): void {
    const { move } = this.#member(id);
    if (move?.to === to && this.#input.at - move.at < moveRepeatedMs) return;
    this.#move(id, to, reason);
  }

  #move(viewer: string, to: StreamId, reason: string): void {
    this.#change(viewer, { move: { to, at: this.#input.at } });
    this.#moves.push({ viewer, to, reason });
  }

  #vote(id: StreamId, voters: readonly Watcher[], bounds: Bounds): StreamVote {
    const { policy } = this.#input;
    const first = voters[0];
    if (first === undefined) return this.#nobodyVotes(id, bounds);
    const usual = this.#usual(voters);
    // While it is found out whether a viewer falls behind, it pulls the others down so far at most.
    const pull = (viewer: Watcher): number =>
      id === 'stream1' && this.#member(viewer.id).behindSince !== null
        ? Math.max(viewer.estimate.target, leftBehindBelow * usual)
        : viewer.estimate.target;
    const sorted = [...voters].sort((a, b) => pull(a) - pull(b));
    const decisive = policy === 'majority' ? sorted[Math.floor(sorted.length / 2)] : sorted[0];
    const wanted = pull(decisive ?? first);
    const target = clamp(wanted, bounds);
    if (wanted >= bounds.ceiling)
      return { target, cause: 'wish', reason: `${waysTo(voters.length)} ${inMegabits(target)}` };
    const { id: limitedBy, estimate } = decisive ?? first;
    const { words, cause } = troubleOf(estimate);
    return { target, limitedBy, cause, reason: `viewer ${limitedBy} ${words}` };
  }

  #nobodyVotes(id: StreamId, bounds: Bounds): StreamVote {
    const there = this.#input.viewers.filter(({ stream }) => stream === id);
    const held = this.#before.targets[id];
    const waits = there.some(({ estimate }) => estimate.state === 'starting' || estimate.heard);
    if (waits && held !== undefined)
      return {
        target: clamp(held, bounds),
        reason: 'nothing is known of the ways to the viewers at the moment',
        cause: 'unknown',
      };
    const target = bounds.ceiling;
    return there.length === 0
      ? { target, reason: 'nobody watches', cause: 'nobody' }
      : { target, reason: 'no viewer lets anything be known of the way to it', cause: 'unknown' };
  }
}

export function isKnown({ state }: Pick<PathEstimate, 'state'>): boolean {
  return state !== 'starting' && state !== 'silent';
}

function comfortable(wish: StreamWish | undefined, bounds: Bounds | undefined): number {
  if (wish === undefined || bounds === undefined) return 0;
  const pixels = (wish.width * wish.height) / (1920 * 1080);
  return Math.min(leftBehindBelow * bounds.ceiling, comfortable1080p * pixels ** 0.75);
}

function waysTo(count: number): string {
  return count === 1 ? 'the way to the viewer carries' : `the ways to ${String(count)} viewers carry`;
}

function troubleOf(estimate: PathEstimate): { readonly words: string; readonly cause: Cause } {
  const { target, loss, queueMs, reason, cause } = estimate;
  const gets = `gets no more than ${inMegabits(target)}`;
  if (loss >= 0.01) return { words: `${gets}: ${inPercent(loss)} loss`, cause: 'loss' };
  if ((queueMs ?? 0) >= 50)
    return { words: `${gets}: ${inMilliseconds(queueMs ?? 0)} of queue`, cause: 'queue' };
  return { words: `${gets}: ${reason}`, cause };
}
