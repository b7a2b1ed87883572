// Turns what the media process reports twice a second into figures for people: totals since the start, rates of now,
// and what went wrong within the last minute. Time comes from outside.
import type { Viewer } from '../api/services.js';
import type { Beat } from '../media/messages.js';
import { Total } from './total.js';

export const recentSeconds = 60;
/** Long enough that single pictures do not make it jump. */
const rateWindowMs = 2000;
/** A stream that somebody watches and that has given nothing for so long has stalled. */
const stalledAfterMs = 2000;

type Report = Pick<Beat, 'pipelines' | 'channels'>;

export interface Readout {
  readonly at: number;
  readonly report: Report;
  readonly viewers: readonly Pick<Viewer, 'id' | 'stream' | 'bytes' | 'framesDropped'>[];
  /** Cameras that are shown and have no signal, with the reason. */
  readonly lost: readonly { readonly camera: string; readonly reason?: string | undefined }[];
  /** How often the media process had to be replaced. */
  readonly crashes: number;
}

interface Marks {
  readonly at: number;
  readonly sent: number;
  readonly drops: number;
  readonly errors: number;
  readonly streams: Readonly<Record<string, { readonly frames: number; readonly bytes: number }>>;
}

export interface StreamFigures {
  readonly bitrate: number;
  readonly fps: number;
  readonly viewers: number;
}

export interface Figures {
  readonly clients: number;
  readonly totalBytes: number;
  /** bit/s to all viewers together. */
  readonly sentBps: number;
  /** Those that were left out for single viewers count as well. */
  readonly totalDrops: number;
  readonly totalErrors: number;
  /** What speaks against the health of the streams, which a viewer with a narrow way does not. */
  readonly recent: { readonly frameDrops: number; readonly errors: number };
  readonly stalled: readonly string[];
  readonly streams: Readonly<Record<'stream1' | 'stream2', StreamFigures>>;
}

export class StreamMeter {
  readonly #sent = new Total();
  /** Frames that were lost because this machine was too slow: for everybody. */
  readonly #drops = new Total();
  /** Frames that were left out on purpose, each for one viewer whose way was too narrow. */
  readonly #shed = new Total();
  readonly #errors = new Total();
  readonly #frames = new Map<string, Total>();
  readonly #bytes = new Map<string, Total>();
  /** Since when somebody has watched. */
  readonly #watched = new Map<string, number>();
  #marks: Marks[] = [];

  read({ at, report: { pipelines, channels }, viewers, lost, crashes }: Readout): Figures {
    this.#sent.take(viewers.map(({ id, bytes }) => [id, bytes] as const));
    // Who takes single pictures takes those that are there: passing some over is no loss.
    const counted = Object.entries(channels).filter(([name]) => !name.startsWith('picture/'));
    this.#drops.take(counted.map(([name, { dropped }]) => [name, dropped] as const));
    this.#shed.take(viewers.map(({ id, framesDropped = 0 }) => [id, framesDropped] as const));
    this.#errors.take([
      ...pipelines.map(({ name, restarts }) => [name, restarts] as const),
      ['the media process', crashes] as const,
    ]);
    const streams: Record<string, { frames: number; bytes: number }> = {};
    for (const id of ['stream1', 'stream2']) {
      const { frames = 0, bytes = 0 } = channels[id] ?? {};
      streams[id] = { frames: totalOf(this.#frames, id, frames), bytes: totalOf(this.#bytes, id, bytes) };
    }
    const now: Marks = {
      ...{ at, streams },
      ...{ sent: this.#sent.total, drops: this.#drops.total, errors: this.#errors.total },
    };
    this.#marks = [...this.#marks.filter((mark) => at - mark.at <= recentSeconds * 1000), now];
    const lately = this.#marks.find((mark) => at - mark.at <= rateWindowMs) ?? now;
    const oldest = this.#marks[0] ?? now;
    const seconds = Math.max(0.001, (now.at - lately.at) / 1000);
    const rate = (pick: (mark: Marks) => number): number => (pick(now) - pick(lately)) / seconds;
    const viewersOf = (id: string): number => viewers.filter(({ stream }) => stream === id).length;
    const figures = (id: 'stream1' | 'stream2'): StreamFigures => ({
      bitrate: Math.round(8 * rate((mark) => mark.streams[id]?.bytes ?? 0)),
      fps: Math.round(10 * rate((mark) => mark.streams[id]?.frames ?? 0)) / 10,
      viewers: viewersOf(id),
    });
    const both = { stream1: figures('stream1'), stream2: figures('stream2') };
    for (const [id, { viewers: count }] of Object.entries(both))
      if (count === 0) this.#watched.delete(id);
      else if (!this.#watched.has(id)) this.#watched.set(id, at);
    const forLong = Object.entries(both).filter(
      ([id]) => at - (this.#watched.get(id) ?? at) > stalledAfterMs,
    );
    return {
      clients: viewers.length,
      totalBytes: now.sent,
      sentBps: Math.round(8 * rate((mark) => mark.sent)),
      totalDrops: now.drops + this.#shed.total,
      totalErrors: now.errors,
      recent: { frameDrops: now.drops - oldest.drops, errors: now.errors - oldest.errors },
      stalled: stalls(forLong, channels, lost),
      streams: both,
    };
  }
}

function totalOf(meters: Map<string, Total>, id: string, value: number): number {
  const meter = meters.get(id) ?? new Total();
  meters.set(id, meter);
  meter.take([[id, value]]);
  return meter.total;
}

function stalls(
  streams: readonly (readonly [id: string, figures: StreamFigures])[],
  channels: Report['channels'],
  lost: Readout['lost'],
): string[] {
  return streams.flatMap(([id, { viewers }]) => {
    const watching = `${id} has stalled while ${String(viewers)} ${viewers === 1 ? 'client watches' : 'clients watch'}`;
    const silent = (channels[id]?.ageMs ?? 0) > stalledAfterMs;
    if (silent) return [`${watching}: nothing has come for ${String(stalledAfterMs / 1000)} seconds`];
    return lost
      .slice(0, 1)
      .map(({ camera, reason = 'no signal' }) =>
        `${watching}: the ${camera} camera gives no picture (${reason})`.slice(0, 256),
      );
  });
}
