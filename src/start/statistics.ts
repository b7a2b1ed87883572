// Publishes once a second how the streams fare, and keeps the last ten minutes of it for charts.
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import { Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import { aggregateNetwork, type AggregatedNetwork } from '../adaptive/aggregate.js';
import type { LoopOutput } from '../adaptive/decisions.js';
import type { KeptSecond, StatisticsPoint, Viewer } from '../api/services.js';
import { monotonicMs } from '../media/pathSamples.js';
import type { MediaState, Supervisor } from '../media/supervisor.js';
import { mainCamera } from '../pipelines/machine.js';
import { readProcessTimes } from '../system/readings.js';
import { cameraSettings } from './cameras.js';
import { ProcessMeter } from './processMeter.js';
import { recentSeconds, StreamMeter, type Figures } from './streamMeter.js';

const everyMs = 1000;
const kept = 600;

export interface StatisticsParts {
  readonly store: AppStore;
  readonly supervisor: Pick<Supervisor, 'beat' | 'state$'>;
  readonly viewers: () => readonly Viewer[];
  /** What the adaptive loop knows of the viewers. */
  readonly decisions: () => LoopOutput | undefined;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export class Statistics {
  readonly #parts: StatisticsParts;
  readonly #meter = new StreamMeter();
  readonly #startedAt = monotonicMs();
  readonly #subscriptions = new Subscription();
  readonly #seconds: KeptSecond[] = [];
  readonly #load = {
    server: new ProcessMeter(availableParallelism()),
    video: new ProcessMeter(availableParallelism()),
  };
  #crashes = 0;
  #drops = 0;

  constructor(parts: StatisticsParts) {
    this.#parts = parts;
    const timer = setInterval(() => {
      this.#publish();
    }, everyMs);
    this.#subscriptions.add(() => {
      clearInterval(timer);
    });
    this.#subscriptions.add(
      parts.supervisor.state$.subscribe(({ phase }: MediaState) => {
        if (phase === 'down') this.#crashes += 1;
      }),
    );
    this.#subscriptions.add(this.#logHealth());
  }

  /** The oldest first. */
  history(): readonly KeptSecond[] {
    return this.#seconds;
  }

  stop(): void {
    this.#subscriptions.unsubscribe();
  }

  #publish(): void {
    const { store, supervisor, viewers, decisions } = this.#parts;
    // The clock on the wall may be set at any time.
    const now = monotonicMs();
    const figures = this.#meter.read({
      ...{ at: now, report: supervisor.beat, viewers: viewers(), crashes: this.#crashes },
      lost: lostCameras(store),
    });
    const network = aggregateNetwork(
      Object.values(decisions()?.viewers ?? {}),
      store.get('adaptiveBitrate').policy ?? 'percentile',
    );
    const point = this.#point(Date.now(), figures, network);
    const load = {
      server: this.#load.server.take(readProcessTimes()),
      video: this.#load.video.take(supervisor.beat.processor),
    };
    this.#seconds.push({ point, load });
    if (this.#seconds.length > kept) this.#seconds.shift();
    store.write({
      statistics: point,
      processLoad: load,
      streamStats: {
        clientCount: figures.clients,
        totalBytesStreamed: figures.totalBytes,
        currentBitrate: figures.sentBps,
        frameDrops: figures.totalDrops,
        errors: figures.totalErrors,
        uptime: Math.round((now - this.#startedAt) / 1000),
      },
      streamRecent: { seconds: recentSeconds, ...figures.recent, stalled: [...figures.stalled] },
      networkStats: {
        availableBandwidth: point.available,
        packetLoss: point.loss,
        rtt: point.rtt,
        jitter: point.jitter,
      },
    });
  }

  #point(at: number, figures: Figures, network: AggregatedNetwork): StatisticsPoint {
    const { store, decisions } = this.#parts;
    const targets = decisions()?.streams ?? {};
    const drops = figures.totalDrops - this.#drops;
    this.#drops = figures.totalDrops;
    const stream = (id: 'stream1' | 'stream2', wished: number): StatisticsPoint['stream1'] => ({
      target: targets[id]?.target ?? wished,
      ...figures.streams[id],
    });
    return {
      ...{ at, clients: figures.clients, sent: figures.sentBps, drops },
      available: Math.round(network.availableBandwidth ?? 0),
      loss: rounded(network.packetLoss, 1000),
      rtt: rounded(network.rtt, 10),
      jitter: rounded(network.jitter, 10),
      stream1: stream('stream1', store.get('streamBitrate')),
      stream2: stream('stream2', store.get('stream2').bitrate),
    };
  }

  #logHealth(): Subscription {
    let wasHealthy = true;
    return this.#parts.store.observe('streamHealth').subscribe(({ healthy, reasons }) => {
      if (!healthy && wasHealthy) this.#parts.log.warn(`The streams are not well: ${reasons.join('; ')}`);
      if (healthy && !wasHealthy) this.#parts.log.info('The streams are well again');
      wasHealthy = healthy;
    });
  }
}

/** Of those that are shown. */
function lostCameras(store: AppStore): { readonly camera: string; readonly reason?: string | undefined }[] {
  const settings = cameraSettings(store);
  const { pipEnabled, cameraHeadSettings } = settings;
  const shown = pipEnabled ? (['primary', 'secondary'] as const) : [mainCamera(settings)];
  return shown.flatMap((camera) => {
    const { state, reason } = store.get('cameraStatus')[camera];
    const isMissed = state === 'no signal' && cameraHeadSettings[camera].source !== 'none';
    return isMissed ? [{ camera, reason }] : [];
  });
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
