// The door to WebRTC: the browser offers, or asks for an offer and answers it.
import { Type } from '@sinclair/typebox';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { answers, type App } from '../route.js';

const tags = ['webrtc'];
const mayWatch = ['Media_r', 'Media_rw'] as const;
const sdp = Type.String({ maxLength: 131_072 });
const Offer = Type.Object({ type: Type.Literal('offer'), sdp });
const Answer = Type.Object({ type: Type.Literal('answer'), sdp });

export function webrtcRoutes(app: App, { store }: Services): void {
  const refuse = (): never => {
    if (!store.get('webrtcEnabled'))
      throw new HttpError(503, 'WEBRTC_DISABLED', 'WebRTC is switched off; see the setting webrtcEnabled');
    throw new HttpError(503, 'CAMERA_NOT_CONNECTED', 'No picture comes from the camera now');
  };
  app.post(
    '/api/webrtc/offer',
    {
      config: { access: mayWatch },
      schema: { tags, summary: 'Open a WebRTC session', body: Offer, response: answers(Answer) },
    },
    refuse,
  );
  app.get(
    '/api/webrtc/offer',
    {
      config: { access: mayWatch },
      schema: { tags, summary: 'Ask for an offer to answer', response: answers(Offer) },
    },
    refuse,
  );
  app.post(
    '/api/webrtc/answer',
    {
      config: { access: mayWatch },
      schema: {
        tags,
        summary: 'Answer the offer',
        body: Answer,
        response: answers(Type.Object({ success: Type.Literal(true) })),
      },
    },
    refuse,
  );
}
