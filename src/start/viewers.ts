// Everybody who watches, whatever they watch over: one list for whoever counts or tells of them.
import type { PictureWatcher, Viewer, WebRtcWatcher } from '../api/services.js';
import type { RtspClientReport } from '../media/messages.js';
import { streamName } from '../media/streamNames.js';
import { streamAt } from '../pipelines/plan.js';

interface Watching {
  readonly rtsp: readonly RtspClientReport[];
  readonly webrtc: readonly WebRtcWatcher[];
  readonly pictures: readonly PictureWatcher[];
}

export function viewersOf({ rtsp, webrtc, pictures }: Watching): Viewer[] {
  return [
    ...rtsp
      // A connection that does not play is not a viewer yet.
      .filter(({ path }) => path !== '')
      .map(({ id, path, user, address = '', since, bytes = 0, report, framesDropped }) => ({
        ...{ id: `rtsp-${String(id)}`, protocol: 'rtsp' as const, stream: streamAt(path) },
        ...{ user, address, since, bytes },
        ...(report === undefined ? {} : { report }),
        ...(framesDropped === undefined ? {} : { framesDropped }),
      })),
    ...webrtc
      // Whoever asked and does not come is none either.
      .filter(({ connected }) => connected)
      .map(({ viewer, stream, user, address, since, bytes, report }) => ({
        ...{ id: viewer, protocol: 'webrtc' as const, stream: streamName(stream) },
        ...{ user, address, since, bytes },
        ...(report === undefined ? {} : { report }),
      })),
    ...pictures.map(({ id, protocol, stream, user, address, since, bytes }) => ({
      ...{ id, protocol, stream: streamName(stream), user, address, since, bytes },
    })),
  ];
}
