// What runs on the video side: who watches, and which pipelines there are.
import { Type, type Static } from '@sinclair/typebox';
import { ObscuraError } from '../../../errors.js';
import type { Media, Services } from '../../services.js';
import { drawGraph } from '../../../media/drawGraph.js';
import type { PipelineGraph } from '../../../media/messages.js';
import { preferred } from '../accept.js';
import { HttpError } from '../errors.js';
import { answers, nothing, type App } from '../route.js';

const tags = ['media'];
const Client = Type.Object({
  id: Type.String(),
  protocol: Type.Union(['rtsp', 'webrtc', 'mjpeg', 'frames'].map((protocol) => Type.Literal(protocol))),
  address: Type.String(),
  user: Type.String({ description: 'Empty for those who have not logged in.' }),
  stream: Type.String({ description: 'What is played; empty before it plays.' }),
  transport: Type.String({ description: 'tcp, udp, multicast, webrtc or http; empty before it plays.' }),
  secure: Type.Boolean(),
  bytes: Type.Integer({ description: 'Sent to this client alone.' }),
  report: Type.Optional(
    Type.Object(
      {
        lossPercent: Type.Number(),
        lost: Type.Integer(),
        jitterMs: Type.Number(),
        rttMs: Type.Number(),
      },
      { description: 'What the player said last of how the stream reaches it.' },
    ),
  ),
  bitrate: Type.Optional(Type.Integer({ description: 'bit/s, over the last seconds.' })),
  estimateBps: Type.Optional(
    Type.Integer({ description: 'What the player itself thinks that its way carries (REMB).' }),
  ),
  nacks: Type.Optional(Type.Integer({ description: 'How often the player has asked for packets again.' })),
  plis: Type.Optional(Type.Integer({ description: 'How often the player has lost a picture.' })),
  firs: Type.Optional(Type.Integer({ description: 'How often the player has asked for a keyframe.' })),
  backlogBytes: Type.Optional(
    Type.Integer({
      description:
        'Over TCP and HTTP: what waits here, in the server or in the system, because it has not been taken.',
    }),
  ),
  rttMs: Type.Optional(Type.Number({ description: 'Over HTTP: the round trip, as the system measures it.' })),
  delayMs: Type.Optional(Type.Number({ description: 'How late that makes what is sent now.' })),
  framesDropped: Type.Optional(
    Type.Integer({ description: 'Pictures that this player has missed because it was too slow.' }),
  ),
  since: Type.Number({ description: 'Milliseconds since 1970.' }),
  adaptive: Type.Optional(
    Type.Object(
      {
        target: Type.Integer({ description: 'bit/s that its way is thought to carry.' }),
        reason: Type.String(),
        stream: Type.Optional(Type.String({ description: 'The one it gets now.' })),
        state: Type.Optional(Type.String()),
        votes: Type.Optional(Type.Boolean({ description: 'Whether the stream follows this client.' })),
        available: Type.Optional(Type.Integer({ description: 'bit/s, where it is known.' })),
        loss: Type.Optional(Type.Number({ description: '0 to 1' })),
        rtt: Type.Optional(Type.Number({ description: 'Milliseconds.' })),
        jitter: Type.Optional(Type.Number({ description: 'Milliseconds.' })),
        queue: Type.Optional(Type.Number({ description: 'Milliseconds of stream that wait on the way.' })),
      },
      { description: 'What the adaptive loop thinks of it, as in `adaptiveState`.' },
    ),
  ),
});
const Pipeline = Type.Object({
  name: Type.String(),
  text: Type.String({
    description: 'Can be run by hand with gst-launch-1.0, apart from the ends in the hub.',
  }),
  state: Type.String({ description: 'idle, starting, running or failed.' }),
  since: Type.Number({ description: 'Milliseconds since 1970.' }),
  restarts: Type.Integer(),
  reason: Type.Optional(Type.String()),
});
const Channel = Type.Object({
  name: Type.String(),
  producing: Type.Boolean(),
  consumers: Type.Integer(),
  frames: Type.Integer(),
  bytes: Type.Integer(),
  keyframes: Type.Integer(),
  dropped: Type.Integer(),
  changes: Type.Integer({ description: 'How often one pipeline has taken the place of another.' }),
  ageMs: Type.Number({ description: 'Since the last frame; -1 before the first.' }),
  caps: Type.String(),
});
const IdParam = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const GraphQuery = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  format: Type.Optional(
    Type.Union([Type.Literal('dot'), Type.Literal('svg'), Type.Literal('json')], {
      description:
        'A description for Graphviz, a drawing, or the elements and links by themselves. Without it the Accept header decides; dot where that leaves it open.',
    }),
  ),
  theme: Type.Optional(
    Type.Union([Type.Literal('light'), Type.Literal('dark')], {
      description: 'Of the drawing; light without it.',
    }),
  ),
});
const graphTypes = { dot: 'text/vnd.graphviz', svg: 'image/svg+xml', json: 'application/json' } as const;

export function mediaRoutes(app: App, { media, store }: Services): void {
  const running = (): Media => {
    if (media === undefined) throw new HttpError(503, 'UNAVAILABLE', 'This server does without video');
    return media;
  };

  app.get(
    '/api/clients',
    {
      config: { access: ['Media_rw', 'System_r', 'System_rw'] },
      schema: {
        tags,
        summary: 'Who is connected to the streams',
        response: answers(Type.Object({ clients: Type.Array(Client) })),
      },
    },
    () => {
      const { viewers } = store.get('adaptiveState');
      const thought = (viewer: string): Pick<Static<typeof Client>, 'adaptive'> => {
        const adaptive = viewers[viewer];
        return adaptive === undefined ? {} : { adaptive };
      };
      const rtsp = running()
        .report()
        .clients.map(({ id, path, bytes, address, ...client }) => ({
          ...client,
          id: String(id),
          protocol: 'rtsp' as const,
          address: address ?? '',
          stream: path,
          bytes: bytes ?? 0,
          ...thought(`rtsp-${String(id)}`),
        }));
      const webrtc = running()
        .webrtc.list()
        // The name of the session would let whoever reads this end it in the place of its browser.
        .map(({ session: _session, viewer, wished: _wished, connected: _connected, ...client }) => ({
          ...client,
          id: viewer,
          protocol: 'webrtc' as const,
          transport: 'webrtc',
          secure: true,
          ...thought(viewer),
        }));
      const pictures = running()
        .pictures.list()
        .map((client) => ({ ...client, transport: 'http' }));
      return { clients: [...rtsp, ...webrtc, ...pictures] };
    },
  );
  app.delete(
    '/api/clients/:id',
    {
      config: { access: ['Media_rw'] },
      schema: { tags, summary: 'End a connection to the streams', params: IdParam, response: nothing },
    },
    async ({ params }, reply) => {
      const isRtsp = /^\d+$/.test(params.id);
      const gone = isRtsp
        ? await running().kick(Number(params.id))
        : running().pictures.end(params.id) || (await running().webrtc.end(params.id));
      if (!gone) throw new ObscuraError('unknown', `There is no client ${params.id}`);
      return await reply.code(204).send();
    },
  );

  app.get(
    '/api/pipelines',
    {
      config: { access: ['Media_r', 'Media_rw', 'System_r', 'System_rw'] },
      schema: {
        tags,
        summary: 'The pipelines of GStreamer and the channels that join them',
        response: answers(
          Type.Object({
            state: Type.String({ description: 'starting, running or down.' }),
            reason: Type.Optional(Type.String()),
            version: Type.Optional(Type.String()),
            pipelines: Type.Array(Pipeline),
            channels: Type.Array(Channel),
          }),
        ),
      },
    },
    () => {
      const { state, pipelines, channels } = running().report();
      return {
        state: state.phase,
        ...(state.phase === 'down' ? { reason: state.reason } : {}),
        ...(state.phase === 'running' ? { version: state.version } : {}),
        pipelines: [...pipelines],
        channels: Object.entries(channels).map(([name, channel]) => ({ name, ...channel })),
      };
    },
  );
  app.get(
    '/api/pipelines/graph',
    {
      config: { access: ['System_r', 'System_rw'] },
      schema: {
        tags,
        summary: 'A pipeline that runs, as a graph in the language of DOT, as a drawing, or in plain data',
        querystring: GraphQuery,
        produces: Object.values(graphTypes),
        response: answers(Type.String()),
      },
    },
    async ({ query, headers }, reply) => {
      const graph = await running().graph(query.name);
      if (graph === undefined) throw new ObscuraError('unknown', `No pipeline ${query.name} runs`);
      const { dot, svg, json } = graphTypes;
      const accepted = preferred(headers.accept, [dot, svg, json]);
      const format = query.format ?? formatOf(accepted);
      return await reply
        .header('vary', 'Origin, Accept')
        .type(`${graphTypes[format]}; charset=utf-8`)
        .send(written(graph, format, query.theme));
    },
  );
}

type GraphFormat = keyof typeof graphTypes;

function formatOf(type: string): GraphFormat {
  return (Object.keys(graphTypes) as GraphFormat[]).find((name) => graphTypes[name] === type) ?? 'dot';
}

function written(
  { dot, elements, links }: PipelineGraph,
  format: GraphFormat,
  theme: 'light' | 'dark' | undefined,
): string {
  switch (format) {
    case 'dot':
      return dot;
    case 'svg':
      return drawGraph({ elements, links }, theme);
    case 'json':
      return JSON.stringify({ elements, links });
  }
}
