// Whether the video is served as it should be: pure judgement of what is wished and what is known, part by part.
import type { Check } from '../api/services.js';
import type { Beat, ChannelReport, PipelineReport } from '../media/messages.js';
import type { MediaState } from '../media/supervisor.js';

/** Pictures that somebody waits for and that are older than this have stopped. */
const freshWithinMs = 2000;
/** At low rates pictures are further apart. */
const freshWithinFrames = 3;
/** A pipeline may take this long until it gives something. */
const startWithinMs = 5000;

export interface VideoFacts {
  readonly state: MediaState;
  readonly beat: Omit<Beat, 'kind'>;
  /** Null where it is switched off. */
  readonly rtsp: { readonly port: number | null; readonly securePort: number | null };
  /** Why the RTSP server does not listen as it should, where that is known. */
  readonly rtspTrouble: string | undefined;
  readonly cameras: Readonly<
    Record<'primary' | 'secondary', { readonly state: string; readonly reason?: string }>
  >;
  /** Of the stream that is seen. */
  readonly framerate: number;
}

export function videoChecks(facts: VideoFacts, now: number): Check[] {
  const { state, beat } = facts;
  if (state.phase !== 'running')
    return [no('media', state.phase === 'down' ? state.reason : 'It is starting')];
  return [
    { name: 'media', ok: true },
    rtspCheck(facts),
    ...(['primary', 'secondary'] as const).flatMap((camera) => cameraCheck(camera, facts)),
    pipelinesCheck(beat.pipelines, now),
    ...beat.pipelines.flatMap((pipeline) => picturesCheck(pipeline, facts, now)),
  ];
}

function rtspCheck({ rtsp, rtspTrouble, beat }: VideoFacts): Check {
  const listening = beat.rtsp ?? { port: null, securePort: null };
  if (listening.port === rtsp.port && listening.securePort === rtsp.securePort)
    return { name: 'rtsp', ok: true };
  const ports = [rtsp.port, rtsp.securePort].filter((port) => port !== null).join(' and ');
  return no('rtsp', rtspTrouble ?? (ports === '' ? 'It still listens' : `It does not listen on ${ports}`));
}

/** What is shown while a camera is away is a card: viewers are served, but not with what they came for. */
function cameraCheck(camera: 'primary' | 'secondary', { cameras, beat }: VideoFacts): Check[] {
  const name = `camera/${camera}`;
  if (!beat.pipelines.some((pipeline) => pipeline.name === `capture/${camera}`)) return [];
  const { state, reason } = cameras[camera];
  return [state === 'no signal' ? no(name, reason ?? 'No pictures come') : { name, ok: true }];
}

/** Cameras have checks of their own. */
function pipelinesCheck(pipelines: readonly PipelineReport[], now: number): Check {
  const stuck = pipelines
    .filter(({ name }) => !name.startsWith('capture/'))
    .flatMap(({ name, state, since, reason }) => {
      if (state === 'failed') return [`${name} has failed: ${reason ?? 'it does not say why'}`];
      return state === 'starting' && now - since > startWithinMs ? [`${name} does not start`] : [];
    });
  return stuck.length === 0 ? { name: 'pipelines', ok: true } : no('pipelines', stuck.join('; '));
}

/** A stream runs while somebody watches it or it is kept warm; one that idles is well. */
function picturesCheck(
  { name, state, since }: PipelineReport,
  { beat, framerate }: VideoFacts,
  now: number,
): Check[] {
  const stream = /^encode\/([^@]+)$/.exec(name)?.[1];
  if (stream === undefined) return [];
  const check = `pictures/${stream}`;
  if (state === 'idle' || now - since <= startWithinMs) return [{ name: check, ok: true }];
  const patience = Math.max(freshWithinMs, (freshWithinFrames * 1000) / Math.max(1, framerate));
  const age = ageOf(beat.channels[stream]);
  if (age <= patience) return [{ name: check, ok: true }];
  const words = Number.isFinite(age) ? `for ${(age / 1000).toFixed(1)} s` : 'so far';
  return [no(check, `No picture has come ${words}`)];
}

function ageOf(channel: ChannelReport | undefined): number {
  return channel === undefined || channel.ageMs < 0 ? Infinity : channel.ageMs;
}

function no(name: string, reason: string): Check {
  return { name, ok: false, reason };
}
