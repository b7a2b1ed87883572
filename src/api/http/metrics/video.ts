// Pipelines, frames and what becomes of them. Counts are taken with every beat, so that none is lost when the media
// process starts anew between two visits of Prometheus.
import type { Subscription } from 'rxjs';
import { pipelineName, streamName } from '../../../media/streamNames.js';
import type { Services } from '../../services.js';
import { Growth } from '../../../media/growth.js';
import type { Meters, Sample } from './meters.js';

const pipelineStates = ['idle', 'starting', 'running', 'failed'] as const;
const cameraStates = ['idle', 'connecting', 'live', 'no signal'] as const;

export function measureVideo(meters: Meters, { store, media }: Services): Subscription | undefined {
  const report = (): ReturnType<NonNullable<typeof media>['report']> | undefined => media?.report();

  meters.gauges(
    'obscura_pipeline_state',
    'How many pipelines of this name are in this state.',
    ['pipeline', 'state'],
    () => {
      const counts = new Map<string, number>();
      for (const { name, state } of report()?.pipelines ?? []) {
        const shown = pipelineName(name);
        for (const each of pipelineStates) {
          const id = `${shown} ${each}`;
          counts.set(id, (counts.get(id) ?? 0) + (state === each ? 1 : 0));
        }
      }
      return [...counts].map(([id, count]): Sample => {
        const [pipeline = '', state = ''] = id.split(' ');
        return [{ pipeline, state }, count];
      });
    },
  );
  meters.gauges('obscura_camera_state', '1 for the state that this camera is in.', ['camera', 'state'], () =>
    (['primary', 'secondary'] as const).flatMap((camera) =>
      cameraStates.map((state): Sample => {
        const isSo = store.get('cameraStatus')[camera].state === state;
        return [{ camera, state }, isSo ? 1 : 0];
      }),
    ),
  );
  meters.gauges(
    'obscura_frame_age_seconds',
    'Since the last frame of a stream that is wanted.',
    ['stream'],
    () =>
      Object.entries(report()?.channels ?? {})
        .filter(([name, { producing, ageMs }]) => isStream(name) && producing && ageMs >= 0)
        .map(([stream, { ageMs }]): Sample => [{ stream }, ageMs / 1000]),
  );
  meters.gauge(
    'obscura_native_loop_lag_seconds',
    'How long the main loop of the media process takes to answer.',
    () => (report()?.loopLagMs ?? 0) / 1000,
  );
  const frames = meters.counter(
    'obscura_frames_total',
    'Frames of the streams: encoded, or dropped because somebody did not take them in time.',
    ['stream', 'result'],
  );
  const rebuilds = meters.counter(
    'obscura_pipeline_rebuilds_total',
    'Pipelines that were made anew: for other settings, for another source, or after a failure.',
    ['pipeline', 'reason'],
  );
  const durations = meters.histogram(
    'obscura_pipeline_rebuild_duration_seconds',
    'From the start of a pipeline that takes the place of another to its first frame.',
    ['pipeline'],
    [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15],
  );
  const restarts = meters.counter('obscura_media_restarts_total', 'How often the media process had ended.');
  if (media === undefined) return undefined;

  const encoded = new Growth({ startsAnew: true });
  const dropped = new Growth({ startsAnew: true });
  const shed = new Growth({ startsAnew: true });
  const subscription = media.beats$.subscribe(({ channels }) => {
    const streams = Object.entries(channels).filter(([name]) => !name.includes('/'));
    const count = (growth: Growth, of: 'frames' | 'dropped', result: string): void => {
      for (const [name, grown] of growth.take(new Map(streams.map(([id, channel]) => [id, channel[of]]))))
        frames.inc({ stream: streamName(name), result }, grown);
    };
    count(encoded, 'frames', 'encoded');
    count(dropped, 'dropped', 'dropped');
    const viewers = new Map(media.viewers().map((viewer) => [viewer.id, viewer]));
    const missed = new Map([...viewers].map(([id, { framesDropped = 0 }]) => [id, framesDropped]));
    for (const [id, grown] of shed.take(missed))
      frames.inc({ stream: viewers.get(id)?.stream ?? 'other', result: 'dropped' }, grown);
    if (media.report().state.phase === 'down') restarts.inc();
  });
  subscription.add(
    media.rebuilds$.subscribe(({ pipeline, reason, ms }) => {
      const name = pipelineName(pipeline);
      rebuilds.inc({ pipeline: name, reason });
      if (ms !== undefined) durations.observe({ pipeline: name }, ms / 1000);
    }),
  );
  return subscription;
}

function isStream(channel: string): boolean {
  return !channel.includes('/') && !channel.includes('@');
}
