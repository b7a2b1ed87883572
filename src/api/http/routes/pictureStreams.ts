// Pictures without end: MJPEG for image tags, and every so many for programs that look at them.
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PictureVariant } from '../../../media/messages.js';
import type { Pictures, Services } from '../../services.js';
import type { Connections } from '../../ws/connections.js';
import { FrameConnection } from '../../ws/frames.js';
import { HttpError } from '../errors.js';
import { MultipartAnswer, multipartType } from '../multipart.js';
import { answers, type App } from '../route.js';
import { pictureQuality, pictureWidth, QueryToken } from './images.js';

const tags = ['pictures'];
const mayWatch = ['Media_r', 'Media_rw'] as const;
const usualRate = 30;
const usualQuality = 85;

const StreamQuery = Type.Object({
  fps: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 60, description: 'At most; never above the rate of the camera.' }),
  ),
  width: pictureWidth,
  quality: pictureQuality,
  token: QueryToken,
});
const FramesQuery = Type.Object({
  every: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000, description: 'Of so many captured pictures one.' }),
  ),
  format: Type.Optional(
    Type.Union([Type.Literal('jpeg'), Type.Literal('raw')], {
      description: 'raw is red, green and blue, a byte each, line after line from the top.',
    }),
  ),
  width: pictureWidth,
  quality: pictureQuality,
  token: QueryToken,
});

export function pictureStreamRoutes(app: App, services: Services, connections: Connections): void {
  const { media } = services;
  const pictures = (): Pictures => {
    if (media === undefined)
      throw new HttpError(503, 'CAMERA_NOT_CONNECTED', 'This server does without video');
    return media.pictures;
  };
  // They have no end of their own, and the server would wait for them.
  app.addHook('preClose', (done) => {
    media?.pictures.endAll();
    done();
  });

  const show = (
    request: FastifyRequest,
    reply: FastifyReply,
    protocol: 'mjpeg' | 'frames',
    variant: PictureVariant,
  ): FastifyReply => {
    const source = pictures();
    if (request.method === 'HEAD') return reply.type(multipartType).send();
    const answer = new MultipartAnswer(request, reply, protocol);
    // What cannot be is said before the answer begins.
    const leave = source.watch(request.identity, variant, answer);
    answer.begin(leave);
    return reply;
  };

  for (const url of ['/api/camera/stream', '/api/v1/camera/stream'])
    app.get(
      url,
      {
        config: { access: mayWatch, budget: 'images', isPicture: true },
        schema: {
          tags,
          summary: 'The live picture as MJPEG, for image tags',
          description: `Parts of \`${multipartType}\`; \`X-Timestamp\` of each is when it was captured, in seconds since 1970. A slow viewer misses pictures and delays nobody.`,
          querystring: StreamQuery,
          produces: [multipartType],
          response: answers(Type.String()),
        },
      },
      (request, reply) => {
        const { fps = usualRate, width = 0, quality = usualQuality } = request.query;
        const shape = { format: 'jpeg', every: 1, marks: 'stream' } as const;
        return show(request, reply, 'mjpeg', { ...shape, fps, width, quality });
      },
    );
  app.get(
    '/api/camera/stream/status',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Who watches as MJPEG',
        querystring: Type.Object({ token: QueryToken }),
        response: answers(
          Type.Object({
            is_streaming: Type.Boolean({ description: 'Whether there are pictures for whoever asks.' }),
            viewer_count: Type.Integer(),
            stream_type: Type.Literal('mjpeg'),
          }),
        ),
      },
    },
    () => ({
      is_streaming: media?.pictures.hasSignal() ?? false,
      viewer_count: media?.pictures.list().filter(({ protocol }) => protocol === 'mjpeg').length ?? 0,
      stream_type: 'mjpeg' as const,
    }),
  );

  app.route({
    method: 'GET',
    url: '/api/camera/frames',
    config: { access: mayWatch, budget: 'images' },
    schema: {
      tags,
      summary: 'Every so many captured pictures, for programs',
      description: `Over HTTP parts of \`${multipartType}\`. Over a WebSocket at the same address two messages for each picture: JSON with \`sequence\`, \`capturedAt\` (microseconds since 1970), \`width\`, \`height\`, \`format\` and \`bytes\`, then the bytes.`,
      querystring: FramesQuery,
      produces: [multipartType],
      response: answers(Type.String()),
    },
    handler: (request, reply) => show(request, reply, 'frames', framesVariant(request.query)),
    ...connections.upgrade(
      (ws, request, { identity }, origin) =>
        new FrameConnection(services, ws, identity, origin, {
          pictures: pictures(),
          variant: framesVariant(request.query as Static<typeof FramesQuery>),
          secure: request.protocol === 'https',
          socket: request.raw.socket,
        }),
      { needs: mayWatch },
    ),
  });
}

function framesVariant({
  every = 1,
  format = 'jpeg',
  width = 0,
  quality = usualQuality,
}: Static<typeof FramesQuery>): PictureVariant {
  return { every, format, width, quality, fps: 0, marks: 'plain' };
}
