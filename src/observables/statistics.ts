// How the streams fare: totals, and a verdict with reasons.
import { Type } from '@sinclair/typebox';
import { defineDerived, defineObservable } from './define.js';
import { media, nobody } from './groups.js';
import { object } from './schemas.js';

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
  description: 'Viewers, bytes, dropped frames and errors of all streams.',
  read: media.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const streamHealth = defineDerived('streamHealth', {
  schema: object({
    healthy: Type.Boolean(),
    reasons: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 8 }),
  }),
  title: 'Stream health',
  description: 'Whether the streams do well; if not, why.',
  read: media.read,
  from: [streamStats],
  compute: ({ frameDrops, errors, currentBitrate, clientCount }) => {
    const reasons = [
      ...(frameDrops > 100 ? [`${String(frameDrops)} frames were dropped`] : []),
      ...(errors > 10 ? [`${String(errors)} errors occurred`] : []),
      ...(currentBitrate === 0 && clientCount > 0
        ? [`The stream has stalled while ${String(clientCount)} clients watch`]
        : []),
    ];
    return { healthy: reasons.length === 0, reasons };
  },
});
