// Which camera is seen. Says of each whether pictures come, and what is the matter where none do.
import { isDeepStrictEqual } from 'node:util';
import type { Observable, Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { PipelineReport } from '../media/messages.js';
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';
import type { CameraSettings } from '../pipelines/machine.js';

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

export function followCameras(
  store: AppStore,
  { beats$ }: { readonly beats$: Observable<{ readonly pipelines: readonly PipelineReport[] }> },
): Subscription {
  return beats$.subscribe(({ pipelines }) => {
    const before = store.get('cameraStatus');
    const next = {
      primary: statusOf('primary', pipelines, before.primary),
      secondary: statusOf('secondary', pipelines, before.secondary),
    };
    if (!isDeepStrictEqual(before, next)) store.write({ cameraStatus: next });
  });
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
