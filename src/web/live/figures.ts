// What the browser measures of the stream it receives, as figures of the last second, and which of them are bad.

export interface Figures {
  readonly codec?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly fps?: number | undefined;
  /** bit/s */
  readonly bitrate?: number | undefined;
  readonly decoded?: number | undefined;
  readonly dropped?: number | undefined;
  /** 0 to 1, of the pictures since the last figures. */
  readonly droppedShare?: number | undefined;
  /** 0 to 1, of the packets since the last figures. */
  readonly loss?: number | undefined;
  readonly rttMs?: number | undefined;
  /** From the server to the screen: half the round trip, and the time in the buffer and the decoder. */
  readonly delayMs?: number | undefined;
}

/** The counters of one moment, which figures are the difference of. */
export interface Counters {
  readonly at: number;
  readonly bytes: number;
  readonly decoded: number;
  readonly dropped: number;
  readonly packets: number;
  readonly lost: number;
  readonly waitedSeconds: number;
}

/** The members of the browser's statistics that are used; its own types do not have all of them. */
export interface StatsEntry {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly kind?: string;
  readonly mimeType?: string;
  readonly codecId?: string;
  readonly bytesReceived?: number;
  readonly framesDecoded?: number;
  readonly framesDropped?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly totalProcessingDelay?: number;
  readonly nominated?: boolean;
  readonly currentRoundTripTime?: number;
}

export interface Measured {
  readonly figures: Figures;
  readonly counters: Counters;
}

/** Undefined while no video is received. */
export function measure(entries: Iterable<StatsEntry>, before: Counters | undefined): Measured | undefined {
  const all = [...entries];
  const video = all.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  if (video === undefined) return undefined;
  const codec = all.find(({ id }) => id === video.codecId);
  const pair = all.find(({ type, nominated }) => type === 'candidate-pair' && nominated === true);
  const counters: Counters = {
    at: video.timestamp,
    bytes: video.bytesReceived ?? 0,
    decoded: video.framesDecoded ?? 0,
    dropped: video.framesDropped ?? 0,
    packets: video.packetsReceived ?? 0,
    lost: video.packetsLost ?? 0,
    waitedSeconds: video.totalProcessingDelay ?? 0,
  };
  const rttMs = pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000;
  return {
    counters,
    figures: {
      codec: codec?.mimeType?.replace(/^video\//, ''),
      width: video.frameWidth,
      height: video.frameHeight,
      decoded: counters.decoded,
      dropped: counters.dropped,
      rttMs,
      ...since(counters, before, rttMs),
    },
  };
}

function since(
  now: Counters,
  before: Counters | undefined,
  rttMs: number | undefined,
): Pick<Figures, 'fps' | 'bitrate' | 'loss' | 'delayMs' | 'droppedShare'> {
  if (before === undefined || now.at <= before.at) return {};
  const lost = Math.max(0, now.lost - before.lost);
  const packets = now.packets - before.packets + lost;
  const decoded = now.decoded - before.decoded;
  const dropped = now.dropped - before.dropped;
  const waitedMs = ((now.waitedSeconds - before.waitedSeconds) * 1000) / decoded;
  return {
    // The browser's own figure is wrong by far in the first second.
    fps: (decoded * 1000) / (now.at - before.at),
    bitrate: ((now.bytes - before.bytes) * 8000) / (now.at - before.at),
    loss: packets === 0 ? 0 : lost / packets,
    droppedShare: dropped === 0 ? 0 : dropped / (decoded + dropped),
    delayMs: decoded > 0 ? waitedMs + (rttMs ?? 0) / 2 : undefined,
  };
}

/** From here on a person at the picture would notice. */
const limits = { loss: 0.02, delayMs: 1000, fpsShare: 0.8, droppedShare: 0.02 } as const;

export type FigureName = keyof Figures;

export function badFigures(figures: Figures, wantedFps: number | undefined): ReadonlySet<FigureName> {
  const { loss = 0, delayMs = 0, fps, droppedShare = 0 } = figures;
  const bad = new Set<FigureName>();
  if (loss > limits.loss) bad.add('loss');
  if (delayMs > limits.delayMs) bad.add('delayMs');
  if (fps !== undefined && wantedFps !== undefined && fps < wantedFps * limits.fpsShare) bad.add('fps');
  if (droppedShare > limits.droppedShare) bad.add('dropped');
  return bad;
}
