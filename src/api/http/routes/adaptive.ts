// The adaptive loop as clients of the reference product set it, in kbit/s, and what it has decided lately.
import { Type } from '@sinclair/typebox';
import type { Services } from '../../services.js';
import { changeAnswer, ChangeAnswer } from '../outcomes.js';
import { answers, type App } from '../route.js';

const tags = ['streams'];
const url = '/api/streaming/adaptive';
const kilobits = Type.Integer({ minimum: 100, maximum: 50_000, description: 'kbit/s' });
const passedOver = {
  description: 'Understood and passed over: how far and how fast it moves is measured, not set.',
};
const Wish = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    min_bitrate_kbps: Type.Optional(kilobits),
    max_bitrate_kbps: Type.Optional(kilobits),
    step_size_kbps: Type.Optional(Type.Number(passedOver)),
    adjustment_interval_ms: Type.Optional(Type.Number(passedOver)),
    quality_threshold: Type.Optional(Type.Number(passedOver)),
  },
  { additionalProperties: false },
);
const Now = Type.Object({
  enabled: Type.Boolean(),
  min_bitrate_kbps: Type.Number(),
  max_bitrate_kbps: Type.Number(),
});

const limit = Type.Optional(Type.Union([Type.Integer(), Type.Null()]));
const Decision = Type.Object({
  id: Type.Integer({ description: 'Grows with each decision, as long as the server runs.' }),
  kind: Type.Union([Type.Literal('bitrate'), Type.Literal('picture'), Type.Literal('viewer')], {
    description:
      'The target of a stream went up or down; its size or frame rate was limited or freed; a viewer was moved to this stream.',
  }),
  stream: Type.String(),
  at: Type.Integer({ description: 'Milliseconds since 1970.' }),
  until: Type.Integer({ description: 'When its last step was; a decision that goes on grows.' }),
  from: Type.Optional(Type.Integer({ description: 'bit/s' })),
  to: Type.Optional(Type.Integer({ description: 'bit/s' })),
  cause: Type.Optional(Type.String({ description: 'As in `adaptiveState`.' })),
  reason: Type.String(),
  viewer: Type.Optional(Type.String({ description: 'Whose way was the reason, or who was moved.' })),
  height: limit,
  framerate: limit,
});
const DecisionsQuery = Type.Object({
  since: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'Those that have begun or gone on since, in milliseconds since 1970.',
    }),
  ),
});

export function adaptiveRoutes(app: App, services: Services): void {
  const { store, media } = services;

  app.get(
    url,
    {
      config: { access: ['Media_r', 'Media_rw'] },
      schema: { tags, summary: 'Whether and within which bounds the bitrate adapts', response: answers(Now) },
    },
    () => {
      const { mode, min, max } = store.get('adaptiveBitrate');
      return { enabled: mode !== 'off', min_bitrate_kbps: min / 1000, max_bitrate_kbps: max / 1000 };
    },
  );
  app.put(
    url,
    {
      config: { access: ['Media_rw'] },
      schema: {
        tags,
        summary: 'Let the bitrate adapt, and within which bounds',
        description: 'Changes `adaptiveBitrate`; what is left out stays.',
        body: Wish,
        response: answers(ChangeAnswer),
      },
    },
    async (request) => {
      const { enabled, min_bitrate_kbps: min, max_bitrate_kbps: max } = request.body;
      const outcome = await store.update(request.identity, (get) => {
        const now = get('adaptiveBitrate');
        const mode = enabled === true && now.mode === 'off' ? ('auto' as const) : now.mode;
        return {
          adaptiveBitrate: {
            ...now,
            mode: enabled === false ? ('off' as const) : mode,
            min: min === undefined ? now.min : min * 1000,
            max: max === undefined ? now.max : max * 1000,
          },
        };
      });
      return changeAnswer(services, request, outcome);
    },
  );
  app.get(
    '/api/adaptive/decisions',
    {
      config: { access: ['Media_r', 'Media_rw'] },
      schema: {
        tags,
        summary: 'What the adaptive loop decided in the last ten minutes, and why',
        description:
          'Steps in one direction for one reason are one decision. At most the newest 500 are kept, the oldest first.',
        querystring: DecisionsQuery,
        response: answers(Type.Object({ decisions: Type.Array(Decision) })),
      },
    },
    ({ query: { since = 0 } }) => ({
      decisions: (media?.decisions() ?? [])
        .filter(({ until }) => until >= since)
        .map((each) => ({ ...each })),
    }),
  );
}
