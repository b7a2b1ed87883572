// What the settings mean in pipelines: a pure function from settings and machine to named pipelines as text. Pipelines
// are small and joined by channels of the hub, so that each can be exchanged without the others noticing.
import { sourceOf } from '../observables/camera.js';
import { canvasOf } from '../observables/pipCanvas.js';
import { sizeOf } from '../observables/schemas.js';
import {
  byteStream,
  encoderInput,
  encoderText,
  encodesInHardware,
  formats,
  hasEncoder,
  liveEncoderProperties,
  type Codec,
  type EncoderWish,
} from './encoders.js';
import { deviceControls, deviceOf, type DeviceControls } from './controls.js';
import { withinRung } from './ladder.js';
import { history, launchText } from './launchText.js';
import { effectiveFramerate, mainCamera, type Machine } from './machine.js';
import { overlayProperties } from './overlay.js';
import { obstacleTo, passedFramerate } from './passthrough.js';
import { pictureProperties, pictureText } from './picture.js';
import { picturePlan, type TapPlan } from './pictures.js';
import { alignmentProperties, sceneProperties, sceneText } from './scene.js';
import { simulatedHeadProperties } from './simulatedHead.js';
import { cardFramerate, cardText, isCoded, sourceText, undemanding } from './sources.js';
import type { MediaSettings } from './settings.js';

export interface PipelinePlan {
  readonly name: string;
  /** A launch text without what tells instances apart. */
  readonly text: string;
  /** Properties that may change while it runs, as `element.property`. */
  readonly live: Readonly<Record<string, string>>;
  /** The channel that it fills. It runs while somebody takes from there. */
  readonly channel: string;
  /** Runs all the time, so that the first viewer waits for nothing. */
  readonly preload: boolean;
  /** Properties that nobody is to read. What is changed here needs a new pipeline. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Of a camera that sends encoded video: which source that is. */
  readonly from?: string;
  /** The channel is filled by somebody from outside; what runs here is the card alone. */
  readonly external?: true;
  /** Its source can be opened once only: the old one ends before the new one begins. */
  readonly exclusive: boolean;
  /** When it comes to its end it begins again. */
  readonly repeats: boolean;
  /** Properties with which it takes the place of another, where those differ from what it begins with alone. */
  readonly joining?: Readonly<Record<string, string>>;
  /** The launch text of what stands in for it while it gives nothing; without one, it must run or not be. */
  readonly card?: string;
  /** Of what viewers get from it. */
  readonly codec?: Codec;
  /** What is wished of its encoder, from which its live properties follow for any other bitrate. */
  readonly encoding?: EncoderWish;
  /** Controls of the device that it opens, which change while it runs. */
  readonly controls?: DeviceControls;
}

export interface MountPlan {
  readonly path: string;
  readonly launch: string;
}

export interface MediaPlan {
  readonly pipelines: readonly PipelinePlan[];
  readonly mounts: readonly MountPlan[];
  readonly taps: readonly TapPlan[];
  /** What the main stream really runs at; a software encoder may not keep up with the wish. */
  readonly framerate: number;
  /** Why each stream is encoded here, in words for people; those that are passed on as the camera sends them have none. */
  readonly obstacles: Readonly<Record<string, string>>;
}

interface Stream {
  readonly id: string;
  readonly codec: Codec;
  readonly resolution: string;
  readonly wishedFramerate: number;
  /** What this machine makes of the wish. */
  readonly framerate: number;
  readonly bitrate: number;
  readonly profile: string;
  readonly preload: boolean;
}

/** A picture that stands still needs little. */
const cardBitrate = 500_000;

/** Paths by which clients of the reference product and its relatives ask for the streams. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  stream1: ['/stream1', '/stream0', '/stream', '/live', '/camera0/stream0', '/onvif/profile_1'],
  stream2: ['/stream2', '/camera0/stream1', '/onvif/profile_2'],
};

/** Which stream an RTSP client plays, by its path; a size or rate of its own makes it a rendition. */
export function streamAt(path: string): string {
  for (const [stream, paths] of Object.entries(aliases))
    for (const alias of paths) {
      if (!path.startsWith(alias)) continue;
      const next = path.charAt(alias.length);
      if (next === '' || next === '/') return stream;
      if (next === '@') return 'rendition';
    }
  return 'other';
}

export function plan(settings: MediaSettings, machine: Machine): MediaPlan {
  const { stream2, videoEncoder, streamPreload, pipEnabled } = settings;
  const camera = mainCamera(settings);
  const main = {
    ...{ codec: videoEncoder, resolution: settings.streamResolution },
    wishedFramerate: settings.streamFramerate,
  };
  const framerate =
    obstacleTo(main, settings) === undefined
      ? passedFramerate(settings)
      : effectiveFramerate(settings, machine);
  const isWarm = (wish: 'auto' | 'on' | 'off', isMain: boolean): boolean =>
    wish === 'on' || (wish === 'auto' && isMain && encodesInHardware(settings, machine));
  const streams: Stream[] = [
    {
      ...main,
      id: 'stream1',
      framerate,
      bitrate: settings.streamBitrate,
      profile: settings.encoderProfile,
      preload: isWarm(streamPreload.stream1, true),
    },
    ...(stream2.enabled
      ? [
          {
            ...{
              id: 'stream2',
              codec: 'h264' as const,
              resolution: stream2.resolution,
              bitrate: stream2.bitrate,
              wishedFramerate: stream2.framerate,
            },
            framerate: Math.min(stream2.framerate, framerate),
            profile: stream2.profile,
            preload: isWarm(streamPreload.stream2, false),
          },
        ]
      : []),
  ];
  streams.push(...settings.streamRenditions.flatMap((name) => renditionOf(name, streams)));
  // What the adaptive loop asks for must not reach the camera, which would begin anew.
  const highest = Math.max(...streams.map((stream) => stream.framerate));
  const cameras = pipEnabled ? (['primary', 'secondary'] as const) : [camera];
  const picture = pipEnabled ? 'raw/scene' : `raw/${camera}`;
  const filledBy = `${isCoded(settings.cameraHeadSettings[camera]) ? 'coded' : 'raw'}/${camera}`;
  const obstacles = Object.fromEntries(
    streams.flatMap((stream) => {
      const isRendition = stream.id.includes('@');
      const obstacle = isRendition
        ? 'a size, rate or bitrate of its own is asked for'
        : obstacleTo(stream, settings);
      return obstacle === undefined ? [] : [[stream.id, obstacle]];
    }),
  );
  const encoded = (stream: Stream): Stream =>
    stream.id === 'stream1' || stream.id === 'stream2'
      ? withinRung(stream, settings.adaptiveLadder[stream.id])
      : stream;
  return {
    framerate:
      obstacles['stream1'] === undefined
        ? framerate
        : withinRung({ ...main, framerate }, settings.adaptiveLadder.stream1).framerate,
    obstacles,
    pipelines: [
      ...cameras.flatMap((each) => cameraPlans(each, highest, settings, machine)),
      ...(pipEnabled ? [scenePlan(highest, settings)] : []),
      ...streams.map((stream) =>
        obstacles[stream.id] === undefined
          ? relayPlan(stream, camera)
          : encodePlan(encoded(stream), picture, settings, machine),
      ),
      ...settings.pictureVariants.map((channel) => picturePlan(channel, picture, settings)),
    ],
    // Renditions are mounted when they are asked for.
    mounts: streams.flatMap(({ id, codec }) =>
      (aliases[id] ?? []).map((path) => ({ path, launch: mountText(id, codec) })),
    ),
    taps: settings.pictureVariants.map((channel) => ({ channel, camera: filledBy })),
  };
}

/** A stream in the size, rate and bitrate of its name; never faster than the stream itself. */
function renditionOf(name: string, streams: readonly Stream[]): Stream[] {
  const [id, resolution = '-', rate = '-', kilobits = '-'] = name.split('@');
  const base = streams.find((stream) => stream.id === id);
  if (base === undefined) return [];
  return [
    {
      ...base,
      id: name,
      resolution: resolution === '-' ? base.resolution : resolution,
      framerate: rate === '-' ? base.framerate : Math.min(Number(rate), base.framerate),
      bitrate: kilobits === '-' ? base.bitrate : Number(kilobits) * 1000,
      preload: false,
    },
  ];
}

/** Taking pictures from the camera and, where they come encoded, decoding them for whoever wants to see pixels. */
function cameraPlans(
  camera: 'primary' | 'secondary',
  framerate: number,
  settings: MediaSettings,
  machine: Machine,
): PipelinePlan[] {
  const head = settings.cameraHeadSettings[camera];
  const device = deviceOf(head, settings.videoDevices);
  const { text, ...source } = sourceText(head, framerate);
  const raw = `raw/${camera}`;
  const common = {
    ...source,
    name: `capture/${camera}`,
    preload: false,
    ...(device === undefined ? {} : { controls: deviceControls(camera, device, settings) }),
  };
  // The card is read as it is.
  const isCamera = head.source !== 'none';
  const picture = isCamera ? pictureProperties(settings, device) : {};
  if (!isCoded(head))
    return [
      {
        ...common,
        text: [text, ...(isCamera ? [pictureText] : []), `hubsink channel=${raw}`].join(' ! '),
        card: `${cardText(head)} ! hubsink standby=true channel=${raw}`,
        live: {
          ...(head.source === 'test' ? simulatedHeadProperties(settings, camera) : {}),
          ...picture,
        },
        channel: raw,
      },
    ];
  const coded = `coded/${camera}`;
  return [
    {
      ...common,
      from: sourceOf(head),
      text: `${text} ! hubsink channel=${coded}`,
      card: `${codedCardText(head, machine)} ! hubsink standby=true channel=${coded}`,
      live: {},
      channel: coded,
    },
    {
      ...undemanding,
      name: `decode/${camera}`,
      text: `hubsrc channel=${coded} replay=unseen ${history} ! decodebin ! videoconvert ! video/x-raw,format=NV12 ! ${pictureText} ! hubsink made-of=${coded} channel=${raw}`,
      live: picture,
      channel: raw,
      preload: false,
    },
  ];
}

/** The card as the camera would send it. */
function codedCardText(head: MediaSettings['cameraHeadSettings']['primary'], machine: Machine): string {
  const wish: EncoderWish = {
    codec: hasEncoder('h264', machine) ? 'h264' : 'mjpeg',
    ...({ element: 'auto', preset: 'ultrafast', latency: 'low' } as const),
    ...{ bitrate: cardBitrate, profile: 'baseline', framerate: cardFramerate },
  };
  const input = encoderInput(wish, machine);
  const convert = input === 'NV12' ? '' : ` ! videoconvert ! video/x-raw,format=${input}`;
  const encode = launchText(encoderText(wish, machine), liveEncoderProperties(wish, machine));
  return `${cardText(head)}${convert} ! ${encode}`;
}

/** What the camera sends, for viewers, with the parameters of the stream before each keyframe. */
function relayPlan({ id, preload }: Stream, camera: 'primary' | 'secondary'): PipelinePlan {
  const coded = `coded/${camera}`;
  return {
    ...undemanding,
    name: `encode/${id}`,
    text: `hubsrc name=frames channel=${coded} ${history} ! ${byteStream} ! hubsink made-of=${coded} channel=${id}`,
    live: {},
    // Viewers have seen already what came since the last keyframe.
    joining: { 'frames.replay': 'none' },
    codec: 'h264',
    channel: id,
    preload,
  };
}

/** Both cameras in one picture, of the size of the main one. */
function scenePlan(framerate: number, settings: MediaSettings): PipelinePlan {
  const { cameraHeadSettings, pipLayout, streamAlignment, videoRotation } = settings;
  const scene = { ...canvasOf(cameraHeadSettings, pipLayout, videoRotation), framerate };
  return {
    name: 'scene',
    text: `${sceneText(scene)} ! hubsink channel=raw/scene`,
    live: { ...sceneProperties(pipLayout, scene), ...alignmentProperties(streamAlignment, scene) },
    channel: 'raw/scene',
    preload: false,
    ...undemanding,
  };
}

function encodePlan(
  { id, codec, resolution, framerate, bitrate, profile, preload }: Stream,
  from: string,
  settings: MediaSettings,
  machine: Machine,
): PipelinePlan {
  const wish: EncoderWish = {
    ...{ codec, bitrate, profile, framerate },
    ...{
      element: settings.encoderElement,
      preset: settings.encoderPreset,
      latency: settings.streamLatencyMode,
    },
  };
  const { width, height } = sizeOf(resolution);
  const encoder = encoderText(wish, machine);
  const format = encoderInput(wish, machine);
  return {
    name: `encode/${id}`,
    text: [
      // A frame that waits is a frame too late: the newest counts.
      `hubsrc name=frames channel=${from} max-queue=2 ${history}`,
      'videoscale',
      'capsfilter name=shape',
      'nv12timestamp name=time',
      ...(format === 'NV12' ? [] : ['videoconvert', `video/x-raw,format=${format}`]),
      encoder,
      `hubsink made-of=${from} channel=${id}`,
    ].join(' ! '),
    live: {
      'frames.max-rate': String(framerate),
      'shape.caps': `video/x-raw,format=NV12,width=${String(width)},height=${String(height)},pixel-aspect-ratio=1/1`,
      ...overlayProperties(settings, width),
      ...liveEncoderProperties(wish, machine),
    },
    codec,
    encoding: wish,
    channel: id,
    preload,
    ...undemanding,
  };
}

/** What each viewer's connection reads: all of one mount share it. */
function mountText(id: string, codec: Codec): string {
  return `( hubsrc channel=${id} ! ${formats[codec].payloader} name=pay0 pt=${String(formats[codec].payloadType)} )`;
}
