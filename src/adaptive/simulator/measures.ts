// What a run was worth. Everything is in link time.
import { Column } from './columns.js';
import { capacityAt } from './link.js';
import type { ShownPicture } from './mediaFlow.js';
import type { Run, ViewerTrace } from './simulate.js';

const binMs = 200;
const standingMs = 100;
const watchedAfterDropMs = 15_000;
const usualGapMs = 1000 / 30;
/** A longer one between pictures that are sent is a pause. */
const longestGapMs = 2000;

export interface Measures {
  /** What arrived, of what the link could carry of what was wished. */
  readonly utilisation: number;
  readonly queueMedianMs: number;
  readonly queue95Ms: number;
  /** Share of the packets that the queue dropped. */
  readonly dropped: number;
  readonly freezeSeconds: number;
  /** Share of the pictures that could not be shown. */
  readonly unplayable: number;
  /** Changes of direction of the target by more than 5 %. */
  readonly reversalsPerMinute: number;
}

export function measure(run: Run, viewer: ViewerTrace = firstOf(run), fromSecond = 0): Measures {
  const waits = new Column();
  forEachWait(viewer, fromSecond * 1000, (_at, wait) => waits.push(wait));
  const sorted = waits.sorted();
  const { flow } = viewer;
  let dropped = 0;
  if (flow !== undefined)
    for (let packet = 0; packet < flow.waited.length; packet += 1)
      if (Number.isNaN(flow.waited.at(packet))) dropped += 1;
  const shown = judgePictures(viewer.pictures, fromSecond * 1000);
  return {
    utilisation: utilisation(run, viewer, fromSecond),
    queueMedianMs: quantile(sorted, 0.5),
    queue95Ms: quantile(sorted, 0.95),
    dropped: flow === undefined ? 0 : dropped / flow.waited.length,
    ...shown,
    reversalsPerMinute: reversals(run) / (run.scenario.seconds / 60),
  };
}

function firstOf(run: Run): ViewerTrace {
  const [first] = run.viewers;
  if (first === undefined) throw new Error('Nobody watches');
  return first;
}

export function deliveredBits(viewer: ViewerTrace, fromMs: number, untilMs: number): number {
  const { arrivals } = viewer;
  let bytes = 0;
  for (let packet = 0; packet < arrivals.at.length; packet += 1) {
    const arrived = arrivals.at.at(packet);
    if (arrived >= fromMs && arrived < untilMs) bytes += arrivals.bytes.at(packet);
  }
  return bytes * 8;
}

function utilisation(run: Run, viewer: ViewerTrace, fromSecond: number): number {
  const { links, seconds, streams, settings } = run.scenario;
  const link = links[viewer.spec.link];
  if (link === undefined) return 0;
  const wish = Math.min(settings.max, streams[viewer.spec.wished]?.wish.bitrate ?? 0);
  const [pausedFrom = Infinity, pausedUntil = Infinity] = viewer.spec.paused ?? [];
  let possible = 0;
  for (let at = fromSecond * 1000; at < seconds * 1000; at += 100)
    if (at < pausedFrom * 1000 || at >= pausedUntil * 1000)
      possible += Math.min(wish, capacityAt(link.capacity, at)) / 10;
  return deliveredBits(viewer, fromSecond * 1000, seconds * 1000) / possible;
}

/** When each packet was sent and how long it waited. */
function forEachWait({ flow }: ViewerTrace, fromMs: number, take: (at: number, wait: number) => void): void {
  if (flow === undefined) return;
  for (let packet = 0; packet < flow.waited.length; packet += 1) {
    const at = flow.sentAt.at(packet);
    const wait = flow.waited.at(packet);
    if (at >= fromMs && !Number.isNaN(wait)) take(at, wait);
  }
}

/** Seconds from a drop of capacity until the queue no longer stands, as the least wait of each fifth of a second tells. */
export function drainSeconds(run: Run, dropAtSecond: number, viewer: ViewerTrace = firstOf(run)): number {
  const from = dropAtSecond * 1000;
  const least = new Map<number, number>();
  forEachWait(viewer, from, (at, wait) => {
    if (at >= from + watchedAfterDropMs) return;
    const bin = Math.floor((at - from) / binMs);
    least.set(bin, Math.min(least.get(bin) ?? Infinity, wait));
  });
  const standing = [...least].filter(([, wait]) => wait > standingMs).map(([bin]) => bin + 1);
  return (Math.max(0, ...standing) * binMs) / 1000;
}

/** Seconds until the target is this share of the capacity; undefined for never within so many seconds. */
export function returnSeconds(
  run: Run,
  atSecond: number,
  share: number,
  withinSeconds: number,
): number | undefined {
  const { scenario, streams } = run;
  const trace = streams.stream1;
  const capacity = capacityAt(scenario.links[0]?.capacity ?? [], atSecond * 1000);
  const wanted = share * Math.min(capacity, scenario.streams.stream1?.wish.bitrate ?? 0);
  for (let step = 0; step < trace.at.length; step += 1) {
    const at = trace.at.at(step) / 1000 - atSecond;
    if (at > withinSeconds) break;
    if (at >= 0 && trace.target.at(step) >= wanted) return at;
  }
  return undefined;
}

/** Seconds until the target is no longer above the capacity. */
export function lowersSeconds(run: Run, dropAtSecond: number): number {
  const trace = run.streams.stream1;
  const capacity = capacityAt(run.scenario.links[0]?.capacity ?? [], dropAtSecond * 1000);
  for (let step = 0; step < trace.at.length; step += 1) {
    const at = trace.at.at(step) / 1000 - dropAtSecond;
    if (at >= 0 && trace.target.at(step) <= capacity) return at;
  }
  return Infinity;
}

/**
 * A picture is shown when all of it is there and no picture since the last good keyframe is broken. The picture freezes
 * where the next one comes much later than usual (the rule of WebRTC statistics).
 */
function judgePictures(
  pictures: readonly ShownPicture[],
  fromMs: number,
): { readonly freezeSeconds: number; readonly unplayable: number } {
  let broken = false;
  let unplayable = 0;
  let counted = 0;
  let frozen = 0;
  let shownAt: number | undefined;
  let before: number | undefined;
  for (const { at, key, missing, completeAt } of pictures) {
    if (at < fromMs) continue;
    // Where nothing was sent nothing could be shown.
    if (shownAt !== undefined && before !== undefined && at - before > longestGapMs) shownAt += at - before;
    before = at;
    counted += 1;
    broken = missing > 0 || (broken && !key);
    if (broken) {
      unplayable += 1;
      continue;
    }
    frozen += frozenIn(completeAt - (shownAt ?? completeAt));
    shownAt = Math.max(shownAt ?? 0, completeAt);
  }
  if (broken && before !== undefined) frozen += frozenIn(before - (shownAt ?? fromMs));
  return { freezeSeconds: frozen / 1000, unplayable: counted === 0 ? 0 : unplayable / counted };
}

/** What of the time between two pictures is a freeze. */
function frozenIn(gap: number): number {
  return gap > Math.max(3 * usualGapMs, usualGapMs + 150) ? gap - usualGapMs : 0;
}

function reversals(run: Run): number {
  const { target } = run.streams.stream1;
  let count = 0;
  let direction = 0;
  let extreme = target.at(0);
  for (let step = 1; step < target.length; step += 1) {
    const value = target.at(step);
    if (direction >= 0 && value < extreme * 0.95) {
      if (direction > 0) count += 1;
      direction = -1;
      extreme = value;
    } else if (direction <= 0 && value > extreme * 1.05) {
      if (direction < 0) count += 1;
      direction = 1;
      extreme = value;
    } else extreme = direction >= 0 ? Math.max(extreme, value) : Math.min(extreme, value);
  }
  return count;
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
