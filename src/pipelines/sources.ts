// Where pictures come from, as the beginning of a launch text that ends in raw NV12.
import type { MediaSettings } from './settings.js';

type Head = MediaSettings['cameraHeadSettings']['primary'];

export interface SourceText {
  readonly text: string;
  readonly exclusive: boolean;
}

/** What the test source shows in place of its bars, where it stands as the device: `smpte` with noise costs bits. */
const testPatterns: ReadonlySet<string> = new Set(['smpte', 'snow', 'ball', 'zone-plate', 'black', 'white']);

/** A source that this version cannot open. */
export class UnknownSource extends Error {
  override readonly name = 'UnknownSource';
}

/** `atMost` is the rate beyond which nobody wants pictures. */
export function sourceText({ source, device, format, resolution, fps }: Head, atMost: number): SourceText {
  const [width = '0', height = '0'] = resolution.split('x');
  const size = `width=${width},height=${height}`;
  switch (source) {
    case 'test':
      return {
        text: `videotestsrc is-live=true pattern=${testPatterns.has(device) ? device : 'smpte100'} horizontal-speed=2 ! video/x-raw,format=NV12,${size},framerate=${String(Math.min(fps, atMost))}/1`,
        exclusive: false,
      };
    case 'v4l2': {
      const caps = format === 'MJPG' ? 'image/jpeg' : `video/x-raw,format=${format}`;
      const decode = format === 'MJPG' ? ' ! jpegdec' : '';
      return {
        text: `v4l2src device=${quoted(device)} ! ${caps},${size},framerate=${String(fps)}/1${decode} ! videoconvert ! video/x-raw,format=NV12`,
        exclusive: true,
      };
    }
    default:
      throw new UnknownSource(`A source of type ${source} cannot be opened by this version`);
  }
}

/** As launch texts want values that may hold anything. */
function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
