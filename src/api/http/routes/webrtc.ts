// The doors to WebRTC: the reference product's offers either way, and WHEP, which players know.
import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { ObscuraError } from '../../../errors.js';
import type { Services, WebRtcWatch } from '../../services.js';
import { HttpError } from '../errors.js';
import { answers, nothing, type App } from '../route.js';

const tags = ['webrtc'];
const mayWatch = ['Media_r', 'Media_rw'] as const;
const longestSdp = 131_072;
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
const fragmentType = 'application/trickle-ice-sdpfrag';
/** Foundation, component, protocol, priority, address and port (RFC 8839). */
const candidateForm = /^candidate:\S{1,32} \d{1,3} (?:udp|tcp) \d{1,10} \S+ \d{1,5} typ \S+/i;
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
      if (error instanceof ObscuraError && error.code === 'invalid')
        throw new HttpError(
          422,
          (error.details as { readonly unfit?: string } | undefined)?.unfit === 'unreadable'
            ? 'INVALID_VALUE'
            : 'OFFER_WITHOUT_VIDEO',
          error.message,
        );
      throw error;
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
      return await reply
        .code(201)
        .type('application/sdp')
        .header('location', `/api/whep/${request.params.stream}/${session}`)
        .header('etag', etagOf(session))
        .header('accept-patch', fragmentType)
        .send(answer);
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
      if (headers['content-type']?.split(';')[0]?.trim() !== fragmentType)
        throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', `The body must be ${fragmentType}`);
      const match = headers['if-match'];
      // The star asks to begin ICE anew, with other secrets.
      if (match === '*')
        throw new HttpError(422, 'INVALID_VALUE', 'ICE is not begun anew here; open another session');
      if (match !== undefined && match !== etagOf(params.session))
        throw new HttpError(412, 'CONFLICT', `If-Match must be ${etagOf(params.session)}`);
      const fragment = sdpOf(body);
      if (
        !running()
          .list()
          .some(({ session }) => session === params.session)
      )
        throw noSession();
      for (const { line, candidate } of candidatesIn(fragment)) {
        if (!candidateForm.test(candidate))
          throw new HttpError(422, 'INVALID_VALUE', `This is no candidate: ${candidate.slice(0, 80)}`);
        if (!(await running().addCandidate(params.session, line, candidate))) throw noSession();
      }
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

/** Of the addresses and secrets that were agreed on, which stay as long as the session. */
function etagOf(session: string): string {
  return `"${session}"`;
}

function noSession(): ObscuraError {
  return new ObscuraError('unknown', 'There is no such session');
}

function sdpOf(body: unknown): string {
  if (typeof body !== 'string' || body.length > longestSdp)
    throw new HttpError(400, 'INVALID_REQUEST', 'The body must be SDP');
  return body;
}

/** The lines of a fragment, with the number of the section they stand in. */
function candidatesIn(fragment: string): { readonly line: number; readonly candidate: string }[] {
  let line = -1;
  return fragment.split(/\r?\n/).flatMap((each) => {
    if (each.startsWith('m=')) line += 1;
    if (!each.startsWith('a=candidate:')) return [];
    return [{ line: Math.max(0, line), candidate: each.slice(2) }];
  });
}
