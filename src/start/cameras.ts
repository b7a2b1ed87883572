// Which camera is seen. Says of each whether pictures come, in which form, and what is the matter where none do.
import { isDeepStrictEqual } from 'node:util';
import type { Observable, Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { ChannelReport, PipelineReport } from '../media/messages.js';
import type { ValueOf } from '../observables/define.js';
import { sourceOf } from '../observables/camera.js';
import type { AppRegistry } from '../observables/registry.js';
import type { CameraSettings } from '../pipelines/machine.js';

type Formats = ValueOf<AppRegistry['cameraFormats']>;
type Format = NonNullable<Formats['primary']>;
type Status = ValueOf<AppRegistry['cameraStatus']>['primary'];

const words = { idle: 'idle', starting: 'connecting', running: 'live', failed: 'no signal' } as const;

/** What decides which camera is seen. */
export function cameraSettings(store: AppStore): CameraSettings {
  return {
    activeCameraHead: store.get('activeCameraHead'),
    cameraHeadSettings: store.get('cameraHeadSettings'),
    pipEnabled: store.get('pipEnabled'),
    pipLayout: store.get('pipLayout'),
  };
}

const codecs: Readonly<Record<string, 'h264' | 'h265' | 'mjpeg'>> = {
  'video/x-h264': 'h264',
  'video/x-h265': 'h265',
  'image/jpeg': 'mjpeg',
};

interface Beat {
  readonly pipelines: readonly PipelineReport[];
  readonly channels: Readonly<Record<string, ChannelReport>>;
}

export function followCameras(
  store: AppStore,
  { beats$ }: { readonly beats$: Observable<Beat> },
): Subscription {
  return beats$.subscribe((beat) => {
    const before = store.get('cameraStatus');
    const next = {
      primary: statusOf('primary', beat.pipelines, before.primary),
      secondary: statusOf('secondary', beat.pipelines, before.secondary),
    };
    if (!isDeepStrictEqual(before, next)) store.write({ cameraStatus: next });
    const known = store.get('cameraFormats');
    const formats = Object.fromEntries(
      (['primary', 'secondary'] as const).flatMap((camera) => {
        const from = sourceOf(store.get('cameraHeadSettings')[camera]);
        const seen = formatOf(camera, beat);
        if (seen?.from === from) return [[camera, seen]];
        // What another source has sent says nothing of this one.
        return known[camera]?.from === from ? [[camera, known[camera]]] : [];
      }),
    ) as Formats;
    if (!isDeepStrictEqual(formats, known)) store.write({ cameraFormats: formats });
  });
}

/** Only while the camera itself is seen: the card has a form of its own. */
function formatOf(camera: 'primary' | 'secondary', { pipelines, channels }: Beat): Format | undefined {
  const capture = pipelines.find(({ name }) => name === `capture/${camera}`);
  const caps = channels[`coded/${camera}`]?.caps ?? '';
  const number = (name: string): number => Number(new RegExp(`${name}=\\(int\\)(\\d+)`).exec(caps)?.[1] ?? 0);
  const [width, height] = [number('width'), number('height')];
  if (capture?.state !== 'running' || width === 0 || height === 0) return undefined;
  const rate = /framerate=\(fraction\)(\d+)\/(\d+)/.exec(caps);
  const framerate = rate === null ? 0 : Number(rate[1]) / Number(rate[2]);
  const codec = codecs[caps.split(',', 1)[0] ?? ''] ?? 'other';
  const from = capture.from ?? '';
  return { codec, width, height, framerate: Math.round(framerate * 100) / 100, from };
}

function statusOf(
  camera: 'primary' | 'secondary',
  pipelines: readonly PipelineReport[],
  before: Status,
): Status {
  const capture = pipelines.find(({ name }) => name === `capture/${camera}`);
  if (capture === undefined) return before.state === 'idle' ? before : { state: 'idle', since: Date.now() };
  const { state, since, reason, problem } = capture;
  // One that is tried again and again is without a signal all the time.
  const word = state === 'starting' && reason !== undefined ? 'no signal' : words[state];
  const isSame = word === before.state && problem === before.problem;
  return {
    state: word,
    since: isSame ? before.since : since,
    ...(reason === undefined ? {} : { reason: reason.slice(0, 512) }),
    ...(problem === undefined ? {} : { problem }),
  };
}
