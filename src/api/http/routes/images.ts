// Photos: the picture of this moment, to look at or to keep.
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Picture } from '../../../media/messages.js';
import { sizeOf } from '../../../observables/schemas.js';
import type { Photos, PhotoWish, Services } from '../../services.js';
import { virtualRoot } from '../../../library/places.js';
import { HttpError } from '../errors.js';
import { typeOf } from '../multipart.js';
import { answers, type App } from '../route.js';

const tags = ['pictures'];
const maySee = ['Media_r', 'Media_rw'] as const;
const mayKeep = ['Media_rw'] as const;
/** Of what is kept. */
const keptQuality = 95;

export const QueryToken = Type.Optional(Type.String({ maxLength: 512 }));
export const pictureQuality = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'From 1 (small) to 100 (best).' }),
);
export const pictureWidth = Type.Optional(
  Type.Integer({
    minimum: 16,
    maximum: 3840,
    description: 'At most; the form of the picture stays, and it is never larger than that of the camera.',
  }),
);
const format = Type.Optional(
  Type.Union([Type.Literal('jpeg'), Type.Literal('jpg'), Type.Literal('webp')], {
    description: 'JPEG where it is missing.',
  }),
);
const addTimestamp = Type.Optional(Type.Boolean({ description: 'Draw in when it was taken.' }));
const Name = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$',
  description: 'Of the file; without it the time makes one.',
});

const LookQuery = Type.Object({
  quality: pictureQuality,
  width: pictureWidth,
  format,
  addTimestamp,
  token: QueryToken,
});
const KeepBody = Type.Object(
  { filename: Type.Optional(Name), quality: pictureQuality, width: pictureWidth, format, addTimestamp },
  { additionalProperties: false },
);
const Kept = Type.Object({
  success: Type.Literal(true),
  filename: Type.String(),
  path: Type.String({ description: 'As `/files` and `/download` know it.' }),
  size: Type.Integer(),
  timestamp: Type.String(),
});
const SnapshotBody = Type.Object(
  {
    format,
    quality: pictureQuality,
    resolution: Type.Optional(
      Type.Union([
        Type.String({ maxLength: 16 }),
        Type.Object({ width: Type.Integer(), height: Type.Integer() }),
      ]),
    ),
    save_to_storage: Type.Optional(Type.Boolean()),
    addTimestamp,
  },
  { additionalProperties: false },
);
export function imageRoutes(app: App, { photos, store }: Services): void {
  const usualQuality = (): number => Math.max(1, store.get('pictureQuality'));
  const camera = (): Photos => {
    if (photos === undefined)
      throw new HttpError(503, 'CAMERA_NOT_CONNECTED', 'This server takes no photos; see its log');
    return photos;
  };

  for (const url of [
    ...['/camera.jpeg', '/image', '/api/snapshot', '/api/camera/snapshot', '/api/v1/camera/snapshot'],
  ])
    app.get(
      url,
      {
        config: { access: maySee, budget: 'images', isPicture: true },
        schema: {
          tags,
          summary: 'The picture of this moment',
          description:
            'In the quality of `pictureQuality` unless another is asked for. `X-Timestamp` is when it was captured, in seconds since 1970. 503 CAMERA_NOT_CONNECTED where the camera gives none.',
          querystring: LookQuery,
          produces: ['image/jpeg', 'image/webp'],
          response: answers(Type.String()),
        },
      },
      async ({ query }, reply) => send(reply, await camera().look(wishOf(query, usualQuality()))),
    );

  for (const url of ['/api/camera/snapshot', '/api/v1/camera/snapshot'])
    app.post(
      url,
      {
        config: { access: maySee, budget: 'images', isPicture: true },
        schema: {
          tags,
          summary: 'The picture of this moment, which may be kept as well',
          description: '`save_to_storage` takes Media_rw; `X-Photo-Key` then names what was kept.',
          body: SnapshotBody,
          produces: ['image/jpeg', 'image/webp'],
          response: answers(Type.String()),
        },
      },
      async (request, reply) => {
        const { resolution, save_to_storage: keep = false, ...rest } = request.body;
        const width = widthOf(resolution);
        const wish = wishOf({ ...rest, ...(width === undefined ? {} : { width }) }, keptQuality);
        if (!keep) return send(reply, await camera().look(wish));
        assertMayKeep(request);
        const { photo, picture } = await camera().take({ ...wish, reason: 'asked' });
        return send(reply.header('x-photo-key', photo.key), picture);
      },
    );

  for (const url of ['/snapshot', '/api/snapshot'])
    app.post(
      url,
      {
        config: { access: mayKeep, budget: 'images' },
        schema: { tags, summary: 'Take a photo and keep it', body: KeepBody, response: answers(Kept) },
      },
      async ({ body }) => {
        const { filename, ...rest } = body;
        const ending = filename?.toLowerCase().endsWith('.webp') === true ? ('webp' as const) : undefined;
        const wish = wishOf({ ...(ending === undefined ? {} : { format: ending }), ...rest }, keptQuality);
        const { photo } = await camera().take({ ...wish, name: filename, reason: 'asked' });
        return {
          success: true as const,
          filename: photo.key.split('/').at(-1) ?? '',
          path: `${virtualRoot}/${photo.key}`,
          size: photo.size,
          timestamp: new Date(photo.takenAt).toISOString(),
        };
      },
    );
}

function wishOf(
  { quality, width, format: wanted = 'jpeg', addTimestamp: time }: Static<typeof LookQuery>,
  usual: number,
): PhotoWish {
  return {
    format: wanted === 'webp' ? 'webp' : 'jpeg',
    quality: quality ?? usual,
    width,
    addTimestamp: time,
  };
}

function widthOf(resolution: Static<typeof SnapshotBody>['resolution']): number | undefined {
  if (resolution === undefined) return undefined;
  const { width, height } = typeof resolution === 'string' ? sizeOf(resolution) : resolution;
  const isFit = (value: number): boolean => Number.isInteger(value) && value >= 16 && value <= 3840;
  if (!isFit(width) || !isFit(height))
    throw new HttpError(
      422,
      'INVALID_RESOLUTION',
      'resolution must be like 1280x720, from 16 to 3840 each way',
    );
  return width;
}

function assertMayKeep({ identity }: FastifyRequest): void {
  if (!identity.may(...mayKeep))
    throw new HttpError(403, 'PERMISSION_DENIED', 'You may not keep photos; it takes Media_rw');
}

/** Clients of the reference product ask for JSON and want the picture all the same. */
function send(reply: FastifyReply, picture: Picture): FastifyReply {
  return reply
    .type(typeOf(picture))
    .header('x-timestamp', (picture.capturedAt / 1e6).toFixed(6))
    .send(picture.bytes);
}
