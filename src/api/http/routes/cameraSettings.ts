// The main stream's settings and picture profiles in the forms of the reference product.
import { Type, type Static } from '@sinclair/typebox';
import { groups } from '../../../observables/registry.js';
import { sizeOf } from '../../../observables/schemas.js';
import type { Services } from '../../services.js';
import { change, changeAnswer, ChangeAnswer } from '../outcomes.js';
import { answers, Values, type App } from '../route.js';

const tags = ['camera'];
const mayRead = ['Device_r', 'Device_rw', 'Media_r', 'Media_rw'] as const;
const mayWrite = ['Device_rw', 'Media_rw'] as const;
const Size = Type.Object({ width: Type.Integer(), height: Type.Integer() }, { additionalProperties: false });
const CameraSettings = Type.Object({
  resolution: Size,
  framerate: Type.Integer(),
  quality: Type.Integer({ description: 'Of photos, 0 to 100.' }),
  format: Type.String({ description: 'The video codec.' }),
});
const NewSettings = Type.Object(
  {
    resolution: Type.Optional(Type.Union([Size, Type.String({ maxLength: 9, description: 'WIDTHxHEIGHT' })])),
    framerate: Type.Optional(Type.Integer()),
    quality: Type.Optional(Type.Integer()),
    format: Type.Optional(Type.String({ maxLength: 16 })),
  },
  { additionalProperties: false },
);
const name = Type.String({ minLength: 1, maxLength: 32 });

export function cameraSettingsRoutes(app: App, services: Services): void {
  const { store, presets } = services;

  const settings = (): Static<typeof CameraSettings> => {
    const { width, height } = sizeOf(store.get('streamResolution'));
    return {
      resolution: { width, height },
      framerate: store.get('streamFramerate'),
      quality: store.get('pictureQuality'),
      format: store.get('videoEncoder'),
    };
  };

  for (const url of ['/api/camera/settings', '/api/v1/camera/settings']) {
    app.get(
      url,
      {
        config: { access: ['Media_r', 'Media_rw'] },
        schema: { tags, summary: 'What the main stream looks like', response: answers(CameraSettings) },
      },
      settings,
    );
    app.put(
      url,
      {
        config: { access: ['Media_rw'] },
        schema: {
          tags,
          summary: 'Change what the main stream looks like: all of it or nothing',
          body: NewSettings,
          response: answers(CameraSettings),
        },
      },
      async (request) => {
        const { resolution, framerate, quality, format } = request.body;
        const size =
          typeof resolution === 'object'
            ? `${String(resolution.width)}x${String(resolution.height)}`
            : resolution;
        await change(services, request, {
          ...(size === undefined ? {} : { streamResolution: size }),
          ...(framerate === undefined ? {} : { streamFramerate: framerate }),
          ...(quality === undefined ? {} : { pictureQuality: quality }),
          ...(format === undefined ? {} : { videoEncoder: format.toLowerCase() }),
        });
        return settings();
      },
    );
  }

  const Profiles = Type.Object({
    profiles: Type.Array(Type.Object({ name: Type.String(), settings: Values })),
  });
  app.get(
    '/api/camera/profiles',
    {
      config: { access: mayRead },
      schema: {
        tags,
        summary: 'The kept sets of settings',
        description: 'The same as the presets.',
        response: answers(Profiles),
      },
    },
    ({ identity }) => ({
      profiles: Object.entries(presets.list(identity)).map(([each, { values }]) => ({
        name: each,
        settings: { ...values },
      })),
    }),
  );
  app.post(
    '/api/camera/profiles',
    {
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Keep the present picture settings as a preset',
        body: Type.Object({ name }, { additionalProperties: false }),
        response: answers(Type.Object({ success: Type.Literal(true), name: Type.String() }), 201),
      },
    },
    async ({ identity, body }, reply) => {
      await presets.save(identity, body.name, pictureSettings);
      reply.code(201);
      return { success: true as const, name: body.name };
    },
  );
  app.post(
    '/api/camera/profile',
    {
      config: { access: mayWrite },
      schema: {
        tags,
        summary: 'Put a preset in force',
        body: Type.Object({ profile: name }, { additionalProperties: false }),
        response: answers(ChangeAnswer),
      },
    },
    async (request) =>
      changeAnswer(services, request, await presets.apply(request.identity, request.body.profile)),
  );
}

const pictureSettings = groups
  .filter((group) => group.name === 'image' || group.name === 'exposure')
  .flatMap(({ keys }) => keys);
