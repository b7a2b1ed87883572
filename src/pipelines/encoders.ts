// How each encoder element is told what is wanted of it. The first that the machine has is taken.
import type { Machine } from './machine.js';
import type { MediaSettings } from './settings.js';

export type Codec = MediaSettings['videoEncoder'];

type EncoderSettings = Pick<MediaSettings, 'encoderElement' | 'encoderPreset'>;

export interface EncoderWish {
  readonly codec: Codec;
  /** Of H.264; `auto` leaves the choice to the machine. */
  readonly element: MediaSettings['encoderElement'];
  /** bit/s */
  readonly bitrate: number;
  readonly profile: string;
  readonly preset: MediaSettings['encoderPreset'];
  readonly latency: MediaSettings['streamLatencyMode'];
  readonly framerate: number;
}

interface Encoder {
  readonly element: string;
  /** Millions of pixels that a core encodes in a second; hardware takes none of a core. */
  readonly speed: Readonly<Record<EncoderWish['preset'], number>>;
  /** The raw form it takes, where that is not NV12. */
  readonly input?: 'I420';
  /** What cannot change while it runs. */
  readonly fixed: (wish: EncoderWish) => string;
  /** What can, by property. */
  readonly live: (wish: EncoderWish) => Readonly<Record<string, string>>;
}

interface Format {
  readonly payloader: string;
  readonly payloadType: number;
  /** From the encoder to the hub. */
  readonly after: (wish: EncoderWish) => string;
}

const parsed = 'stream-format=byte-stream,alignment=au';
/** H.264 as the hub offers it to viewers, whoever has encoded it. */
export const byteStream = `h264parse config-interval=-1 ! video/x-h264,${parsed}`;
/**
 * The parsers put the parameter sets before each keyframe. Payloaders that do it as well put them before each slice of
 * one, and players take the slices for pictures of their own.
 */
export const formats: Readonly<Record<Codec, Format>> = {
  h264: {
    payloader: 'rtph264pay config-interval=0 aggregate-mode=zero-latency',
    payloadType: 96,
    after: ({ profile }) =>
      `video/x-h264,profile=${profile === 'baseline' ? 'constrained-baseline' : profile} ! ${byteStream}`,
  },
  h265: {
    payloader: 'rtph265pay config-interval=0 aggregate-mode=zero-latency',
    payloadType: 96,
    after: () => `h265parse config-interval=-1 ! video/x-h265,${parsed}`,
  },
  mjpeg: { payloader: 'rtpjpegpay', payloadType: 26, after: () => 'jpegparse' },
};

/** Seconds between keyframes: newcomers ask for one, so these are for those who lost something. */
const keyframeSeconds: Readonly<Record<EncoderWish['latency'], number>> = { low: 2, normal: 2, high: 4 };
/** Milliseconds of stream that the encoder may bring forward or put off to keep to the bitrate. */
const bufferMs: Readonly<Record<EncoderWish['latency'], number>> = { low: 150, normal: 500, high: 2000 };

/** In software and live, each step is one that a small machine can take at the sizes it is asked for. */
const x264Presets: Readonly<Record<EncoderWish['preset'], string>> = {
  ultrafast: 'ultrafast',
  fast: 'superfast',
  medium: 'veryfast',
  slow: 'faster',
};

/** The fastest presets do without what the higher profiles are about, and would make a lower one of it. */
const profileOptions: Readonly<Record<string, string>> = {
  main: ' option-string=cabac=1',
  high: ' option-string=cabac=1:8x8dct=1',
};

const inHardware = { ultrafast: Infinity, fast: Infinity, medium: Infinity, slow: Infinity };
/** What was measured, less a reserve for busy pictures. */
const inSoftware = {
  x264: { ultrafast: 80, fast: 60, medium: 40, slow: 25 },
  openh264: { ultrafast: 40, fast: 40, medium: 40, slow: 40 },
  x265: { ultrafast: 14, fast: 9, medium: 9, slow: 9 },
  jpeg: { ultrafast: 130, fast: 130, medium: 130, slow: 130 },
};

const keyframeEvery = ({ latency, framerate }: EncoderWish): string =>
  String(Math.max(1, keyframeSeconds[latency] * framerate));
const kilobits = ({ bitrate }: EncoderWish): string => String(Math.round(bitrate / 1000));

const encoders: Readonly<Record<Codec, readonly Encoder[]>> = {
  h264: [
    {
      element: 'v4l2h264enc',
      speed: inHardware,
      fixed: () => '',
      // Set while the device is open, they go to the driver at once (gst_v4l2_object_set_property_helper).
      live: (wish) => ({
        'extra-controls': `controls,video_bitrate=${String(wish.bitrate)},h264_i_frame_period=${keyframeEvery(wish)},repeat_sequence_header=1`,
      }),
    },
    ...['vah264enc', 'nvh264enc'].map((element): Encoder => ({
      element,
      speed: inHardware,
      fixed: (wish) =>
        element === 'vah264enc'
          ? `key-int-max=${keyframeEvery(wish)} rate-control=cbr b-frames=0`
          : `gop-size=${keyframeEvery(wish)} rc-mode=cbr zerolatency=true bframes=0`,
      live: (wish) => ({ bitrate: kilobits(wish) }),
    })),
    {
      element: 'vaapih264enc',
      speed: inHardware,
      fixed: (wish) => `keyframe-period=${keyframeEvery(wish)} rate-control=cbr max-bframes=0`,
      live: (wish) => ({ bitrate: kilobits(wish) }),
    },
    {
      element: 'x264enc',
      speed: inSoftware.x264,
      fixed: (wish) =>
        `tune=zerolatency speed-preset=${x264Presets[wish.preset]} key-int-max=${keyframeEvery(wish)} vbv-buf-capacity=${String(bufferMs[wish.latency])} byte-stream=true${profileOptions[wish.profile] ?? ''}`,
      live: (wish) => ({ bitrate: kilobits(wish) }),
    },
    {
      element: 'openh264enc',
      speed: inSoftware.openh264,
      input: 'I420',
      fixed: (wish) => `rate-control=bitrate gop-size=${keyframeEvery(wish)} complexity=low`,
      live: ({ bitrate }) => ({ bitrate: String(bitrate), 'max-bitrate': String(bitrate) }),
    },
  ],
  h265: [
    {
      element: 'x265enc',
      speed: inSoftware.x265,
      input: 'I420',
      fixed: (wish) =>
        `tune=zerolatency speed-preset=${wish.preset === 'ultrafast' ? 'ultrafast' : 'superfast'} key-int-max=${keyframeEvery(wish)}`,
      live: (wish) => ({ bitrate: kilobits(wish) }),
    },
  ],
  mjpeg: [
    {
      element: 'jpegenc',
      speed: inSoftware.jpeg,
      fixed: () => 'idct-method=ifast',
      // JPEG knows no bitrate: about so many bits for each picture.
      live: ({ bitrate, framerate }) => ({
        quality: String(Math.max(20, Math.min(95, Math.round((bitrate / framerate / 1_000_000) * 200)))),
      }),
    },
  ],
};

/** Everything that may be asked for, for finding out what the machine has. */
export const knownEncoders: readonly string[] = Object.values(encoders).flatMap((all) =>
  all.map(({ element }) => element),
);

/** A codec that nothing on this machine encodes. */
export class NoEncoder extends Error {
  override readonly name = 'NoEncoder';
}

function choose(
  { codec, element }: Pick<EncoderWish, 'codec' | 'element'>,
  { encoders: present }: Machine,
): Encoder {
  const all = encoders[codec];
  const here = all.filter((encoder) => present.includes(encoder.element));
  const isAsked = codec === 'h264' && element !== 'auto';
  const found = isAsked ? here.find((encoder) => encoder.element === element) : here[0];
  if (found !== undefined) return found;
  const named = (of: readonly Encoder[]): string => of.map((encoder) => encoder.element).join(', ');
  throw new NoEncoder(
    isAsked
      ? `This machine has no ${element}, but ${here.length === 0 ? 'nothing' : named(here)} for ${codec}`
      : `This machine has no encoder for ${codec}: none of ${named(all)}`,
  );
}

/** Whether this machine encodes it at all. */
export function hasEncoder(codec: Codec, { encoders: present }: Machine): boolean {
  return encoders[codec].some(({ element }) => present.includes(element));
}

/** How many pixels of a codec a core encodes in a second. */
export function pixelsPerCore(codec: Codec, settings: EncoderSettings, machine: Machine): number {
  const { speed } = choose({ codec, element: settings.encoderElement }, machine);
  return speed[settings.encoderPreset] * 1e6;
}

/** Whether H.264 costs the processor nothing. */
export function encodesInHardware(settings: EncoderSettings, machine: Machine): boolean {
  return hasEncoder('h264', machine) && pixelsPerCore('h264', settings, machine) === Infinity;
}

/** The raw form that the encoder takes. */
export function encoderInput(wish: EncoderWish, machine: Machine): 'NV12' | 'I420' {
  return choose(wish, machine).input ?? 'NV12';
}

/** The part of a launch text from raw frames to what the hub carries. */
export function encoderText(wish: EncoderWish, machine: Machine): string {
  const encoder = choose(wish, machine);
  const element = [encoder.element, 'name=encoder', encoder.fixed(wish)]
    .filter((word) => word !== '')
    .join(' ');
  return `${element} ! ${formats[wish.codec].after(wish)}`;
}

export function liveEncoderProperties(wish: EncoderWish, machine: Machine): Record<string, string> {
  const live = choose(wish, machine).live(wish);
  return Object.fromEntries(Object.entries(live).map(([property, value]) => [`encoder.${property}`, value]));
}
