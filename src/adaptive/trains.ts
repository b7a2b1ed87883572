// What packet trains tell. Pictures leave in one go, so each one probes the way: how late its first packet is tells of the
// queue that stands there, and how far its packets are spread on arrival tells how fast the narrowest link is.
import type { PacketTrain } from './samples.js';

const keptMs = 2000;
const delayKeptMs = 30_000;
/** A delay that differs by more is a clock that was set. */
const clockJumpMs = 10_000;
const standingMs = 200;
const rateMs = 500;
const lossMs = 1000;
const spreadMs = 1500;
/** Packets in a train, and trains, that tell a rate. */
const fewestPackets = 3;
const fewestTrains = 8;
/** The most recent trains: what they tell of a link that has just changed. */
const freshTrains = 2;
const shortMs = 600;
const shortestSpreadMs = 0.5;
/** Of fewer packets in that time, those of a longer one are counted; of fewer than these, loss is chance. */
const enoughForLoss = 60;
const fewestForLoss = 30;

export interface TrainLog {
  /** The newest last. */
  readonly trains: readonly PacketTrain[];
  /** The least delay of each second. */
  readonly delays: readonly { readonly second: number; readonly delay: number }[];
}

export const noTrains: TrainLog = { trains: [], delays: [] };

/** Whether a train can be what it says: what comes late, twice, or from a broken counter is not looked at. */
export function isPlausible(train: PacketTrain, at: number, after: number): boolean {
  const { sentAt, sentUntil, arrivedAt, arrivedUntil, packets, lost, bytes, firstBytes } = train;
  return (
    [sentAt, sentUntil, packets, lost, bytes, firstBytes].every(Number.isFinite) &&
    sentAt > after &&
    sentUntil >= sentAt &&
    sentUntil <= at &&
    sentAt > at - 10_000 &&
    packets >= 0 &&
    lost >= 0 &&
    packets + lost > 0 &&
    (packets === 0 ||
      (Number.isFinite(arrivedAt) &&
        Number.isFinite(arrivedUntil) &&
        arrivedUntil >= arrivedAt &&
        firstBytes >= 0 &&
        bytes >= firstBytes &&
        bytes <= packets * 65_535))
  );
}

export function withTrains(log: TrainLog, trains: readonly PacketTrain[], at: number): TrainLog {
  let after = log.trains.at(-1)?.sentAt ?? Number.NEGATIVE_INFINITY;
  const plausible = trains.filter((train) => {
    if (!isPlausible(train, at, after)) return false;
    after = train.sentAt;
    return true;
  });
  if (plausible.length === 0) return log;
  const jump = clockJump(log, plausible);
  const fresh = plausible.slice(jump ?? 0);
  const kept = jump === undefined ? log : noTrains;
  return {
    trains: [...kept.trains, ...fresh].filter(({ sentAt }) => sentAt > after - keptMs),
    delays: fresh.reduce(withDelay, kept.delays),
  };
}

/** Where the viewer's clock was set: only what came afterwards can be compared. */
function clockJump(log: TrainLog, trains: readonly PacketTrain[]): number | undefined {
  let known = log.delays.at(-1)?.delay;
  let jump: number | undefined;
  for (const [index, train] of trains.entries()) {
    if (train.packets === 0) continue;
    const delay = delayOf(train);
    if (known !== undefined && Math.abs(delay - known) > clockJumpMs) jump = index;
    known = delay;
  }
  return jump;
}

function withDelay(delays: TrainLog['delays'], train: PacketTrain): TrainLog['delays'] {
  if (train.packets === 0) return delays;
  const second = secondOf(train);
  const delay = delayOf(train);
  const last = delays.at(-1);
  if (last?.second === second)
    return delay < last.delay ? [...delays.slice(0, -1), { second, delay }] : delays;
  return [...delays.filter((other) => other.second > second - delayKeptMs / 1000), { second, delay }];
}

function secondOf({ sentAt }: PacketTrain): number {
  return Math.floor(sentAt / 1000);
}

/** With the difference of two clocks in it. */
function delayOf({ sentAt, arrivedAt }: PacketTrain): number {
  return arrivedAt - sentAt;
}

/** What the trains of a log say of the way; undefined while nothing has arrived. */
export interface WayReading {
  /** Stands on the way whatever the size of pictures: the least of a while, since a keyframe delays only what follows it. */
  readonly queueMs: number;
  readonly jitterMs: number;
  readonly receivedBps: number;
  readonly sentBps: number;
  /** Of what was sent since the time that was given. */
  readonly loss: number;
  /** Whenever it was sent. */
  readonly recentLoss: number;
  /** Of the narrowest link, by the spread of trains. */
  readonly spreadBps: number | null;
  /** The same of a shorter while. */
  readonly soonBps: number | null;
  /** What the very last trains carried after their first packets, and in which time. */
  readonly fresh: { readonly bytes: number; readonly ms: number } | null;
  /** What the very last train waited. */
  readonly freshQueueMs: number;
  /** What its last packet waited. */
  readonly freshTailMs: number;
  /** When that was sent. */
  readonly freshSentAt: number;
}

/** Loss is that of what was sent after a given time, since what was lost before has had its answer. */
export function readWay(log: TrainLog, lossSince: number): WayReading | undefined {
  const arrived = log.trains.filter(({ packets }) => packets > 0);
  const newest = arrived.at(-1);
  const newestSent = log.trains.at(-1)?.sentAt;
  if (newest === undefined || newestSent === undefined) return undefined;
  const base = Math.min(...log.delays.map(({ delay }) => delay));
  const recent = arrived.filter(({ arrivedAt }) => arrivedAt > newest.arrivedAt - standingMs);
  const delays = (recent.length >= 3 ? recent : arrived.slice(-3)).map(delayOf).sort((a, b) => a - b);
  const least = delays[0] ?? base;
  const spreading = arrived.filter(
    (train) => train.lost === 0 && train.arrivedUntil > newest.arrivedUntil - spreadMs && isSpread(train),
  );
  const soon = spreading.filter(({ arrivedUntil }) => arrivedUntil > newest.arrivedUntil - shortMs);
  const fresh = arrived.filter(isSpread).slice(-freshTrains);
  return {
    queueMs: least - base,
    jitterMs: (delays[Math.floor(delays.length / 2)] ?? least) - least,
    receivedBps: receivedIn(arrived, newest.arrivedUntil, rateMs),
    sentBps: sentIn(log.trains, newestSent, rateMs),
    loss: answeredLoss(log.trains, newestSent, lossSince),
    recentLoss: lossIn(log.trains, newestSent - lossMs).share,
    spreadBps: spreading.length >= fewestTrains ? spreadRate(spreading) : null,
    soonBps: soon.length >= fewestTrains ? spreadRate(soon) : null,
    fresh: fresh.length === freshTrains ? spreadOf(fresh) : null,
    freshQueueMs: delayOf(newest) - base,
    freshTailMs: newest.arrivedUntil - newest.sentUntil - base,
    freshSentAt: newest.sentAt,
  };
}

function isSpread({ packets, arrivedAt, arrivedUntil }: PacketTrain): boolean {
  return packets >= fewestPackets && arrivedUntil - arrivedAt > shortestSpreadMs;
}

function spreadOf(trains: readonly PacketTrain[]): { readonly bytes: number; readonly ms: number } {
  return {
    bytes: trains.reduce((sum, train) => sum + train.bytes - train.firstBytes, 0),
    ms: trains.reduce((sum, train) => sum + train.arrivedUntil - train.arrivedAt, 0),
  };
}

function spreadRate(trains: readonly PacketTrain[]): number {
  const { bytes, ms } = spreadOf(trains);
  return (bytes * 8000) / ms;
}

function receivedIn(trains: readonly PacketTrain[], until: number, ms: number): number {
  const arrived = trains.filter(({ arrivedUntil }) => arrivedUntil > until - ms);
  const bytes = arrived.reduce((sum, train) => sum + train.bytes, 0);
  return (bytes * 8000) / coveredMs(arrived.map(({ arrivedUntil }) => arrivedUntil));
}

/**
 * The time that trains stand for: each for that until the next one. Where feedback is missing there is a hole, which says
 * nothing of what was sent in it.
 */
function coveredMs(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, index) => Math.max(0, time - (times[index] ?? time)));
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length * 0.75)] ?? rateMs;
  const covered = gaps.reduce((sum, gap) => sum + (gap > 3 * usual ? usual : gap), 0);
  return Math.max(1, covered + covered / Math.max(1, gaps.length));
}

/** What was lost is taken to have been as large as what was not. */
function sentIn(trains: readonly PacketTrain[], until: number, ms: number): number {
  const sent = trains.filter(({ sentAt }) => sentAt > until - ms);
  const bytes = sent.reduce((sum, train) => sum + train.bytes, 0);
  const packets = sent.reduce((sum, train) => sum + train.packets, 0);
  const lost = sent.reduce((sum, train) => sum + train.lost, 0);
  if (packets === 0) return 0;
  return (bytes * (1 + lost / packets) * 8000) / coveredMs(sent.map(({ sentAt }) => sentAt));
}

function answeredLoss(trains: readonly PacketTrain[], until: number, since: number): number {
  const short = lossIn(trains, Math.max(until - lossMs, since));
  const counted = short.packets < enoughForLoss ? lossIn(trains, since) : short;
  return counted.packets < fewestForLoss ? 0 : counted.share;
}

function lossIn(
  trains: readonly PacketTrain[],
  from: number,
): { readonly packets: number; readonly share: number } {
  const counted = trains.filter(({ sentAt }) => sentAt > from);
  const lost = counted.reduce((sum, train) => sum + train.lost, 0);
  const packets = counted.reduce((sum, train) => sum + train.packets, lost);
  return { packets, share: packets === 0 ? 0 : lost / packets };
}
