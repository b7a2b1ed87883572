// WHIP: a browser or an encoder is the camera.
import { Type } from '@sinclair/typebox';
import type { PushedCameraDoor, Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { answers, nothing, type App } from '../route.js';
import { candidatesOf, fragmentType, noSession, opened, sdpOf, unfitOffer } from '../sdpExchange.js';

const tags = ['webrtc'];
/** Whoever sends decides what all others see. */
const maySend = ['Device_rw'] as const;
const Camera = Type.Union([Type.Literal('primary'), Type.Literal('secondary')]);
const CameraParam = Type.Object({ camera: Camera });
const SessionParam = Type.Object({
  camera: Camera,
  session: Type.String({ minLength: 1, maxLength: 64 }),
});

export function whipRoutes(app: App, { store, media }: Services): void {
  const running = (): PushedCameraDoor => {
    if (!store.get('webrtcEnabled'))
      throw new HttpError(503, 'WEBRTC_DISABLED', 'WebRTC is switched off; see the setting webrtcEnabled');
    if (media === undefined) throw new HttpError(503, 'UNAVAILABLE', 'This server does without video');
    return media.pushed;
  };

  app.post(
    '/api/whip/:camera',
    {
      config: { access: maySend },
      schema: {
        tags,
        summary: 'Send the pictures of a camera by WHIP',
        description:
          'The camera must be of the source `whip`. The body is the offer as `application/sdp`; the answer comes the same way, with the session in `Location`. Whoever sent before is let go.',
        params: CameraParam,
        consumes: ['application/sdp'],
        produces: ['application/sdp'],
        body: Type.Unknown(),
        response: answers(Type.String(), 201),
      },
    },
    async ({ identity, params: { camera }, body }, reply) => {
      try {
        const { session, sdp } = await running().open(identity, camera, sdpOf(body));
        return await opened(reply, `/api/whip/${camera}/${session}`, session).send(sdp);
      } catch (error) {
        throw unfitOffer(error);
      }
    },
  );
  app.patch(
    '/api/whip/:camera/:session',
    {
      config: { access: maySend },
      schema: {
        tags,
        summary: 'Add addresses of the sender to a session',
        params: SessionParam,
        consumes: [fragmentType],
        body: Type.Unknown(),
        response: nothing,
      },
    },
    async ({ params, body, headers }, reply) => {
      for (const { line, candidate } of candidatesOf(params.session, headers, body))
        if (!(await running().addCandidate(params.session, line, candidate))) throw noSession();
      return await reply.code(204).send();
    },
  );
  app.delete(
    '/api/whip/:camera/:session',
    {
      config: { access: maySend },
      schema: {
        tags,
        summary: 'Send no more',
        params: SessionParam,
        response: answers(Type.Object({ success: Type.Literal(true) })),
      },
    },
    async ({ params }) => {
      if (!(await running().close(params.session))) throw noSession();
      return { success: true as const };
    },
  );
}
