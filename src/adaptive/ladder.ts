// Where few bits are left, fewer or smaller pictures look better. Steps down come soon, steps up late, so that the picture
// does not pump: each of them costs a keyframe.
import type { Rung, StreamWish } from './decisions.js';

/** What 1080p at 30 frames needs to look good. */
const needed1080p30 = 2_500_000;
const lowersBelow = 0.8;
const raisesAbove = 1.2;
const downAfterMs = 2000;
const upAfterMs = 10_000;
const betweenStepsMs = { down: 5000, up: 10_000 } as const;

/** Below what people ask for, best first. Fewer pictures cost a viewer less than smaller ones only while they are many. */
const limits: readonly Rung[] = [
  { height: null, framerate: 30 },
  { height: 720, framerate: 30 },
  { height: 720, framerate: 25 },
  { height: 540, framerate: 15 },
  { height: 360, framerate: 10 },
];

export const fullRung: Rung = { height: null, framerate: null };

export interface LadderState {
  readonly rung: Rung;
  readonly changedAt: number;
  readonly downSince: number | null;
  readonly upSince: number | null;
}

export const topOfLadder: LadderState = {
  rung: fullRung,
  changedAt: Number.NEGATIVE_INFINITY,
  downSince: null,
  upSince: null,
};

export interface LadderInput {
  readonly at: number;
  readonly target: number;
  readonly wish: StreamWish;
  /** Whether the size may change: recorders and players over RTSP rarely survive that. */
  readonly resizes: boolean;
}

export function climb(state: LadderState, { at, target, wish, resizes }: LadderInput): LadderState {
  const rungs = rungsFor(wish, resizes);
  const known = rungs.findIndex((rung) => isSame(rung, state.rung));
  // The wish or the viewers have changed, so that this rung is none any more: its frame rate says which is nearest.
  const place = known === -1 ? nearest(rungs, state.rung) : known;
  const current = known === -1 ? { ...state, rung: rungs[place] ?? fullRung, changedAt: at } : state;
  const fits = rungs.findIndex((rung) => target >= lowersBelow * needs(rung, wish));
  const down = fits === -1 ? rungs.length - 1 : fits;
  const above = rungs[place - 1];
  const goesDown = down > place;
  const goesUp = above !== undefined && target > raisesAbove * needs(above, wish);
  const downSince = goesDown ? (current.downSince ?? at) : null;
  const upSince = goesUp ? (current.upSince ?? at) : null;
  const rested = at - current.changedAt;
  if (downSince !== null && at - downSince >= downAfterMs && rested >= betweenStepsMs.down)
    return stepped(rungs[down], at);
  if (upSince !== null && at - upSince >= upAfterMs && rested >= betweenStepsMs.up) return stepped(above, at);
  return { ...current, downSince, upSince };
}

function stepped(rung: Rung | undefined, at: number): LadderState {
  return { rung: rung ?? fullRung, changedAt: at, downSince: null, upSince: null };
}

function rungsFor(wish: StreamWish, resizes: boolean): readonly Rung[] {
  const lower = limits.map(({ height, framerate }) => ({
    height: resizes && height !== null && height < wish.height ? height : null,
    framerate: framerate !== null && framerate < wish.framerate ? framerate : null,
  }));
  const rungs = [fullRung, ...lower];
  return rungs.filter(
    (rung, place) => rungs.findIndex((other) => needs(other, wish) <= needs(rung, wish)) === place,
  );
}

function nearest(rungs: readonly Rung[], rung: Rung): number {
  const fits = rungs.findIndex(({ framerate }) => (framerate ?? Infinity) <= (rung.framerate ?? Infinity));
  return Math.max(0, fits);
}

function isSame(a: Rung, b: Rung): boolean {
  return a.height === b.height && a.framerate === b.framerate;
}

/** Less than in proportion: larger pictures have less in each pixel, and more of them differ less from each other. */
function needs({ height, framerate }: Rung, wish: StreamWish): number {
  const scale = height === null ? 1 : height / wish.height;
  const pixels = (wish.width * wish.height * scale ** 2) / (1920 * 1080);
  return needed1080p30 * pixels ** 0.75 * ((framerate ?? wish.framerate) / 30) ** 0.7;
}
