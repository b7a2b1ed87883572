// The server itself: what runs, who is connected to it, whether it is ready, how much room there is.
import { builtInRoles } from '../../../observables/permissions.js';
import type { Services } from '../../services.js';
import type { Connections } from '../../ws/connections.js';
import type { Meters, Sample } from './meters.js';

export function measureMachine(meters: Meters, services: Services, connections: Connections): void {
  const { store, sync, version, media, readiness, webhooks } = services;
  let gstreamer = '';
  meters.gauges(
    'obscura_build_info',
    'Always 1; the labels say what runs.',
    ['version', 'node', 'gstreamer'],
    () => {
      const state = media?.report().state;
      // While the media process is being started again, it is still this version.
      if (state?.phase === 'running') gstreamer = state.version.replace(/^GStreamer /, '');
      return [[{ version, node: process.version, gstreamer }, 1]];
    },
  );
  meters.gauges('obscura_ws_connections', 'WebSockets that are open, by role.', ['role'], () => {
    const counts = new Map<string, number>(
      [...Object.keys(builtInRoles), 'custom', 'none'].map((role) => [role, 0]),
    );
    for (const role of connections.roles()) counts.set(role, (counts.get(role) ?? 0) + 1);
    return [...counts].map(([role, count]): Sample => [{ role }, count]);
  });
  meters.gauge('obscura_ws_readers_behind', 'WebSocket readers that have not kept up.', () => sync.behind);
  meters.gauge('obscura_disk_free_bytes', 'Room for recordings.', () => store.get('storageSpace').available);
  meters.gauge(
    'obscura_disk_size_bytes',
    'Of the disk that holds the recordings.',
    () => store.get('storageSpace').total,
  );
  meters.gauge('obscura_ready', '1 while every readiness check holds.', () =>
    readiness().every(({ ok }) => ok) ? 1 : 0,
  );
  const deliveries = meters.counter(
    'obscura_hook_deliveries_total',
    'What was told to webhooks, or could not be.',
    ['event', 'result'],
  );
  webhooks.deliveries$.subscribe(({ event, result }) => {
    deliveries.inc({ event, result });
  });
  meters.gauges('obscura_check', '1 where this readiness check holds.', ['check'], () =>
    readiness().map(({ name, ok }): Sample => [{ check: name }, ok ? 1 : 0]),
  );
}
