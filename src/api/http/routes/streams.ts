// Where and how the streams can be played.
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';
import { headOf } from './information.js';

const tags = ['streams'];
const mayWatch = ['Media_r', 'Media_rw'] as const;
const Stream = Type.Object({
  id: Type.String(),
  path: Type.String(),
  enabled: Type.Boolean(),
  resolution: Type.String(),
  framerate: Type.Integer(),
  bitrate: Type.Integer({ description: 'bit/s' }),
  profile: Type.String(),
  codec: Type.String(),
  rtsp_url: Type.String({ description: 'Empty while the RTSP server is off.' }),
  rtsps_url: Type.String({ description: 'Empty while the encrypted RTSP server is off.' }),
});
const StreamList = Type.Object({
  streams: Type.Array(Stream),
  rtsp_enabled: Type.Boolean(),
  rtsp_url: Type.String({ description: 'The main stream; empty while the RTSP server is off.' }),
  rtsps_url: Type.String(),
  webrtc_enabled: Type.Boolean(),
  webrtc_url: Type.String({ description: 'Where offers are sent; empty while WebRTC is off.' }),
});
const Status = Type.Object({
  streaming: Type.Boolean(),
  status: Type.Union([Type.Literal('streaming'), Type.Literal('stopped')]),
  clients: Type.Integer(),
  bitrate: Type.Integer({ description: 'bit/s, of all viewers together.' }),
  total_bytes: Type.Integer(),
  frame_drops: Type.Integer(),
  errors: Type.Integer(),
  uptime: Type.Integer({ description: 'Seconds.' }),
  healthy: Type.Boolean(),
});

export function streamRoutes(app: App, services: Services): void {
  const { store } = services;

  /** Addresses as this client can use them: with the host by which it came here. */
  const list = (request: FastifyRequest): Static<typeof StreamList> => {
    const address = (scheme: string, port: number, path: string): string =>
      `${scheme}://${hostIn(request)}:${String(port)}${path}`;
    const rtsp = store.get('rtspEnabled');
    const rtsps = rtsp && store.get('rtspsEnabled');
    const webrtc = store.get('webrtcEnabled');
    const streams = store.get('streams').map(({ path, ...stream }) => ({
      id: path.slice(1),
      path,
      ...stream,
      codec: path === store.get('rtspPath') ? store.get('videoEncoder') : 'h264',
      rtsp_url: rtsp && stream.enabled ? address('rtsp', store.get('rtspPort'), path) : '',
      rtsps_url: rtsps && stream.enabled ? address('rtsps', store.get('rtspsPort'), path) : '',
    }));
    return {
      streams,
      rtsp_enabled: rtsp,
      rtsp_url: streams[0]?.rtsp_url ?? '',
      rtsps_url: streams[0]?.rtsps_url ?? '',
      webrtc_enabled: webrtc,
      webrtc_url: webrtc ? `${request.protocol}://${request.host}/api/webrtc/offer` : '',
    };
  };

  for (const url of ['/api/streams', '/api/streaming/endpoints', '/api/streaming/info'])
    app.get(
      url,
      {
        config: { access: mayWatch },
        schema: { tags, summary: 'The streams and their addresses', response: answers(StreamList) },
      },
      list,
    );
  app.get(
    '/api/streaming/status',
    {
      config: { access: mayWatch },
      schema: { tags, summary: 'What is being watched', response: answers(Status) },
    },
    () => {
      const stats = store.get('streamStats');
      const streaming = headOf(
        services,
        store.get('activeCameraHead') === 0 ? 'primary' : 'secondary',
      ).connected;
      return {
        streaming,
        status: streaming ? ('streaming' as const) : ('stopped' as const),
        clients: stats.clientCount,
        bitrate: stats.currentBitrate,
        total_bytes: stats.totalBytesStreamed,
        frame_drops: stats.frameDrops,
        errors: stats.errors,
        uptime: stats.uptime,
        healthy: store.get('streamHealth').healthy,
      };
    },
  );
}

/** Without the port; an IPv6 address keeps its brackets. */
function hostIn({ host }: FastifyRequest): string {
  return host.replace(/:\d+$/, '');
}
