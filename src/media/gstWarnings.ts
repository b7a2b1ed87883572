// GStreamer's own warnings as lines of our log. Some of them come with every viewer and mean nothing: those are for
// whoever looks for something in particular.
import type { MediaEvent } from './gstreamer.js';
import type { FromMedia } from './messages.js';
import { withoutAccount } from './redact.js';

type GstWarning = Extract<MediaEvent, { readonly event: 'gst-log' }>;

/** In version 1.22. */
const usual: readonly (readonly [category: string, words: string, element?: string])[] = [
  // The first request of everybody who then logs in.
  ['rtspclient', 'not allowed'],
  // Of every viewer who comes first to a stream, or goes last.
  ['rtspmedia', 'was not prepared'],
  // Of everybody else.
  ['rtspmedia', 'was prepared by other client'],
  ['rtpsession', "Can't determine running time"],
  // Of a stream's pipeline that the last viewer leaves as it begins, or that has no way to a viewer yet.
  ['bin', 'did not really configure latency'],
  // Asked about a viewer who has no statistics yet, or none any more.
  ['multiudpsink', 'not found'],
  // Of a viewer who leaves while something is on its way.
  ['GST_PADS', 'could not send sticky events'],
  ['default', 'Error sending message: Broken pipe'],
  ['default', 'Error sending message: Connection reset by peer'],
  // Of picture-in-picture as it begins: the mixer asks all that feed it, and the border, which is a test picture, has no
  // answer before it has its format. It is asked again before the first picture leaves the mixer.
  ['aggregator', 'Latency query failed', 'mix'],
];

export function lineOf({ category, element, message, withheld }: GstWarning): FromMedia {
  const isUsual = usual.some(
    ([from, words, of = element]) => category === from && message.includes(words) && element === of,
  );
  const more = withheld === 0 ? '' : ` (and ${String(withheld)} more before it)`;
  return {
    ...{ kind: 'log', level: isUsual ? 'debug' : 'warn', category },
    message: `${element === '' ? '' : `${element}: `}${withoutAccount(message)}${more}`,
  };
}
