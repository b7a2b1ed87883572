// Says how well the pictures of two cameras that are shown together belong together in time.
import { isDeepStrictEqual } from 'node:util';
import type { Observable, Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { AlignmentReport } from '../media/messages.js';
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';
import { deviceOf } from '../pipelines/controls.js';
import { triggerInWords } from '../pipelines/triggers.js';

type Status = ValueOf<AppRegistry['alignmentStatus']>;
type Spread = Status['skewMs'];

export function followAlignment(
  store: AppStore,
  { beats$ }: { readonly beats$: Observable<{ readonly alignment?: AlignmentReport }> },
): Subscription {
  return beats$.subscribe(({ alignment }) => {
    const before = store.get('alignmentStatus');
    const next = { ...statusOf(alignment, store, before), triggers: triggersOf(store) };
    if (!isDeepStrictEqual(before, next)) store.write({ alignmentStatus: next });
  });
}

function triggersOf(store: AppStore): Status['triggers'] {
  const [heads, devices, wanted] = [
    store.get('cameraHeadSettings'),
    store.get('videoDevices'),
    store.get('streamAlignment'),
  ];
  const inWords = (camera: 'primary' | 'secondary'): string =>
    triggerInWords(camera, deviceOf(heads[camera], devices), wanted);
  return { primary: inWords('primary'), secondary: inWords('secondary') };
}

function statusOf(
  report: AlignmentReport | undefined,
  store: AppStore,
  before: Status,
): Omit<Status, 'triggers'> {
  if (report === undefined) return { ...before, state: 'idle' };
  if (report.pictures === 0) return before;
  const { enabled, syncTolerance } = store.get('streamAlignment');
  const skewMs = rounded(report.skewMs);
  const isAligned = skewMs.median <= syncTolerance;
  const reason = isAligned ? undefined : reasonFor(report, store);
  return {
    state: !enabled ? 'off' : isAligned ? 'aligned' : 'out of tolerance',
    ...{ skewMs, waitedMs: rounded(report.waitedMs) },
    lagMs: { primary: Math.round(report.lagMs.primary), secondary: Math.round(report.lagMs.secondary) },
    ...{ repeated: report.repeated, dropped: report.dropped },
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What somebody can do about it. */
function reasonFor({ lagMs }: AlignmentReport, store: AppStore): string {
  const { enabled, method, maxLatencyMs } = store.get('streamAlignment');
  if (!enabled) return 'streamAlignment is switched off';
  if (method !== 'timestamp')
    return `By the method ${method} nobody looks at when the pictures were taken; timestamp does`;
  const later = lagMs.primary > lagMs.secondary ? 'primary' : 'secondary';
  if (lagMs[later] > maxLatencyMs)
    return `Pictures of the ${later} camera come ${String(Math.round(lagMs[later]))} ms after they were taken, and the others wait ${String(maxLatencyMs)} ms at most (maxLatencyMs)`;
  return 'The cameras do not take their pictures at the same times';
}

/** Whole milliseconds: less is not to be seen, and would be told all the time. */
function rounded({ median = 0, worst = 0 }: AlignmentReport['skewMs']): Spread {
  return { median: Math.round(median), worst: Math.round(worst) };
}
