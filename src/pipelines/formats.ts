// Whether a camera has pictures of the form it is set to: GStreamer only says that something did not work.
import { sizeOf } from '../observables/schemas.js';
import type { Head, VideoDevice } from './settings.js';

type Format = VideoDevice['formats'][number];
type Size = Format['sizes'][number];

/** What the camera does not have of what its settings ask for, and what it has instead; nothing where it is not known. */
export function whatIsMissing(head: Head, device: VideoDevice | undefined): string | undefined {
  if (device === undefined || device.formats.length === 0) return undefined;
  const format = device.formats.find((each) => each.format === head.format);
  if (format === undefined)
    return `has no ${head.format}, but ${device.formats.map((each) => each.format).join(', ')}`;
  if (format.sizes.length === 0) return undefined;
  const size = sizeIn(format, head.resolution);
  if (size === undefined)
    return `has no ${head.resolution} as ${head.format}, but ${format.sizes
      .map(({ width, height }) => `${String(width)}x${String(height)}`)
      .join(format.anySize === true ? ' to ' : ', ')}`;
  if (size.rates.length === 0 || hasRate(size, head.fps)) return undefined;
  const rates = size.rates.map(String).join(size.anyRate === true ? ' to ' : ', ');
  return `gives no ${String(head.fps)} pictures a second of ${head.resolution} as ${head.format}, but ${rates}`;
}

function sizeIn({ sizes, anySize }: Format, resolution: string): Size | undefined {
  const { width, height } = sizeOf(resolution);
  const [least, most] = sizes;
  if (anySize !== true) return sizes.find((size) => size.width === width && size.height === height);
  if (least === undefined || most === undefined) return undefined;
  const fits = width >= least.width && width <= most.width && height >= least.height && height <= most.height;
  return fits ? most : undefined;
}

function hasRate({ rates, anyRate }: Size, rate: number): boolean {
  if (anyRate === true) return rate >= Math.min(...rates) && rate <= Math.max(...rates);
  return rates.includes(rate);
}
