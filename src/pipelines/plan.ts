// What the settings mean in pipelines: a pure function from settings and machine to named pipelines as text. Pipelines
// are small and joined by channels of the hub, so that each can be exchanged without the others noticing.
import { sizeOf } from '../observables/schemas.js';
import {
  encoderInput,
  encoderText,
  encodesInHardware,
  formats,
  liveEncoderProperties,
  type Codec,
} from './encoders.js';
import { effectiveFramerate, mainCamera, type Machine } from './machine.js';
import { overlayProperties } from './overlay.js';
import { picturePlan, type TapPlan } from './pictures.js';
import { sceneProperties, sceneText } from './scene.js';
import { cardText, sourceText, undemanding } from './sources.js';
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
  /** Its source can be opened once only: the old one ends before the new one begins. */
  readonly exclusive: boolean;
  /** When it comes to its end it begins again. */
  readonly repeats: boolean;
  /** The launch text of what stands in for it while it gives nothing; without one, it must run or not be. */
  readonly card?: string;
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
}

interface Stream {
  readonly id: string;
  readonly codec: Codec;
  readonly resolution: string;
  readonly framerate: number;
  readonly bitrate: number;
  readonly profile: string;
  readonly preload: boolean;
}

/** Paths by which clients of the reference product and its relatives ask for the streams. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  stream1: ['/stream1', '/stream0', '/stream', '/live', '/camera0/stream0', '/onvif/profile_1'],
  stream2: ['/stream2', '/camera0/stream1', '/onvif/profile_2'],
};

export function plan(settings: MediaSettings, machine: Machine): MediaPlan {
  const { stream2, videoEncoder, streamPreload, pipEnabled } = settings;
  const camera = mainCamera(settings);
  const framerate = effectiveFramerate(settings, machine);
  const isWarm = (wish: 'auto' | 'on' | 'off', isMain: boolean): boolean =>
    wish === 'on' || (wish === 'auto' && isMain && encodesInHardware(settings, machine));
  const streams: Stream[] = [
    {
      id: 'stream1',
      codec: videoEncoder,
      resolution: settings.streamResolution,
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
            },
            framerate: Math.min(stream2.framerate, framerate),
            profile: stream2.profile,
            preload: isWarm(streamPreload.stream2, false),
          },
        ]
      : []),
  ];
  streams.push(...settings.streamRenditions.flatMap((name) => renditionOf(name, streams)));
  const highest = Math.max(...streams.map((stream) => stream.framerate));
  const cameras = pipEnabled ? (['primary', 'secondary'] as const) : [camera];
  const picture = pipEnabled ? 'raw/scene' : `raw/${camera}`;
  return {
    framerate,
    pipelines: [
      ...cameras.map((each) => capturePlan(each, highest, settings)),
      ...(pipEnabled ? [scenePlan(highest, settings)] : []),
      ...streams.map((stream) => encodePlan(stream, picture, settings, machine)),
      ...settings.pictureVariants.map((channel) => picturePlan(channel, picture, settings)),
    ],
    // Renditions are mounted when they are asked for.
    mounts: streams.flatMap(({ id, codec }) =>
      (aliases[id] ?? []).map((path) => ({ path, launch: mountText(id, codec) })),
    ),
    taps: settings.pictureVariants.map((channel) => ({ channel, camera: `raw/${camera}` })),
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

function capturePlan(
  camera: 'primary' | 'secondary',
  framerate: number,
  { cameraHeadSettings }: MediaSettings,
): PipelinePlan {
  const head = cameraHeadSettings[camera];
  const { text, ...source } = sourceText(head, framerate);
  const channel = `raw/${camera}`;
  return {
    ...source,
    name: `capture/${camera}`,
    text: `${text} ! hubsink channel=${channel}`,
    card: `${cardText(head)} ! hubsink standby=true channel=${channel}`,
    live: {},
    channel,
    preload: false,
  };
}

/** Both cameras in one picture, of the size of the main one. */
function scenePlan(framerate: number, settings: MediaSettings): PipelinePlan {
  const { cameraHeadSettings, pipLayout } = settings;
  const { resolution } = cameraHeadSettings[pipLayout.mainSource];
  const scene = { ...sizeOf(resolution), framerate };
  return {
    name: 'scene',
    text: `${sceneText(scene)} ! hubsink channel=raw/scene`,
    live: sceneProperties(pipLayout, scene),
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
  const wish = {
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
      `hubsrc name=frames channel=${from} max-queue=2`,
      'videoscale',
      'capsfilter name=shape',
      'nv12timestamp name=time',
      ...(format === 'NV12' ? [] : ['videoconvert', `video/x-raw,format=${format}`]),
      encoder,
      `hubsink channel=${id}`,
    ].join(' ! '),
    live: {
      'frames.max-rate': String(framerate),
      'shape.caps': `video/x-raw,format=NV12,width=${String(width)},height=${String(height)},pixel-aspect-ratio=1/1`,
      ...overlayProperties(settings, width),
      ...liveEncoderProperties(wish, machine),
    },
    channel: id,
    preload,
    ...undemanding,
  };
}

/** What each viewer's connection reads: all of one mount share it. */
function mountText(id: string, codec: Codec): string {
  return `( hubsrc channel=${id} ! ${formats[codec].payloader} name=pay0 pt=${String(formats[codec].payloadType)} )`;
}
