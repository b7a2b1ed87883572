// Says how well the pictures of two cameras that are shown together belong together in time.
import { isDeepStrictEqual } from 'node:util';
import type { Observable, Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { AlignmentReport } from '../media/messages.js';
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';

type Status = ValueOf<AppRegistry['alignmentStatus']>;
type Spread = Status['skewMs'];

export function followAlignment(
  store: AppStore,
  { beats$ }: { readonly beats$: Observable<{ readonly alignment?: AlignmentReport }> },
): Subscription {
  return beats$.subscribe(({ alignment }) => {
    const before = store.get('alignmentStatus');
    const next = statusOf(alignment, store, before);
    if (!isDeepStrictEqual(before, next)) store.write({ alignmentStatus: next });
  });
}

function statusOf(report: AlignmentReport | undefined, store: AppStore, before: Status): Status {
  if (report === undefined) return { ...before, state: 'idle' };
  if (report.pictures === 0) return before;
  const { enabled, syncTolerance } = store.get('streamAlignment');
  const skewMs = rounded(report.skewMs);
  const isAligned = skewMs.median <= syncTolerance;
  const reason = isAligned ? undefined : reasonFor(report, store);
  return {
    state: !enabled ? 'off' : isAligned ? 'aligned' : 'out of tolerance',
    ...{ skewMs, waitedMs: rounded(report.waitedMs) },
    ...{ repeated: report.repeated, dropped: report.dropped },
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What somebody can do about it. */
function reasonFor({ skewMs, waitedMs }: AlignmentReport, store: AppStore): string {
  const { enabled, method, maxLatencyMs } = store.get('streamAlignment');
  if (!enabled) return 'streamAlignment is switched off';
  if (method !== 'timestamp')
    return `By the method ${method} nobody looks at when the pictures were taken; timestamp does`;
  // The one that came in time has waited about as long as it may.
  if ((waitedMs.worst ?? 0) >= maxLatencyMs / 2)
    return `Pictures wait ${String(maxLatencyMs)} ms at most (maxLatencyMs), and would have to wait ${String(Math.round(skewMs.median ?? 0))} ms more`;
  return 'The cameras do not take their pictures at the same times';
}

/** Whole milliseconds: less is not to be seen, and would be told all the time. */
function rounded({ median = 0, worst = 0 }: AlignmentReport['skewMs']): Spread {
  return { median: Math.round(median), worst: Math.round(worst) };
}
