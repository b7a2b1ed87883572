// The doors to WebRTC: the reference product's offers either way, and WHEP, which players know.
import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { ObscuraError } from '../../../errors.js';
import type { Services, WebRtcWatch } from '../../services.js';
import { HttpError } from '../errors.js';
import { answers, nothing, type App } from '../route.js';
import {
  candidatesOf,
  fragmentType,
  longestSdp,
  noSession,
  opened,
  sdpOf,
  unfitOffer,
} from '../sdpExchange.js';

const tags = ['webrtc'];
const mayWatch = ['Media_r', 'Media_rw'] as const;
const sdp = Type.String({ maxLength: longestSdp });
const Stream = Type.Union([Type.Literal('stream1'), Type.Literal('stream2')]);
const Offer = Type.Object({ type: Type.Literal('offer'), sdp, stream: Type.Optional(Stream) });
const Session = Type.String({ minLength: 1, maxLength: 64 });
const Answer = Type.Object({
  type: Type.Literal('answer'),
  sdp,
  id: Type.Optional(
    Type.String({ maxLength: 64, description: 'Of the offer; where it is missing, the cookie tells.' }),
  ),
});
/** Ties the answer to the offer for pages that know of no `id`. */
const offerCookie = 'obscura_offer';
const StreamParam = Type.Object({ stream: Stream });
const SessionParam = Type.Object({ stream: Stream, session: Session });

export function webrtcRoutes(app: App, { store, media }: Services): void {
  const running = (): WebRtcWatch => {
    if (!store.get('webrtcEnabled'))
      throw new HttpError(503, 'WEBRTC_DISABLED', 'WebRTC is switched off; see the setting webrtcEnabled');
    if (media === undefined)
      throw new HttpError(503, 'CAMERA_NOT_CONNECTED', 'No picture comes from the camera now');
    return media.webrtc;
  };
  const open = async (
    { identity }: FastifyRequest,
    stream: 'stream1' | 'stream2',
    offer: string,
  ): ReturnType<WebRtcWatch['open']> => {
    try {
      return await running().open(identity, stream, offer);
    } catch (error) {
      throw unfitOffer(error);
    }
  };

  app.post(
    '/api/webrtc/offer',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Open a WebRTC session',
        description:
          'The offer needs a video transceiver that receives. The answer holds all addresses of the server.',
        body: Offer,
        response: answers(Type.Object({ type: Type.Literal('answer'), sdp, session: Type.String() })),
      },
    },
    async (request) => {
      const answer = await open(request, request.body.stream ?? 'stream1', request.body.sdp);
      return { type: 'answer' as const, ...answer };
    },
  );
  app.get(
    '/api/webrtc/offer',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Ask for an offer to answer',
        querystring: Type.Object({ stream: Type.Optional(Stream) }),
        response: answers(Type.Object({ type: Type.Literal('offer'), sdp, id: Session })),
      },
    },
    async ({ identity, query }, reply) => {
      const { session, sdp: offer } = await running().offer(identity, query.stream ?? 'stream1');
      void reply.setCookie(offerCookie, session, {
        ...{ path: '/api/webrtc', httpOnly: true, sameSite: 'strict', maxAge: 60 },
      });
      return { type: 'offer' as const, sdp: offer, id: session };
    },
  );
  app.post(
    '/api/webrtc/answer',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Answer the offer',
        body: Answer,
        response: answers(Type.Object({ success: Type.Literal(true) })),
      },
    },
    async ({ identity, body, cookies }) => {
      const session = body.id ?? cookies[offerCookie] ?? '';
      if (!(await running().answer(identity, session, body.sdp)))
        throw new ObscuraError('unknown', 'No offer waits for this answer; ask for one at /api/webrtc/offer');
      return { success: true as const };
    },
  );

  app.post(
    '/api/whep/:stream',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Play a stream by WHEP',
        description:
          'The body is the offer as `application/sdp`; the answer comes the same way, with the session in `Location`.',
        params: StreamParam,
        consumes: ['application/sdp'],
        produces: ['application/sdp'],
        body: Type.Unknown(),
        response: answers(Type.String(), 201),
      },
    },
    async (request, reply) => {
      const offer = sdpOf(request.body);
      const { session, sdp: answer } = await open(request, request.params.stream, offer);
      return await opened(reply, `/api/whep/${request.params.stream}/${session}`, session).send(answer);
    },
  );
  app.patch(
    '/api/whep/:stream/:session',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Add addresses of the player to a session',
        params: SessionParam,
        consumes: [fragmentType],
        body: Type.Unknown(),
        response: nothing,
      },
    },
    async ({ params, body, headers }, reply) => {
      const candidates = candidatesOf(params.session, headers, body);
      if (
        !running()
          .list()
          .some(({ session }) => session === params.session)
      )
        throw noSession();
      for (const { line, candidate } of candidates)
        if (!(await running().addCandidate(params.session, line, candidate))) throw noSession();
      return await reply.code(204).send();
    },
  );
  app.delete(
    '/api/whep/:stream/:session',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'End a session',
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
