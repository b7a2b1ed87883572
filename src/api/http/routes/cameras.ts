// The cameras as clients of the reference product ask for them, and the light.
import { Type } from '@sinclair/typebox';
import { ObscuraError } from '../../../errors.js';
import { pixelFormats } from '../../../observables/camera.js';
import { deviceAt, type VideoDevice } from '../../../observables/devices.js';
import { isReadable } from '../../../store/store.js';
import type { Services } from '../../services.js';
import { fromWire, LegacyNames, toWire } from '../../ws/legacyNames.js';
import { change } from '../outcomes.js';
import { answers, Values, type App } from '../route.js';
import { headOf, type HeadFacts } from './information.js';

const tags = ['camera'];
const Camera = Type.Object({
  id: Type.Integer(),
  connected: Type.Boolean(),
  device: Type.String(),
  resolution: Type.String(),
  framerate: Type.Integer(),
  format: Type.String(),
  name: Type.String(),
});

const Size = Type.Object({ width: Type.Integer(), height: Type.Integer() });
const CameraInfo = Type.Object({
  device: Type.Object({ path: Type.String(), name: Type.String(), driver: Type.String() }),
  camera: Camera,
  capabilities: Type.Object({
    resolutions: Type.Array(Size),
    formats: Type.Array(Type.String()),
    frame_rates: Type.Array(Type.Integer()),
  }),
  current_settings: Type.Object({
    resolution: Type.String(),
    framerate: Type.Integer(),
    format: Type.String(),
    connected: Type.Boolean(),
  }),
});
const Device = Type.Object({
  key: Type.String({ description: 'Its name, or which of the two it is where it has none.' }),
  camera: Type.String(),
  type: Type.String({ description: 'Where its pictures come from.' }),
  enabled: Type.Boolean(),
  state: Type.String(),
  connected: Type.Boolean(),
  resolution: Type.String(),
  framerate: Type.Integer(),
});
const heads = ['primary', 'secondary'] as const;

/** Sizes and rates that everything downstream is known to do well; any even size within the limits works. */
const commonSizes = [
  { width: 3840, height: 2160 },
  { width: 1920, height: 1080 },
  { width: 1280, height: 720 },
  { width: 640, height: 480 },
];
const commonAbilities = {
  resolutions: commonSizes,
  formats: [...pixelFormats],
  frame_rates: [5, 15, 25, 30, 50, 60],
};

/** All that a camera has, of any of its formats; the setting `videoDevices` tells what goes with what. */
function abilitiesOf({ formats }: VideoDevice): typeof commonAbilities {
  const sizes = formats.flatMap((format) => format.sizes);
  const bySize = new Map(
    sizes.map(({ width, height }) => [`${String(width)}x${String(height)}`, { width, height }]),
  );
  const rates = new Set(sizes.flatMap((size) => size.rates.map(Math.round)));
  return {
    resolutions: [...bySize.values()].toSorted((a, b) => b.width * b.height - a.width * a.height),
    formats: formats.flatMap(({ format }) => pixelFormats.filter((known) => known === format)),
    frame_rates: [...rates].toSorted((a, b) => a - b),
  };
}

export function cameraRoutes(app: App, services: Services): void {
  const { store } = services;
  const names = new LegacyNames(store);

  app.get(
    '/api/camera/status',
    {
      config: { access: ['Device_r', 'Device_rw'] },
      schema: {
        tags,
        summary: 'The cameras',
        description: '`connected` only while a picture comes from the camera.',
        querystring: Type.Object({ token: Type.Optional(Type.String({ maxLength: 512 })) }),
        response: answers(
          Type.Object({
            cameras: Type.Array(Camera),
            active_camera: Type.Integer(),
            streaming: Type.Boolean(),
            status: Type.Union([Type.Literal('streaming'), Type.Literal('stopped')]),
          }),
        ),
      },
    },
    () => {
      const cameras = heads.map((name, id) => ({ id, name, ...headOf(services, name) }));
      const streaming = cameras.some(({ connected }) => connected);
      return {
        cameras,
        active_camera: store.get('activeCameraHead'),
        streaming,
        status: streaming ? ('streaming' as const) : ('stopped' as const),
      };
    },
  );

  for (const url of ['/api/camera/info', '/api/camera/capabilities', '/api/v1/camera/info'])
    app.get(
      url,
      {
        config: { access: ['Device_r', 'Device_rw'] },
        schema: {
          tags,
          summary: 'The active camera: what it is, what it can do, what it is set to',
          response: answers(CameraInfo),
        },
      },
      () => {
        const id = store.get('activeCameraHead');
        const name = heads[id];
        const head = headOf(services, name);
        const camera = { id, name, ...head };
        const device = deviceAt(head.device, store.get('videoDevices'));
        return {
          device: {
            path: head.device,
            name: device?.name ?? name,
            driver: device?.driver ?? driverOf(head),
          },
          camera,
          capabilities: device === undefined ? commonAbilities : abilitiesOf(device),
          current_settings: {
            resolution: head.resolution,
            framerate: head.framerate,
            format: head.format,
            connected: head.connected,
          },
        };
      },
    );

  app.get(
    '/api/devices',
    {
      config: { access: ['Device_r', 'Device_rw'] },
      schema: {
        tags,
        summary: 'The cameras by name',
        response: answers(Type.Object({ devices: Type.Array(Device) })),
      },
    },
    () => ({
      devices: heads.map((camera) => {
        const { name, source } = store.get('cameraHeadSettings')[camera];
        const { state } = store.get('cameraStatus')[camera];
        const { resolution, framerate, connected } = headOf(services, camera);
        return {
          key: name ?? camera,
          camera,
          type: source,
          enabled: source !== 'none',
          state,
          connected,
          resolution,
          framerate,
        };
      }),
    }),
  );

  app.post(
    '/api/camera/switch',
    {
      config: { access: ['Device_rw'] },
      schema: {
        tags,
        summary: 'Make one of the cameras the main one',
        body: Type.Object(
          { camera_id: Type.Integer({ minimum: 0, maximum: 1, description: '0 is the primary camera.' }) },
          { additionalProperties: false },
        ),
        response: answers(Type.Object({ success: Type.Literal(true), active_camera: Type.Integer() })),
      },
    },
    async (request) => {
      await change(services, request, { activeCameraHead: request.body.camera_id });
      return { success: true as const, active_camera: store.get('activeCameraHead') };
    },
  );

  for (const [act, rtspEnabled] of [
    ['start', true],
    ['stop', false],
  ] as const)
    for (const prefix of ['/api', '/api/v1'])
      app.post(
        `${prefix}/camera/${act}`,
        {
          config: { access: ['Media_rw'] },
          schema: {
            tags,
            summary: rtspEnabled ? 'Let players fetch the streams' : 'Let no player fetch the streams',
            description: `The same as setting \`rtspEnabled\` to ${String(rtspEnabled)}.`,
            response: answers(Type.Object({ success: Type.Literal(true), rtsp_enabled: Type.Boolean() })),
          },
        },
        async (request) => {
          await change(services, request, { rtspEnabled }, { wait: 'applied' });
          return { success: true as const, rtsp_enabled: store.get('rtspEnabled') };
        },
      );

  app.post(
    '/api/light',
    {
      config: { access: ['Device_rw'] },
      schema: {
        tags,
        summary: 'Switch the lights',
        description: 'Members are settings of the camera head that have to do with light, such as `light0`.',
        body: Values,
        response: answers(Values),
      },
    },
    async (request) => {
      const entries = Object.entries(request.body).map(([name, wire]) => {
        const named = names.find(name);
        if (named === undefined || !/^light/.test(named.cell.key))
          throw new ObscuraError('unknown', `There is no light named ${name}`, { key: name });
        return { name, named, value: fromWire(named, wire) };
      });
      await change(
        services,
        request,
        Object.fromEntries(entries.map(({ named, value }) => [named.cell.key, value])),
      );
      const shown = entries.filter(({ named }) => isReadable(named.cell, request.identity));
      return Object.fromEntries(shown.map(({ name, named }) => [name, toWire(named)]));
    },
  );
}

/** Where the kind of source stands in place of a device, it is the driver as well. */
function driverOf({ device }: HeadFacts): string {
  return device.startsWith('/') ? 'v4l2' : device;
}
