// How settings are changed, and whether what they ask for is done.
import type { Services } from '../../services.js';
import type { Meters } from './meters.js';

/** Returns how to stop. */
export function measureSettings(meters: Meters, { store, journal }: Services): () => void {
  meters.gauge('obscura_setting_revision', 'Revision of the state.', () => store.revision);
  meters.gauge('obscura_settings_unsettled', 'Settings that are pending or have failed.', () => {
    return store.statuses.unsettled().length;
  });
  const changes = meters.counter('obscura_setting_changes_total', 'Changes of settings, made and refused.', [
    ...(['key', 'source', 'result'] as const),
  ]);
  const applying = meters.histogram(
    'obscura_setting_apply_duration_seconds',
    'From the commit of a change until it is in force or has failed.',
    ['result'],
    [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  for (const result of ['applied', 'failed']) applying.zero({ result });

  const commits = store.commits$.subscribe(({ changed, actor }) => {
    for (const { key } of changed) changes.inc({ key, source: actor.via, result: 'done' });
  });
  const underway = new Map<string, number>();
  const statuses = store.statuses.changes$.subscribe(({ key, status }) => {
    if (status === 'pending') underway.set(key, underway.get(key) ?? performance.now());
    else {
      const since = underway.get(key);
      underway.delete(key);
      if (since !== undefined) applying.observe({ result: status }, (performance.now() - since) / 1000);
    }
  });
  const stopListening = journal.onAudit(({ outcome, via, keys }) => {
    if (outcome !== 'refused') return;
    // Whatever name a client made up must not become a label.
    for (const key of keys ?? [])
      if (store.cell(key) !== undefined) changes.inc({ key, source: via, result: 'refused' });
  });
  return () => {
    commits.unsubscribe();
    statuses.unsubscribe();
    stopListening();
  };
}
