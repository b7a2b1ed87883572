// What WHEP and WHIP have in common: descriptions as bodies, sessions as addresses, candidates as fragments.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { ObscuraError } from '../../errors.js';
import { HttpError } from './errors.js';

export const longestSdp = 131_072;
export const fragmentType = 'application/trickle-ice-sdpfrag';
/** Foundation, component, protocol, priority, address and port (RFC 8839). */
const candidateForm = /^candidate:\S{1,32} \d{1,3} (?:udp|tcp) \d{1,10} \S+ \d{1,5} typ \S+/i;

/** The answer to an offer, but for the description. */
export function opened(reply: FastifyReply, location: string, session: string): FastifyReply {
  return reply
    .code(201)
    .type('application/sdp')
    .header('location', location)
    .header('etag', etagOf(session))
    .header('accept-patch', fragmentType);
}

/** Addresses that are told after the offer. */
export function candidatesOf(
  session: string,
  headers: IncomingHttpHeaders,
  body: unknown,
): readonly { readonly line: number; readonly candidate: string }[] {
  if (headers['content-type']?.split(';')[0]?.trim() !== fragmentType)
    throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', `The body must be ${fragmentType}`);
  const match = headers['if-match'];
  // The star asks to begin ICE anew, with other secrets.
  if (match === '*')
    throw new HttpError(422, 'INVALID_VALUE', 'ICE is not begun anew here; open another session');
  if (match !== undefined && match !== etagOf(session))
    throw new HttpError(412, 'CONFLICT', `If-Match must be ${etagOf(session)}`);
  const candidates = candidatesIn(sdpOf(body));
  const wrong = candidates.find(({ candidate }) => !candidateForm.test(candidate));
  if (wrong !== undefined)
    throw new HttpError(422, 'INVALID_VALUE', `This is no candidate: ${wrong.candidate.slice(0, 80)}`);
  return candidates;
}

/** Of an offer that cannot be answered, what HTTP has for it; any other error as it is. */
export function unfitOffer(error: unknown): unknown {
  if (!(error instanceof ObscuraError) || error.code !== 'invalid') return error;
  const { unfit } = (error.details ?? {}) as { readonly unfit?: string };
  return new HttpError(422, unfit === 'unreadable' ? 'INVALID_VALUE' : 'OFFER_WITHOUT_VIDEO', error.message);
}

/** Of the addresses and secrets that were agreed on, which stay as long as the session. */
function etagOf(session: string): string {
  return `"${session}"`;
}

export function noSession(): ObscuraError {
  return new ObscuraError('unknown', 'There is no such session');
}

export function sdpOf(body: unknown): string {
  if (typeof body !== 'string' || body.length > longestSdp)
    throw new HttpError(400, 'INVALID_REQUEST', 'The body must be SDP');
  return body;
}

/** The lines of a fragment, with the number of the section they stand in. */
function candidatesIn(fragment: string): { readonly line: number; readonly candidate: string }[] {
  let line = -1;
  return fragment.split(/\r?\n/).flatMap((each) => {
    if (each.startsWith('m=')) line += 1;
    if (!each.startsWith('a=candidate:')) return [];
    return [{ line: Math.max(0, line), candidate: each.slice(2) }];
  });
}
