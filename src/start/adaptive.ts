// Runs the adaptive loop: tells it what is wished, who watches and what is learnt of their ways, and carries out what it
// decides. What the loop thinks is in src/adaptive, which knows nothing of all this.
import { isDeepStrictEqual } from 'node:util';
import { interval, map, merge, Subject, Subscription } from 'rxjs';
import type { Logger } from 'pino';
import type { AppStore } from '../access/accounts.js';
import type { LoopInput, LoopOutput, StreamId, StreamWish, Viewer } from '../adaptive/decisions.js';
import { adaptiveLoop } from '../adaptive/loop.js';
import type { PathSample } from '../adaptive/samples.js';
import { messageOf } from '../errors.js';
import type { Supervisor } from '../media/supervisor.js';
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';
import { sizeOf } from '../observables/schemas.js';
import { streamAt } from '../pipelines/plan.js';
import { monotonicMs } from '../media/pathSamples.js';
import { systemActor } from '../store/actor.js';
import type { WebRtcWatchers } from './webrtc.js';
import type { AdaptiveDecision } from '../api/services.js';
import { DecisionMemory } from './decisionMemory.js';
import { DecisionSummary, type Summary } from './decisionSummary.js';
import { RtspLimits } from './rtspLimits.js';

const stepMs = 100;
const publishMs = 1000;
/** Changes smaller than this part of the bitrate are not worth telling the encoder. */
const smallestChange = 0.02;
/** More are decided about, but not shown one by one. */
const mostShown = 256;

type AdaptiveState = ValueOf<AppRegistry['adaptiveState']>;

export interface AdaptiveParts {
  readonly store: AppStore;
  readonly supervisor: Supervisor;
  readonly webrtc: Pick<WebRtcWatchers, 'list' | 'move'>;
  readonly note: (summary: Summary) => void;
  readonly log: Pick<Logger, 'info' | 'debug'>;
}

export class Adaptive {
  readonly #parts: AdaptiveParts;
  readonly #actor = systemActor('adaptive', 'adaptive');
  readonly #subscriptions = new Subscription();
  readonly #summary: DecisionSummary;
  readonly #memory = new DecisionMemory();
  readonly #rtspLimits: RtspLimits;
  readonly #steered = new Map<StreamId, number | null>();
  #collected: PathSample[] = [];
  #latest: LoopOutput | undefined;
  #publishedAt = 0;
  /** In mode rotoclear: the wish that people see is the loop's, until it is left. */
  #hasWritten = false;
  /** What the main stream ran at while the loop did not limit it. */
  #freeFramerate: number;

  constructor(parts: AdaptiveParts) {
    this.#parts = parts;
    this.#summary = new DecisionSummary(parts.note);
    const { store, supervisor } = parts;
    this.#rtspLimits = new RtspLimits((limit) => supervisor.order('rtsp-limit', limit));
    this.#freeFramerate = store.get('streamFramerateEffective');
    const steps = new Subject<LoopInput>();
    this.#subscriptions.add(supervisor.samples$.subscribe((samples) => this.#collected.push(...samples)));
    this.#subscriptions.add(
      steps.pipe(adaptiveLoop()).subscribe((output) => {
        this.#carryOut(output);
      }),
    );
    this.#subscriptions.add(
      merge(interval(stepMs), store.observe('adaptiveBitrate'), store.observe('streamBitrate'))
        .pipe(map(() => this.#input()))
        .subscribe(steps),
    );
  }

  get latest(): LoopOutput | undefined {
    return this.#latest;
  }

  /** Of the last minutes, the oldest first. */
  decisions(): readonly AdaptiveDecision[] {
    return this.#memory.list(Date.now());
  }

  /** What people asked for holds again. */
  async stop(): Promise<void> {
    this.#subscriptions.unsubscribe();
    this.#summary.end();
    await this.#restoreWish();
  }

  #input(): LoopInput {
    const { store } = this.#parts;
    const { mode, min, max, policy = 'percentile', ladder = true } = store.get('adaptiveBitrate');
    const samples = this.#collected;
    this.#collected = [];
    return {
      at: monotonicMs(),
      settings: { mode, min, max, policy, ladder },
      streams: this.#streams(),
      viewers: this.#viewers(),
      samples,
    };
  }

  #streams(): LoopInput['streams'] {
    const { store, supervisor } = this.#parts;
    const passed = store.get('streamPassthroughStatus');
    const encoded = (id: StreamId): Pick<StreamWish, 'encodedBps' | 'steerable'> => {
      const bitrate = supervisor.beat.channels[id]?.bitrate;
      // JPEG knows a quality, which says little of how many bits that takes.
      const isJpeg = id === 'stream1' && store.get('videoEncoder') === 'mjpeg';
      return {
        ...(bitrate === undefined ? {} : { encodedBps: bitrate }),
        ...(passed[id].active || isJpeg ? { steerable: false } : {}),
      };
    };
    const stream2 = store.get('stream2');
    if (store.get('adaptiveLadder').stream1.framerate === null)
      this.#freeFramerate = store.get('streamFramerateEffective');
    return {
      stream1: {
        bitrate: store.get('streamBitrate'),
        ...sizeOf(store.get('streamResolution')),
        framerate: this.#freeFramerate,
        ...encoded('stream1'),
      },
      ...(stream2.enabled
        ? {
            stream2: {
              bitrate: stream2.bitrate,
              ...sizeOf(stream2.resolution),
              framerate: stream2.framerate,
              ...encoded('stream2'),
            },
          }
        : {}),
    };
  }

  #viewers(): Viewer[] {
    const { store, supervisor, webrtc } = this.#parts;
    // Browsers play H.264 alone, which the second stream always is.
    const movable = store.get('videoEncoder') === 'h264' && store.get('stream2').enabled;
    const rtsp = supervisor.beat.clients.flatMap((client): Viewer[] => {
      const stream = streamAt(client.path);
      if (stream !== 'stream1' && stream !== 'stream2') return [];
      return [{ id: `rtsp-${String(client.id)}`, stream, wished: stream, movable: false }];
    });
    return [
      ...rtsp,
      ...webrtc.list().map(({ viewer, stream, wished }) => ({ id: viewer, stream, wished, movable })),
    ];
  }

  #carryOut(output: LoopOutput): void {
    const { store, supervisor } = this.#parts;
    this.#latest = output;
    const { mode } = store.get('adaptiveBitrate');
    if (mode === 'rotoclear') this.#writeWish(output);
    else this.#restoreWish().catch(this.#complain);
    this.#steer(mode === 'auto' ? output : { ...output, streams: {} });
    this.#move(output);
    this.#rtspLimits.take(output, supervisor.beat.clients, mode === 'auto');
    this.#limit(output);
    this.#summary.take(output);
    this.#memory.take(output, Date.now());
    this.#publish(output);
  }

  #steer({ streams }: LoopOutput): void {
    const { store, supervisor } = this.#parts;
    if (supervisor.state.phase !== 'running') return;
    const wished = { stream1: store.get('streamBitrate'), stream2: store.get('stream2').bitrate };
    let hasChanged = false;
    for (const id of ['stream1', 'stream2'] as const) {
      const target = streams[id]?.target ?? wished[id];
      const next = target >= wished[id] ? null : target;
      const before = this.#steered.get(id) ?? null;
      const isSame =
        next === before ||
        (next !== null && before !== null && Math.abs(next - before) < before * smallestChange);
      if (isSame) continue;
      hasChanged = true;
      this.#steered.set(id, next);
    }
    if (hasChanged)
      supervisor.order('steer', Object.fromEntries(this.#steered)).catch((error: unknown) => {
        // It is told again.
        this.#steered.clear();
        this.#complain(error);
      });
  }

  #move({ moves }: LoopOutput): void {
    const { webrtc, log } = this.#parts;
    for (const { viewer, to, reason } of moves) {
      log.info(`${viewer} is moved to ${to}: ${reason}`);
      webrtc.move(viewer, to).catch(this.#complain);
    }
  }

  #limit({ streams }: LoopOutput): void {
    const { store } = this.#parts;
    const free = { height: null, framerate: null };
    const adaptiveLadder = {
      stream1: { ...(streams.stream1?.rung ?? free) },
      stream2: { ...(streams.stream2?.rung ?? free) },
    };
    if (!isDeepStrictEqual(adaptiveLadder, store.get('adaptiveLadder')))
      store.write({ adaptiveLadder }, this.#actor);
  }

  /** As the reference product does, the loop changes what people see as their own wish; it is never saved. */
  #writeWish({ streams }: LoopOutput): void {
    const { store } = this.#parts;
    const { target, reason = '' } = streams.stream1 ?? {};
    if (target === undefined || target === store.get('streamBitrate')) return;
    this.#hasWritten = true;
    store
      .transact(this.#actor, { streamBitrate: target }, { transient: true, note: reason })
      .catch(this.#complain);
  }

  async #restoreWish(): Promise<void> {
    if (!this.#hasWritten) return;
    this.#hasWritten = false;
    const { store } = this.#parts;
    const saved = store.cell('streamBitrate')?.durable;
    if (saved === undefined) return;
    await store.transact(this.#actor, { streamBitrate: saved.value as number }, { note: 'as it was saved' });
  }

  #publish(output: LoopOutput): void {
    const { store } = this.#parts;
    if (output.at - this.#publishedAt < publishMs) return;
    this.#publishedAt = output.at;
    const adaptiveState = this.#state(output);
    const streamBitrateEffective = adaptiveState.streams['stream1']?.target ?? store.get('streamBitrate');
    store.write({ streamBitrateEffective, adaptiveState }, this.#actor);
  }

  #state({ streams, viewers }: LoopOutput): AdaptiveState {
    const { store, supervisor } = this.#parts;
    const on = store.get('adaptiveBitrate').mode !== 'off';
    const where = new Map(this.#viewers().map(({ id, stream }) => [id, stream]));
    const shown = Object.entries(viewers).slice(0, mostShown);
    return {
      active: on && shown.length > 0 && supervisor.state.phase === 'running',
      streams: Object.fromEntries(
        Object.entries(streams).map(([id, { target, reason, cause, limitedBy, rung }]) => [
          id,
          {
            ...{ target: Math.round(target), reason: reason.slice(0, 256), cause, rung: { ...rung } },
            ...(limitedBy === undefined ? {} : { limitedBy }),
          },
        ]),
      ),
      viewers: Object.fromEntries(
        shown.map(([id, viewer]) => {
          const stream = where.get(id);
          const { target, reason, state, votes, availableBps, loss, rttMs, jitterMs, queueMs } = viewer;
          return [
            id,
            {
              ...{ target: coarse(target), reason: reason.slice(0, 256), state, votes },
              ...(stream === undefined ? {} : { stream }),
              ...(availableBps === null ? {} : { available: coarse(availableBps) }),
              loss: Math.round(loss * 1000) / 1000,
              ...(rttMs === null ? {} : { rtt: Math.round(rttMs) }),
              ...(jitterMs === null ? {} : { jitter: Math.round(jitterMs) }),
              ...(queueMs === null ? {} : { queue: Math.round(queueMs) }),
            },
          ];
        }),
      ),
    };
  }

  readonly #complain = (error: unknown): void => {
    this.#parts.log.debug(`The adaptive loop is not followed: ${messageOf(error)}`);
  };
}

/** To 10 kbit/s: less is noise, and would be told to everybody every second. */
function coarse(bps: number): number {
  return Math.round(bps / 10_000) * 10_000;
}
