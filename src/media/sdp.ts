// What of a browser's offer decides how it is served.

export interface VideoOffer {
  readonly codec: 'H264' | 'VP8';
  readonly payloadType: number;
  /** The browser's own parameters of that payload type, which the answer repeats. */
  readonly parameters: string;
  /** Of the extension for transport-wide congestion control; 0 where it is not offered. */
  readonly twccId: number;
  /** Whether its receiver may say what it thinks that the way carries (REMB). */
  readonly givesEstimates: boolean;
}

/** The offer holds nothing that could be answered. */
export class UnfitOffer extends Error {
  override readonly name = 'UnfitOffer';
  readonly reason: 'no video' | 'no codec' | 'unreadable';
  constructor(reason: UnfitOffer['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export const twccUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
/** The first two digits of profile-level-id, by profile, the best fit first: who can more can also less. */
const fitting: Readonly<Record<string, readonly string[]>> = {
  baseline: ['42', '4d', '64'],
  main: ['4d', '64', '42'],
  high: ['64', '4d', '42'],
};

/** Chooses among the payload types of H.264 the one that says most nearly what will be sent. */
export function readOffer(sdp: string, profile: string): VideoOffer {
  const lines = videoOf(sdp, 'The offer asks for no video; add a transceiver that receives it');
  if (lines.some((line) => line === 'a=sendonly' || line === 'a=inactive'))
    throw new UnfitOffer('no video', 'The offer wants no video of the server; its transceiver must receive');
  const order = fitting[profile] ?? [];
  const ranked = wholeH264(lines).toSorted((a, b) => rank(a.parameters, order) - rank(b.parameters, order));
  const [chosen] = ranked;
  if (chosen === undefined)
    throw new UnfitOffer(
      'no codec',
      'The offer has no H.264 with packetization-mode=1, which is what is sent here',
    );
  const givesEstimates = lines.includes(`a=rtcp-fb:${String(chosen.payloadType)} goog-remb`);
  return { ...chosen, codec: 'H264', twccId: twccIn(lines), givesEstimates };
}

/** Chooses what a browser that sends its camera is to send: H.264, which can be passed on as it is, before VP8. */
export function readPushedOffer(sdp: string): VideoOffer {
  const lines = videoOf(sdp, 'The offer has no video; add a track of a camera');
  if (lines.some((line) => line === 'a=recvonly' || line === 'a=inactive'))
    throw new UnfitOffer('no video', 'The offer sends no video; its transceiver must send');
  const [h264] = wholeH264(lines);
  const twccId = twccIn(lines);
  const common = { twccId, givesEstimates: false };
  if (h264 !== undefined) return { ...h264, ...common, codec: 'H264' };
  const [vp8] = typesOf(lines, 'VP8');
  if (vp8 !== undefined) return { ...vp8, ...common, codec: 'VP8' };
  throw new UnfitOffer('no codec', 'The offer has neither H.264 with packetization-mode=1 nor VP8');
}

function videoOf(sdp: string, complaint: string): readonly string[] {
  const section = sdp.split(/^(?=m=)/m).find((each) => each.startsWith('m=video '));
  if (section === undefined) throw new UnfitOffer('no video', complaint);
  return section.split(/\r?\n/);
}

function typesOf(
  lines: readonly string[],
  codec: string,
): readonly { readonly payloadType: number; readonly parameters: string }[] {
  return lines.flatMap((line) => {
    const match = new RegExp(`^a=rtpmap:(\\d+) ${codec}/90000`, 'i').exec(line);
    if (match?.[1] === undefined) return [];
    const parameters =
      lines.find((each) => each.startsWith(`a=fmtp:${match[1] ?? ''} `))?.split(' ')[1] ?? '';
    return [{ payloadType: Number(match[1]), parameters }];
  });
}

function wholeH264(lines: readonly string[]): ReturnType<typeof typesOf> {
  return typesOf(lines, 'H264').filter(({ parameters }) => /packetization-mode=1/.test(parameters));
}

function twccIn(lines: readonly string[]): number {
  const twcc = lines.find((line) => line.startsWith('a=extmap:') && line.includes(twccUri));
  return Number(/^a=extmap:(\d+)/.exec(twcc ?? '')?.[1] ?? 0);
}

/** Of a candidate, which names its host in the fifth place. */
const namesHost = /^(?:a=)?candidate:\S+ \d+ \S+ \d+ \S+\.local /i;

/**
 * Browsers hide their addresses behind names that only multicast DNS knows. Looking one up in vain costs libgstwebrtc a
 * whole agent with its sockets, for ever; and nobody needs it, because the browser comes here by itself.
 */
export function isHidden(candidate: string): boolean {
  return namesHost.test(candidate);
}

export function withoutHidden(sdp: string): string {
  return sdp
    .split('\n')
    .filter((line) => !isHidden(line))
    .join('\n');
}

function rank(parameters: string, order: readonly string[]): number {
  const id = /profile-level-id=([0-9a-f]{2})/i.exec(parameters)?.[1]?.toLowerCase() ?? '42';
  const place = order.indexOf(id);
  return place < 0 ? order.length : place;
}
