// Figures for Prometheus: base units, few labels, nothing that names people or addresses.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Type } from '@sinclair/typebox';
import { ObscuraError } from '../../errors.js';
import type { Services } from '../services.js';
import { answers, type App } from './route.js';

interface ConnectionCount {
  readonly size: number;
}

export function measure(app: App, services: Services, connections: ConnectionCount): void {
  const { store, journal, sync, version } = services;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  new Gauge({
    name: 'obscura_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  gauge('obscura_setting_revision', 'Revision of the state.', () => store.revision);
  gauge('obscura_ws_connections', 'WebSockets that are open.', () => connections.size);
  gauge('obscura_ws_readers_behind', 'WebSocket readers that have not kept up.', () => sync.behind);
  gauge('obscura_settings_unsettled', 'Settings that are pending or have failed.', () => {
    return store.statuses.unsettled().length;
  });
  gauge('obscura_disk_free_bytes', 'Space for recordings.', () => store.get('storageSpace').available);
  gauge('obscura_ready', '1 while every readiness check holds.', () =>
    services.readiness().every(({ ok }) => ok) ? 1 : 0,
  );

  const changes = new Counter({
    name: 'obscura_setting_changes_total',
    help: 'Changes of settings, made and refused.',
    labelNames: ['key', 'source', 'result'],
    registers,
  });
  const authFailures = new Counter({
    name: 'obscura_auth_failures_total',
    help: 'Log-ins and tokens that were refused.',
    labelNames: ['protocol'],
    registers,
  });
  const applying = new Histogram({
    name: 'obscura_setting_apply_duration_seconds',
    help: 'From the commit of a change until it is in force or has failed.',
    labelNames: ['result'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const requests = new Histogram({
    name: 'obscura_http_request_duration_seconds',
    help: 'HTTP requests by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2.5],
    registers,
  });

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
  const stopListening = journal.onAudit(({ outcome, event, via, keys }) => {
    if (event === 'log-in refused') authFailures.inc({ protocol: via });
    if (outcome !== 'refused') return;
    // Whatever name a client made up must not become a label.
    for (const key of keys ?? [])
      if (store.cell(key) !== undefined) changes.inc({ key, source: via, result: 'refused' });
  });
  app.addHook('onError', (request, _reply, error, done) => {
    // Wrong passwords are counted by the audit, which knows of those on WebSockets as well.
    const byToken = /^bearer /i.test(request.headers.authorization ?? '') || 'x-api-key' in request.headers;
    if (byToken && error instanceof ObscuraError && error.code === 'unauthenticated')
      authFailures.inc({ protocol: 'http' });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    requests.observe(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: `${String(Math.floor(reply.statusCode / 100))}xx`,
      },
      reply.elapsedTime / 1000,
    );
    done();
  });
  app.addHook('onClose', (_app, done) => {
    commits.unsubscribe();
    statuses.unsubscribe();
    stopListening();
    registry.clear();
    done();
  });

  for (const url of ['/metrics', '/api/monitoring/prometheus'])
    app.get(
      url,
      {
        config: { access: 'visitor', budget: 'none' },
        schema: {
          tags: ['information'],
          summary: 'Figures for Prometheus; from this machine without log-in, from elsewhere with System_r',
          querystring: Type.Object({ token: Type.Optional(Type.String({ maxLength: 512 })) }),
          response: answers(Type.String()),
        },
      },
      async (request, reply) => {
        const { identity, ip } = request;
        if (!isLoopback(ip) && !identity.may('System_r', 'System_rw'))
          throw new ObscuraError('forbidden', 'Metrics take System_r');
        return await reply.type(registry.contentType).send(await registry.metrics());
      },
    );

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
