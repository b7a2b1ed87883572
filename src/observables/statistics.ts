// How the streams fare: totals, and a verdict with reasons.
import { Type } from '@sinclair/typebox';
import { defineDerived, defineObservable } from './define.js';
import { media, nobody } from './groups.js';
import { object, ratio, timestamp } from './schemas.js';

const count = Type.Integer({ minimum: 0 });

export const streamStats = defineObservable('streamStats', {
  schema: object({
    clientCount: count,
    totalBytesStreamed: count,
    currentBitrate: count,
    frameDrops: count,
    errors: count,
    uptime: Type.Number({ minimum: 0, description: 'Seconds.' }),
  }),
  default: { clientCount: 0, totalBytesStreamed: 0, currentBitrate: 0, frameDrops: 0, errors: 0, uptime: 0 },
  title: 'Stream statistics',
  description:
    'Viewers, bytes, dropped frames and errors of all streams since the server started; the bitrate is that of all viewers together. Frames that were left out for one RTSP viewer with a narrow way count as dropped.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const streamRecent = defineObservable('streamRecent', {
  schema: object({
    seconds: Type.Integer({ minimum: 1, description: 'How far back the counts go.' }),
    frameDrops: Type.Integer({
      minimum: 0,
      description: 'Frames that this machine was too slow for; not those that were left out for one viewer.',
    }),
    errors: count,
    stalled: Type.Array(Type.String({ maxLength: 256 }), {
      maxItems: 4,
      description: 'Streams that somebody watches and that give no pictures now, in words.',
    }),
  }),
  default: { seconds: 60, frameDrops: 0, errors: 0, stalled: [] },
  title: 'The last minute of the streams',
  description: 'What speaks against the health of the streams.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

/** More than so many within the time that `streamRecent` covers are too many. */
const mostDrops = 100;
const mostErrors = 10;

export const streamHealth = defineDerived('streamHealth', {
  schema: object({
    healthy: Type.Boolean(),
    reasons: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 8 }),
  }),
  title: 'Stream health',
  description: `Whether the streams do well; if not, why: more than ${String(mostDrops)} dropped frames or ${String(mostErrors)} errors in the last minute, or a stream that has stalled while somebody watches.`,
  read: media.read,
  from: [streamRecent],
  compute: ({ seconds, frameDrops, errors, stalled }) => {
    const within = `in the last ${String(seconds)} seconds`;
    const reasons = [
      ...(frameDrops > mostDrops ? [`${String(frameDrops)} frames were dropped ${within}`] : []),
      ...(errors > mostErrors ? [`${String(errors)} errors occurred ${within}`] : []),
      ...stalled,
    ];
    return { healthy: reasons.length === 0, reasons };
  },
});

const StreamPoint = object({
  target: Type.Integer({ minimum: 0, description: 'bit/s that the encoder is to give.' }),
  bitrate: Type.Integer({ minimum: 0, description: 'bit/s that it gave.' }),
  fps: Type.Number({ minimum: 0 }),
  viewers: count,
});

export const statistics = defineObservable('statistics', {
  schema: object({
    at: timestamp,
    clients: count,
    sent: Type.Integer({ minimum: 0, description: 'bit/s to all viewers together.' }),
    available: Type.Integer({ minimum: 0, description: 'bit/s, as networkStats has it.' }),
    loss: ratio,
    rtt: Type.Number({ minimum: 0 }),
    jitter: Type.Number({ minimum: 0 }),
    drops: Type.Integer({ minimum: 0, description: 'Frames dropped in this second.' }),
    stream1: StreamPoint,
    stream2: StreamPoint,
  }),
  default: {
    ...{ at: 0, clients: 0, sent: 0, available: 0, loss: 0, rtt: 0, jitter: 0, drops: 0 },
    stream1: { target: 0, bitrate: 0, fps: 0, viewers: 0 },
    stream2: { target: 0, bitrate: 0, fps: 0, viewers: 0 },
  },
  title: 'Statistics of this second',
  description:
    'One line for charts, once a second; `/api/statistics/history` has those of the last ten minutes.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});
