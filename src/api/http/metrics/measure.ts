// Figures for Prometheus: base units, few labels, nothing that names people or addresses.
import { Type } from '@sinclair/typebox';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { ObscuraError } from '../../../errors.js';
import type { Services } from '../../services.js';
import type { Connections } from '../../ws/connections.js';
import { answers, type App } from '../route.js';
import { measureAdaptive } from './adaptive.js';
import { measureMachine } from './machine.js';
import { Meters } from './meters.js';
import { measureRequests } from './requests.js';
import { measureSettings } from './settings.js';
import { measureVideo } from './video.js';
import { measureViewers } from './viewers.js';

export function measure(app: App, services: Services, connections: Connections): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const meters = new Meters(registry);
  measureMachine(meters, services, connections);
  const stops = [measureSettings(meters, services), measureRequests(meters, app, services)];
  const subscriptions = [
    measureVideo(meters, services),
    measureViewers(meters, services),
    measureAdaptive(meters, services),
  ];
  app.addHook('onClose', (_app, done) => {
    for (const stop of stops) stop();
    for (const subscription of subscriptions) subscription?.unsubscribe();
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
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
