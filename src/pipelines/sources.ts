// Where pictures come from, as the beginning of a launch text. Cameras that send encoded video end in that, as it is;
// all others in raw NV12.
import { sizeOf } from '../observables/schemas.js';
import { quoted } from './launchText.js';
import type { Head } from './settings.js';
import { simulatedHeadText } from './simulatedHead.js';

export interface SourceText {
  readonly text: string;
  /** Properties that nobody is to read, as `element.property`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Somebody from outside sends, and nothing is to be opened. */
  readonly external?: true;
  /** It can be opened once only. */
  readonly exclusive: boolean;
  /** When it is over it begins again. */
  readonly repeats: boolean;
}

/** What the test source shows in place of its bars, where it stands as the device: `smpte` with noise costs bits. */
const testPatterns: ReadonlySet<string> = new Set([
  ...['smpte', 'snow', 'ball', 'zone-plate', 'black', 'white', 'red', 'green', 'blue'],
]);
/** Until a source on the network is given up, in seconds. */
const networkTimeout = 5;
/** In which the pictures of a network camera are put into order. */
const usualLatencyMs = 100;
/** Players look at some twenty pictures before they show the first, and would take ages at a lower rate. */
export const cardFramerate = 25;
const raw = 'videoconvert ! video/x-raw,format=NV12';

/** How the pictures of a camera of the machine come, and how they go on. */
const captureForms: Readonly<Record<Head['format'], { readonly caps: string; readonly goesOn: string }>> = {
  NV12: { caps: 'video/x-raw,format=NV12', goesOn: raw },
  I420: { caps: 'video/x-raw,format=I420', goesOn: raw },
  YUY2: { caps: 'video/x-raw,format=YUY2', goesOn: raw },
  MJPG: { caps: 'image/jpeg', goesOn: `jpegdec ! ${raw}` },
  H264: { caps: 'video/x-h264', goesOn: 'h264parse' },
};

/** Of most sources, and of everything that is none. */
export const undemanding = { secrets: {}, exclusive: false, repeats: false } as const;

/** Whether what comes from there is encoded. */
export function isCoded({ source, format }: Head): boolean {
  return ['rtsp', 'tcp', 'rtp', 'whip'].includes(source) || (source === 'v4l2' && format === 'H264');
}

/** `atMost` is the rate beyond which nobody wants pictures. */
export function sourceText(head: Head, atMost: number): SourceText {
  const { source, device, format, resolution, fps, url = '', transport = 'tcp' } = head;
  const size = sizeCaps(resolution);
  switch (source) {
    case 'none':
      return { ...undemanding, text: cardText(head) };
    case 'test':
      return {
        ...undemanding,
        text: `videotestsrc is-live=true pattern=${testPatterns.has(device) ? device : 'smpte100'} horizontal-speed=2 ! video/x-raw,format=NV12,${size},framerate=${String(Math.min(fps, atMost))}/1 ! ${simulatedHeadText}`,
      };
    case 'v4l2': {
      const { caps, goesOn } = captureForms[format];
      return {
        ...{ ...undemanding, exclusive: true },
        text: `v4l2src device=${quoted(device)} ! ${caps},${size},framerate=${String(fps)}/1 ! ${goesOn}`,
      };
    }
    case 'libcamera':
      return {
        ...{ ...undemanding, exclusive: true },
        text: `libcamerasrc camera-name=${quoted(device)} ! video/x-raw,${size},framerate=${String(fps)}/1 ! ${raw}`,
      };
    case 'rtsp':
      return {
        ...{ ...undemanding, secrets: account(head) },
        text: [
          // Given apart from the address, name and password would be tried five times, and cameras lock their doors.
          `rtspsrc location=${quoted(url)} name=source protocols=${transport} latency=${String(head.latencyMs ?? usualLatencyMs)} drop-on-latency=true tcp-timeout=${String(networkTimeout * 1e6)} timeout=${String(networkTimeout * 1e6)}`,
          // Sound would come the same way.
          'application/x-rtp,media=video ! rtptimes ! parsebin',
        ].join(' ! '),
      };
    case 'tcp': {
      const { host, port } = hostAndPort(url);
      return {
        ...undemanding,
        text: `tcpclientsrc name=source host=${quoted(host)} port=${port} timeout=${String(networkTimeout)} do-timestamp=true ! h264parse`,
      };
    }
    case 'rtp': {
      const { host, port } = hostAndPort(url);
      const description = head.sdp === undefined ? '' : ` sdp=${quoted(head.sdp)}`;
      return {
        ...undemanding,
        text: `rtpreceiver name=source address=${quoted(host)} port=${port} latency=${String(head.latencyMs ?? usualLatencyMs)}${description} ! rtptimes ! parsebin`,
      };
    }
    case 'http':
      return {
        ...{ ...undemanding, secrets: password(head) },
        text: `souphttpsrc name=source location=${quoted(url)}${user(head)} is-live=true do-timestamp=true timeout=${String(networkTimeout)} retries=0 ! multipartdemux single-stream=true ! image/jpeg ! jpegdec ! ${raw}`,
      };
    case 'file':
      return {
        ...{ ...undemanding, repeats: true },
        text: `filesrc name=source location=${quoted(device)} ! decodebin ! ${raw} ! clocksync`,
      };
    case 'whip':
      return { ...undemanding, external: true, text: cardText(head) };
  }
}

/** What is seen where a camera gives nothing. */
export function cardText({ resolution, fps }: Head): string {
  const { height } = sizeOf(resolution);
  return `videotestsrc is-live=true pattern=solid-color foreground-color=0xff20262e ! video/x-raw,format=NV12,${sizeCaps(resolution)},framerate=${String(Math.min(fps, cardFramerate))}/1 ! nv12timestamp format="'NO SIGNAL'" position=center size=${String(Math.max(12, Math.round(height / 12)))}`;
}

function sizeCaps(resolution: string): string {
  const { width, height } = sizeOf(resolution);
  return `width=${String(width)},height=${String(height)}`;
}

function account({ url = '', username, password: secret }: Head): Readonly<Record<string, string>> {
  if (username === undefined && secret === undefined) return {};
  const credentials = [username ?? '', secret ?? ''].map(encodeURIComponent).join(':');
  return { 'source.location': url.replace('://', `://${credentials}@`) };
}

function user({ username }: Head): string {
  return username === undefined ? '' : ` user-id=${quoted(username)}`;
}

function password({ password: secret }: Head): Readonly<Record<string, string>> {
  return secret === undefined ? {} : { 'source.user-pw': secret };
}

function hostAndPort(url: string): { readonly host: string; readonly port: string } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? '8888' : port };
}
