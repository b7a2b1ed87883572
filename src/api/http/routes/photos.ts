// Photos that are kept, for those who look through them: found, seen small, and deleted together.
import { Type } from '@sinclair/typebox';
import { messageOf, ObscuraError } from '../../../errors.js';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { answers, type App } from '../route.js';
import { QueryToken } from './images.js';

const tags = ['pictures'];
const maySee = ['Media_r', 'Media_rw', 'Storage_r', 'Storage_rw'] as const;
const Photo = Type.Object({
  key: Type.String({ description: 'Path for `/files/<key>` and `/download/<key>`.' }),
  takenAt: Type.Integer({ description: 'Milliseconds since 1970.' }),
  source: Type.String(),
  reason: Type.String({ description: 'asked, interval or schedule.' }),
  format: Type.String(),
  size: Type.Integer(),
  width: Type.Integer(),
  height: Type.Integer(),
});
const PhotosQuery = Type.Object({
  since: Type.Optional(Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' })),
  before: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Milliseconds since 1970; of the last one, for the next page.' }),
  ),
  source: Type.Optional(Type.String({ maxLength: 32 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  token: QueryToken,
});
const key = Type.String({ minLength: 1, maxLength: 512 });
const Failure = Type.Object({ key: Type.String(), message: Type.String() });

export function photoRoutes(app: App, { photos, places, thumbnails }: Services): void {
  app.get(
    '/api/photos',
    {
      config: { access: maySee },
      schema: {
        tags,
        summary: 'The photos that are kept, the newest first',
        querystring: PhotosQuery,
        response: answers(
          Type.Object({
            photos: Type.Array(Photo),
            total_count: Type.Integer(),
            total_size: Type.Integer({ description: 'Bytes of all of them.' }),
          }),
        ),
      },
    },
    ({ query: { token: _token, limit = 100, ...query } }) => {
      if (photos === undefined)
        throw new HttpError(503, 'CAMERA_NOT_CONNECTED', 'This server takes no photos; see its log');
      const { count, bytes } = photos.totals();
      return { photos: [...photos.find({ limit, ...query })], total_count: count, total_size: bytes };
    },
  );

  app.get(
    '/api/thumbnails/*',
    {
      config: { access: maySee, isPicture: true },
      schema: {
        tags,
        summary: 'A photo, small',
        description: 'At most 480 pixels wide, as JPEG, by the key of the photo.',
        params: Type.Object({ '*': key }),
        querystring: Type.Object({ token: QueryToken }),
        produces: ['image/jpeg'],
        response: answers(Type.String()),
      },
    },
    async ({ params }, reply) => {
      const picture = await thumbnails.of(await places.open(params['*']));
      return reply.type('image/jpeg').header('cache-control', 'private, max-age=3600').send(picture);
    },
  );

  app.post(
    '/api/photos/delete',
    {
      config: { access: ['Storage_rw'] },
      schema: {
        tags,
        summary: 'Delete several photos',
        description: 'Each by itself: where one cannot be deleted, the others are, and why is told.',
        body: Type.Object(
          { keys: Type.Array(key, { minItems: 1, maxItems: 1000 }) },
          { additionalProperties: false },
        ),
        response: answers(Type.Object({ deleted: Type.Integer(), failed: Type.Array(Failure) })),
      },
    },
    async ({ body }) => {
      const failed: { key: string; message: string }[] = [];
      for (const each of body.keys)
        try {
          // Never a folder, whatever the key says.
          const gone = await places.remove(each, false);
          photos?.forget(gone);
        } catch (error) {
          // One that somebody else has deleted is not to be listed any more.
          if (error instanceof ObscuraError && error.code === 'unknown') photos?.forget(each);
          failed.push({ key: each, message: messageOf(error) });
        }
      return { deleted: body.keys.length - failed.length, failed };
    },
  );
}
