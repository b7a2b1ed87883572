// What is asked over HTTP, and what is refused there.
import { ObscuraError } from '../../../errors.js';
import type { Services } from '../../services.js';
import type { App } from '../route.js';
import type { Meters } from './meters.js';

/** Returns how to stop. */
export function measureRequests(meters: Meters, app: App, { journal }: Services): () => void {
  const requests = meters.histogram(
    'obscura_http_request_duration_seconds',
    'HTTP requests by route.',
    ['method', 'route', 'status'],
    [0.001, 0.005, 0.02, 0.1, 0.5, 2.5],
  );
  const authFailures = meters.counter(
    'obscura_auth_failures_total',
    'Log-ins and tokens that were refused.',
    ['protocol'],
  );
  // Wrong passwords are told by the audit, which knows of those on WebSockets as well.
  const stopListening = journal.onAudit(({ event, via }) => {
    if (event === 'log-in refused') authFailures.inc({ protocol: via });
  });
  app.addHook('onError', (request, _reply, error, done) => {
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
  return stopListening;
}
