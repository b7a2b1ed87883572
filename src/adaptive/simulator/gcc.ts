// A yardstick: the congestion control that browsers use (GCC), as draft-ietf-rmcat-gcc-02 and the public implementations
// describe it. A line through the arrival delays tells when a queue grows; then the rate becomes 0.85 of what arrives, and
// otherwise it grows by 8 % a second, or by little near the rate that was last too much. Loss has a law of its own. The
// probes of browsers that pad are left out; nothing here pads.
import type { LoopInput, LoopOutput } from '../decisions.js';
import type { PacketTrain } from '../samples.js';

const windowTrains = 20;
const smoothing = 0.9;
const trendGain = 4;
const mostDeltas = 60;
const threshold = { first: 12.5, least: 6, most: 600, up: 0.0087, down: 0.039, farOff: 15 } as const;
const overuseMs = 10;
const backOff = 0.85;
const growthPerSecond = 1.08;
const rateMs = 500;
const lossHigh = 0.1;
const lossLow = 0.02;
const lossEveryMs = 200;
const lossGrowth = 1.05;
const linkVariance = { follows: 0.05, least: 0.4, most: 2.5 } as const;
const packetBits = 1240 * 8;

type Usage = 'normal' | 'over' | 'under';

/** Says when the delay of a way grows. */
class Trendline {
  #previous: PacketTrain | undefined;
  #firstArrival: number | undefined;
  #accumulated = 0;
  #smoothed = 0;
  #deltas = 0;
  #points: { readonly x: number; readonly y: number }[] = [];
  #threshold = threshold.first as number;
  #thresholdAt: number | undefined;
  #overFor = 0;
  #trendBefore = 0;
  usage: Usage = 'normal';

  add(train: PacketTrain): void {
    const previous = this.#previous;
    this.#previous = train;
    if (previous === undefined) return;
    const sentDelta = train.sentUntil - previous.sentUntil;
    this.#accumulated += train.arrivedUntil - previous.arrivedUntil - sentDelta;
    this.#smoothed = smoothing * this.#smoothed + (1 - smoothing) * this.#accumulated;
    this.#deltas = Math.min(mostDeltas, this.#deltas + 1);
    this.#firstArrival ??= train.arrivedUntil;
    this.#points.push({ x: train.arrivedUntil - this.#firstArrival, y: this.#smoothed });
    if (this.#points.length > windowTrains) this.#points.shift();
    const trend = this.#points.length === windowTrains ? slope(this.#points) : this.#trendBefore;
    this.#detect(trend, sentDelta, train.arrivedUntil);
  }

  #detect(trend: number, sentDelta: number, at: number): void {
    const modified = this.#deltas * trend * trendGain;
    if (modified > this.#threshold) {
      this.#overFor += sentDelta;
      if (this.#overFor > overuseMs && trend >= this.#trendBefore) {
        this.#overFor = 0;
        this.usage = 'over';
      }
    } else {
      this.#overFor = 0;
      this.usage = modified < -this.#threshold ? 'under' : 'normal';
    }
    this.#trendBefore = trend;
    this.#adapt(Math.abs(modified), at);
  }

  /** The threshold follows, so that flows that fill queues do not starve this one. */
  #adapt(modified: number, at: number): void {
    const elapsed = Math.min(100, at - (this.#thresholdAt ?? at));
    this.#thresholdAt = at;
    if (modified > this.#threshold + threshold.farOff) return;
    const speed = modified < this.#threshold ? threshold.down : threshold.up;
    const moved = this.#threshold + speed * (modified - this.#threshold) * elapsed;
    this.#threshold = Math.min(threshold.most, Math.max(threshold.least, moved));
  }
}

function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const under = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

interface LinkRate {
  readonly mean: number;
  readonly variance: number;
}

function deviationOf({ mean, variance }: LinkRate): number {
  return Math.sqrt(variance * mean);
}

/** One way. */
class Gcc {
  readonly #trend = new Trendline();
  #trains: PacketTrain[] = [];
  #byDelay: number;
  #byLoss = Infinity;
  #state: 'grow' | 'hold' = 'grow';
  #at: number | undefined;
  #lossAt = 0;
  /** The rate that was last too much. */
  #link: LinkRate | undefined;
  loss = 0;

  constructor(start: number) {
    this.#byDelay = start;
  }

  step(
    at: number,
    trains: readonly PacketTrain[],
    rtt: number,
    bounds: { min: number; max: number },
  ): number {
    const elapsed = Math.min(1000, at - (this.#at ?? at)) / 1000;
    this.#at = at;
    if (trains.length > 0) {
      for (const train of trains) if (train.packets > 0) this.#trend.add(train);
      const newest = trains.at(-1)?.sentAt ?? at;
      this.#trains = [...this.#trains, ...trains].filter(({ sentAt }) => sentAt > newest - 1000);
      this.#followDelay(elapsed, rtt);
      this.#followLoss(at, bounds.max);
    }
    const target = Math.min(bounds.max, Math.max(bounds.min, Math.min(this.#byDelay, this.#byLoss)));
    this.#byDelay = Math.min(bounds.max, Math.max(bounds.min, this.#byDelay));
    return target;
  }

  #received(): number {
    const until = Math.max(...this.#trains.map(({ arrivedUntil }) => arrivedUntil));
    const bytes = this.#trains
      .filter(({ arrivedUntil }) => arrivedUntil > until - rateMs)
      .reduce((sum, train) => sum + train.bytes, 0);
    return (bytes * 8000) / rateMs;
  }

  #followDelay(elapsed: number, rtt: number): void {
    const received = this.#received();
    switch (this.#trend.usage) {
      case 'under':
        this.#state = 'hold';
        return;
      case 'over':
        if (this.#state === 'hold' && this.#byDelay <= received) return;
        this.#byDelay = Math.min(this.#byDelay, backOff * received);
        this.#remember(received);
        this.#state = 'hold';
        return;
      case 'normal':
        this.#state = 'grow';
        this.#grow(elapsed, rtt, received);
    }
  }

  #grow(elapsed: number, rtt: number, received: number): void {
    const link = this.#link;
    if (link !== undefined && received / 1000 > link.mean + 3 * deviationOf(link)) this.#link = undefined;
    const near = this.#link !== undefined;
    const responseMs = rtt + 100;
    const wanted = near
      ? this.#byDelay + (packetBits * elapsed * 1000) / responseMs
      : this.#byDelay * growthPerSecond ** elapsed;
    this.#byDelay = Math.max(this.#byDelay, Math.min(wanted, 1.5 * received + 10_000));
  }

  /** In kbit/s, since the variance is in proportion to the rate in that unit. */
  #remember(received: number): void {
    const sample = received / 1000;
    const link = this.#link;
    if (link === undefined || sample < link.mean - 3 * deviationOf(link)) {
      this.#link = { mean: sample, variance: linkVariance.least };
      return;
    }
    const mean = link.mean + linkVariance.follows * (sample - link.mean);
    const error = (mean - sample) ** 2 / Math.max(mean, 1);
    const variance = link.variance + linkVariance.follows * (error - link.variance);
    this.#link = { mean, variance: Math.min(linkVariance.most, Math.max(linkVariance.least, variance)) };
  }

  #followLoss(at: number, max: number): void {
    const lost = this.#trains.reduce((sum, train) => sum + train.lost, 0);
    const arrived = this.#trains.reduce((sum, train) => sum + train.packets, 0);
    this.loss = lost / Math.max(1, lost + arrived);
    if (at - this.#lossAt < lossEveryMs) return;
    this.#lossAt = at;
    const current = Math.min(this.#byLoss, this.#byDelay, max);
    if (this.loss > lossHigh) this.#byLoss = current * (1 - 0.5 * this.loss);
    else if (this.loss < lossLow) this.#byLoss = Math.min(max, this.#byLoss * lossGrowth);
  }
}

/** The slowest viewer's rate is everybody's. */
export function gccLoop(): (input: LoopInput) => LoopOutput {
  const ways = new Map<string, Gcc>();
  let held: number | undefined;
  return ({ at, settings, streams, viewers, samples }) => {
    const wish = streams.stream1?.bitrate ?? settings.max;
    const bounds = { min: settings.min, max: Math.min(wish, settings.max) };
    const start = Math.min(held ?? bounds.max, bounds.max);
    const targets = viewers.map(({ id }) => {
      const way = ways.get(id) ?? new Gcc(start);
      ways.set(id, way);
      const own = samples.filter((sample) => sample.kind === 'transport' && sample.viewer === id);
      const trains = own.flatMap((sample) => (sample.kind === 'transport' ? sample.trains : []));
      const rtt = own.reduce((least, sample) => {
        return sample.kind === 'transport' ? Math.min(least, sample.rttMs ?? Infinity) : least;
      }, Infinity);
      return way.step(at, trains, Number.isFinite(rtt) ? rtt : 100, bounds);
    });
    const target = Math.round(Math.min(...targets, bounds.max));
    held = target;
    const decision = {
      target,
      reason: 'GCC',
      cause: 'unknown' as const,
      rung: { height: null, framerate: null },
    };
    return { at, streams: { stream1: decision, stream2: decision }, viewers: {}, moves: [] };
  };
}
