// What the adaptive loop has decided in the last minutes. It decides ten times a second, so what goes on in one direction
// for one reason is one decision here, which lasts from its first step to its last.
import type { LoopOutput, Rung, StreamDecision, StreamId } from '../adaptive/decisions.js';
import type { AdaptiveDecision } from '../api/services.js';

const keptMs = 600_000;
const most = 500;
/** Of the target; what moves it by less is no decision of its own. */
const smallestStep = 0.05;
/** A step after so long without one is another decision, even if it is like the last. */
const pauseMs = 3000;

interface Course {
  /** Where the target stood when something was decided last. */
  readonly level: number;
  readonly rung: Rung;
  /** That may go on. */
  readonly open?: AdaptiveDecision & { readonly from: number; readonly to: number };
}

export class DecisionMemory {
  readonly #decisions = new Map<number, AdaptiveDecision>();
  readonly #courses = new Map<StreamId, Course>();
  #lastId = 0;

  /** The oldest first. */
  list(now: number): readonly AdaptiveDecision[] {
    return [...this.#decisions.values()].filter(({ until }) => now - until <= keptMs);
  }

  take({ streams, moves }: Pick<LoopOutput, 'streams' | 'moves'>, now: number): void {
    for (const stream of ['stream1', 'stream2'] as const) {
      const decision = streams[stream];
      if (decision === undefined) this.#courses.delete(stream);
      else this.#follow(stream, decision, now);
    }
    for (const { viewer, to, reason } of moves)
      this.#keep({ kind: 'viewer', stream: to, at: now, until: now, reason: shortened(reason), viewer });
  }

  #follow(stream: StreamId, decision: StreamDecision, now: number): void {
    const { target, rung } = decision;
    const course = this.#courses.get(stream) ?? { level: target, rung };
    if (!isSame(rung, course.rung)) this.#keep({ ...told('picture', stream, decision, now), ...rung });
    this.#courses.set(stream, { ...this.#steer(course, stream, decision, now), rung });
  }

  #steer(course: Course, stream: StreamId, decision: StreamDecision, now: number): Course {
    const { level, open } = course;
    const target = Math.round(decision.target);
    if (open !== undefined && goesOn(open, { ...decision, target }, now)) {
      if (target === open.to) return course;
      const longer = { ...open, to: target, until: now };
      this.#decisions.set(open.id, longer);
      return { ...course, level: target, open: longer };
    }
    if (Math.abs(target - level) < level * smallestStep) return course;
    const next = { ...told('bitrate', stream, decision, now), from: Math.round(level), to: target };
    return { ...course, level: target, open: { ...next, id: this.#keep(next) } };
  }

  #keep(decision: Omit<AdaptiveDecision, 'id'>): number {
    this.#lastId += 1;
    this.#decisions.set(this.#lastId, { id: this.#lastId, ...decision });
    for (const [id, { until }] of this.#decisions) {
      if (this.#decisions.size <= most && decision.at - until <= keptMs) break;
      this.#decisions.delete(id);
    }
    return this.#lastId;
  }
}

function goesOn(
  { from, to, until, cause }: NonNullable<Course['open']>,
  decision: StreamDecision,
  now: number,
): boolean {
  const isBack = to > from ? decision.target < to : decision.target > to;
  return !isBack && now - until <= pauseMs && (decision.cause === cause || decision.target === to);
}

function told(
  kind: AdaptiveDecision['kind'],
  stream: StreamId,
  { cause, reason, limitedBy }: StreamDecision,
  now: number,
): Omit<AdaptiveDecision, 'id'> {
  return {
    ...{ kind, stream, at: now, until: now, cause, reason: shortened(reason) },
    ...(limitedBy === undefined ? {} : { viewer: limitedBy }),
  };
}

function shortened(reason: string): string {
  return reason.slice(0, 256);
}

function isSame(a: Rung, b: Rung): boolean {
  return a.height === b.height && a.framerate === b.framerate;
}
