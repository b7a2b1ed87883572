// The cameras as clients of the reference product ask for them, the light, and the door to WebRTC.
import { Type } from '@sinclair/typebox';
import { ObscuraError } from '../../../errors.js';
import { isReadable } from '../../../store/store.js';
import type { Services } from '../../services.js';
import { fromWire, LegacyNames, toWire } from '../../ws/legacyNames.js';
import { HttpError } from '../errors.js';
import { change } from '../outcomes.js';
import { answers, Values, type App } from '../route.js';
import { headOf } from './information.js';

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
          }),
        ),
      },
    },
    () => {
      const cameras = (['primary', 'secondary'] as const).map((name, id) => ({
        id,
        name,
        ...headOf(services, name),
      }));
      return {
        cameras,
        active_camera: store.get('activeCameraHead'),
        streaming: cameras.some(({ connected }) => connected),
      };
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

  app.post(
    '/api/webrtc/offer',
    {
      config: { access: ['Media_r', 'Media_rw'] },
      schema: {
        tags,
        summary: 'Open a WebRTC session',
        body: Type.Object({ type: Type.Literal('offer'), sdp: Type.String({ maxLength: 131_072 }) }),
        response: answers(Type.Object({ type: Type.Literal('answer'), sdp: Type.String() })),
      },
    },
    () => {
      if (!store.get('webrtcEnabled'))
        throw new HttpError(503, 'WEBRTC_DISABLED', 'WebRTC is switched off; see the setting webrtcEnabled');
      throw new HttpError(503, 'CAMERA_NOT_CONNECTED', 'No picture comes from the camera now');
    },
  );
}
