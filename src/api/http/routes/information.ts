// What the device is and how it fares, for people, monitors and clients of the reference product.
import { Type, type Static } from '@sinclair/typebox';
import type { Identity } from '../../../access/identity.js';
import { readTemperature } from '../../../system/readings.js';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';

const tags = ['information'];
const mayReadSystem = ['System_r', 'System_rw'] as const;
const mayReadDevice = ['Device_r', 'Device_rw'] as const;
const mayReadNetwork = ['Network_r', 'Network_rw'] as const;
const Space = Type.Object({ total: Type.Integer(), available: Type.Integer(), used: Type.Integer() });
const Info = Type.Object({
  status: Type.Union([Type.Literal('online'), Type.Literal('error')]),
  timestamp: Type.String(),
  version: Type.Optional(Type.String()),
  build: Type.Optional(Type.String()),
  uptime: Type.Optional(Type.Integer({ description: 'Seconds.' })),
  system: Type.Optional(
    Type.Object({
      temperature: Type.Number({ description: 'Degrees Celsius; 0 without a sensor.' }),
      cpu_usage: Type.Number({ description: 'Percent.' }),
      memory: Space,
      disk: Space,
    }),
  ),
  camera: Type.Optional(
    Type.Object({
      connected: Type.Boolean(),
      resolution: Type.String(),
      framerate: Type.Integer(),
      recording: Type.Boolean(),
    }),
  ),
  network: Type.Optional(
    Type.Object({ ip: Type.String(), hostname: Type.String(), connected: Type.Boolean() }),
  ),
});
const Check = Type.Union([Type.Literal('ok'), Type.Literal('unavailable')]);
const Health = Type.Object({
  status: Type.Union([Type.Literal('healthy'), Type.Literal('degraded')]),
  timestamp: Type.String(),
  checks: Type.Object({ camera: Check, storage: Check, network: Check }),
});
const Readiness = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Array(
    Type.Object({ name: Type.String(), ok: Type.Boolean(), reason: Type.Optional(Type.String()) }),
  ),
});
const part = Type.String({ maxLength: 32 });
const Excluded = Type.Object({
  exclude: Type.Optional(Type.Union([part, Type.Array(part, { maxItems: 16 })])),
});
const Token = Type.Object({ token: Type.Optional(Type.String({ maxLength: 512 })) });

export function informationRoutes(app: App, services: Services): void {
  const { store, version, startedAt, readiness } = services;
  const isHealthy = (): boolean => readiness().every(({ ok }) => ok);

  /** Each part only for those who may read the settings it is made from. */
  const info = async (identity: Identity): Promise<Static<typeof Info>> => {
    const memory = store.get('memoryUsage');
    const head = headOf(services, 'primary');
    return {
      status: isHealthy() ? 'online' : 'error',
      timestamp: new Date().toISOString(),
      ...(identity.may(...mayReadSystem)
        ? {
            version,
            build: version,
            uptime: Math.floor((Date.now() - startedAt) / 1000),
            system: {
              temperature: await readTemperature(),
              cpu_usage: store.get('cpuUsage'),
              memory: { total: memory.total, available: memory.total - memory.used, used: memory.used },
              disk: store.get('storageSpace'),
            },
          }
        : {}),
      ...(identity.may(...mayReadDevice)
        ? {
            camera: {
              connected: head.connected,
              resolution: head.resolution,
              framerate: head.framerate,
              recording: store.get('recordingState') !== 'stopped',
            },
          }
        : {}),
      ...(identity.may(...mayReadNetwork) || identity.may(...mayReadSystem)
        ? {
            network: {
              ip: store.get('ipAddress'),
              hostname: store.get('hostname'),
              connected: store.get('ipAddress') !== '',
            },
          }
        : {}),
    };
  };

  for (const url of ['/api/info', '/api/system/info'])
    app.get(
      url,
      {
        config: { access: mayReadSystem },
        schema: { tags, summary: 'The device in short', querystring: Token, response: answers(Info) },
      },
      ({ identity }) => info(identity),
    );
  for (const url of ['/api/status', '/status', '/api/v1/status'])
    app.get(
      url,
      {
        config: { access: 'visitor' },
        schema: {
          tags,
          summary: 'The same; without log-in only whether it works',
          querystring: Token,
          response: answers(Info),
        },
      },
      ({ identity }) => info(identity),
    );

  for (const url of ['/health', '/api/health'])
    app.get(
      url,
      {
        config: { access: 'public', budget: 'none' },
        schema: { tags, summary: 'Whether the parts work', response: answers(Health) },
      },
      () => {
        const checks = {
          camera: check(headOf(services, 'primary').connected),
          storage: check(store.get('storageSpace').available > 0),
          network: check(store.get('ipAddress') !== ''),
        };
        return {
          status: isHealthy() ? ('healthy' as const) : ('degraded' as const),
          timestamp: new Date().toISOString(),
          checks,
        };
      },
    );

  app.get(
    '/livez',
    {
      config: { access: 'public', budget: 'none' },
      schema: {
        tags,
        summary: 'Whether the process turns at all',
        response: answers(Type.Object({ alive: Type.Literal(true) })),
      },
    },
    () => ({ alive: true as const }),
  );
  for (const url of ['/readyz', '/healthz', '/api/ready'])
    app.get(
      url,
      {
        config: { access: 'public', budget: 'none' },
        schema: {
          tags,
          summary: 'Whether it can be used; 503 with the reasons where not',
          description:
            'Checks named by `exclude`, or below that name, are told but do not count: `camera` for whoever is served well by the card that stands in for a camera.',
          querystring: Excluded,
          response: { ...answers(Readiness), 503: Readiness },
        },
      },
      ({ query }, reply) => {
        const excluded = [query.exclude ?? []].flat();
        const checks = readiness().map((each) => ({ ...each }));
        const ready = checks.every(({ name, ok }) => ok || excluded.some((part) => isOf(part, name)));
        if (!ready) reply.code(503);
        return { ready, checks };
      },
    );
}

function isOf(part: string, check: string): boolean {
  return check === part || check.startsWith(`${part}/`);
}

function check(works: boolean): Static<typeof Check> {
  return works ? 'ok' : 'unavailable';
}

export interface HeadFacts {
  readonly device: string;
  readonly resolution: string;
  readonly framerate: number;
  readonly format: string;
  readonly connected: boolean;
}

/** A camera whose picture nobody can fetch is there at best, but not connected. */
export function headOf(
  { store, readiness }: Pick<Services, 'store' | 'readiness'>,
  name: 'primary' | 'secondary',
): HeadFacts {
  const { source, device, url, resolution, fps, format } = store.get('cameraHeadSettings')[name];
  const exists = store.get(name === 'primary' ? 'cam0Exists' : 'cam1Exists');
  const runs = readiness().some((part) => part.name === 'media' && part.ok);
  return {
    // Addresses of network cameras can hold what is nobody's business; the kind of source says enough.
    device: url === undefined && source === 'v4l2' ? device : source,
    ...{ resolution, framerate: fps, format },
    connected: exists && source !== 'none' && runs && store.get('cameraStatus')[name].state !== 'no signal',
  };
}
