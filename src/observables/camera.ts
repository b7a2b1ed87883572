// The cameras: which there are, where their pictures come from, which one is the main one.
import { Type, type Static } from '@sinclair/typebox';
import { defineObservable, defineRule, defineView, Issue, type PatchOf } from './define.js';
import { device, nobody } from './groups.js';
import { choice, framerate, numberChoice, object, path, resolution, timestamp, url } from './schemas.js';
import { pipEnabled, pipLayout } from './pip.js';

export const activeCameraHead = defineObservable('activeCameraHead', {
  schema: numberChoice([0, 1]),
  default: 0,
  title: 'Active camera head',
  description: '0 is the primary camera, 1 the secondary.',
  ...device,
  save: false,
  effect: 'live',
});

export const cameraSwitch = defineView('cameraSwitch', {
  schema: numberChoice([1, 2]),
  title: 'Main camera',
  description: 'The active camera head, counted from 1.',
  ...device,
  legacy: { name: 'main-camera' },
  from: [activeCameraHead],
  compute: (head) => (head === 0 ? 1 : 2),
  assign: (number): PatchOf<readonly [typeof activeCameraHead]> =>
    number === 1 ? { activeCameraHead: 0 } : { activeCameraHead: 1 },
});

const sourceTypes = [
  'test',
  'v4l2',
  'libcamera',
  'rtsp',
  'tcp',
  'http',
  'file',
  'whip',
  'rtp',
  'none',
] as const;

export const pixelFormats = ['NV12', 'I420', 'YUY2', 'MJPG', 'H264'] as const;

const Head = object({
  name: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'By which lists of cameras call it.' }),
  ),
  source: choice(sourceTypes, 'Where the picture comes from; `test` is a moving pattern.'),
  device: path,
  format: choice(pixelFormats),
  resolution,
  fps: framerate,
  url: Type.Optional(url),
  username: Type.Optional(Type.String({ maxLength: 128 })),
  password: Type.Optional(Type.String({ maxLength: 128, description: 'Write-only.' })),
  passwordSet: Type.Optional(Type.Boolean({ description: 'Shown in place of the password.' })),
  transport: Type.Optional(choice(['tcp', 'udp'])),
  sdp: Type.Optional(
    Type.String({
      maxLength: 4096,
      description: 'What a camera of type `rtp` sends, as it describes it; without it, H.264.',
    }),
  ),
  latencyMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
});
type Head = Static<typeof Head>;

function withoutPassword({ password, ...rest }: Head): Head {
  return password === undefined ? rest : { ...rest, passwordSet: true };
}

/** A head that is sent back as it was read keeps the password it had, as long as it is for the same place. */
function withPassword({ passwordSet, ...head }: Head, previous: Head): Head {
  if (head.password !== undefined || passwordSet !== true) return head;
  const same = previous.url === head.url && previous.username === head.username;
  return same && previous.password !== undefined ? { ...head, password: previous.password } : head;
}

export const cameraHeadSettings = defineObservable('cameraHeadSettings', {
  schema: object({ primary: Head, secondary: Head }),
  default: {
    primary: { source: 'test', device: '/dev/video0', format: 'NV12', resolution: '1920x1080', fps: 60 },
    secondary: { source: 'test', device: '/dev/video1', format: 'NV12', resolution: '1920x1080', fps: 60 },
  },
  title: 'Camera heads',
  description: 'Where the pictures of the two cameras come from, and in which form.',
  ...device,
  save: true,
  effect: 'rebuild',
  redact: ({ primary, secondary }) => ({
    primary: withoutPassword(primary),
    secondary: withoutPassword(secondary),
  }),
  normalise: ({ primary, secondary }, previous) => ({
    primary: withPassword(primary, previous.primary),
    secondary: withPassword(secondary, previous.secondary),
  }),
});

const HeadStatus = object({
  state: choice(
    ['idle', 'connecting', 'live', 'no signal'],
    'Nobody looks and the camera is not opened; it is being opened; it gives pictures; it gives none.',
  ),
  problem: Type.Optional(
    choice(
      ['unauthorized', 'not-found', 'unreachable', 'busy', 'silent', 'failed'],
      'What is the matter, for programs.',
    ),
  ),
  reason: Type.Optional(Type.String({ maxLength: 512, description: 'The same for people.' })),
  since: timestamp,
});

export const cameraStatus = defineObservable('cameraStatus', {
  schema: object({ primary: HeadStatus, secondary: HeadStatus }),
  default: { primary: { state: 'idle', since: 0 }, secondary: { state: 'idle', since: 0 } },
  title: 'State of the cameras',
  description:
    'Whether pictures come, and what is the matter where none do. A card is shown until they come again.',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
});

const HeadFormat = object({
  codec: choice(['h264', 'h265', 'mjpeg', 'other'], 'As which the camera sends its video.'),
  width: Type.Integer({ minimum: 0 }),
  height: Type.Integer({ minimum: 0 }),
  framerate: Type.Number({ minimum: 0, description: '0 where the camera does not say.' }),
  from: Type.String({ maxLength: 1024, description: 'The source that sends so.' }),
});

/** Which source of video a head stands for, whatever else of it is changed. */
export function sourceOf({ source, url: address, device: file, format }: Head): string {
  return [source, address ?? file, ...(source === 'v4l2' ? [format] : [])].join(' ');
}

export const cameraFormats = defineObservable('cameraFormats', {
  schema: object({ primary: Type.Optional(HeadFormat), secondary: Type.Optional(HeadFormat) }),
  default: {},
  title: 'Video of the cameras',
  description:
    'What cameras that send encoded video have sent last; nothing before they have been looked at.',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const cam0Exists = defineObservable('cam0Exists', {
  schema: Type.Boolean(),
  default: true,
  title: 'Primary camera present',
  description:
    'Whether the primary camera is there: for a device of the machine whether it is plugged in; the test picture and cameras on the network count as there.',
  read: device.read,
  write: nobody,
  legacy: { name: 'cam1-exists' },
  save: false,
  effect: 'none',
});

export const cam1Exists = defineObservable('cam1Exists', {
  schema: Type.Boolean(),
  default: true,
  title: 'Secondary camera present',
  description:
    'Whether the secondary camera is there: for a device of the machine whether it is plugged in; the test picture and cameras on the network count as there.',
  read: device.read,
  write: nobody,
  legacy: { name: 'cam2-exists' },
  save: false,
  effect: 'none',
});

const sensor = Type.Integer({ minimum: 1, maximum: 8 });

export const cam0SelectedSensor = defineObservable('cam0SelectedSensor', {
  schema: sensor,
  default: 1,
  title: 'Sensor of the primary camera',
  description: 'Counted from 1.',
  ...device,
  legacy: { name: 'cam1-sensor' },
  save: true,
  effect: 'live',
});

export const cam1SelectedSensor = defineObservable('cam1SelectedSensor', {
  schema: sensor,
  default: 1,
  title: 'Sensor of the secondary camera',
  description: 'Counted from 1.',
  ...device,
  legacy: { name: 'cam2-sensor' },
  save: true,
  effect: 'live',
});

export const uvcDevices = defineObservable('uvcDevices', {
  schema: Type.Array(object({ path, name: Type.String({ maxLength: 128 }) }), { maxItems: 32 }),
  default: [],
  title: 'USB cameras',
  description: 'USB cameras that are plugged in.',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const pipNeedsSecondSource = defineRule(
  [pipEnabled, pipLayout, cameraHeadSettings],
  (enabled, { pipSource }, heads) =>
    enabled && heads[pipSource].source === 'none'
      ? new Issue('pipEnabled', `Value true needs a source for the ${pipSource} camera`)
      : undefined,
);

/** What is fetched from the network. */
const addressForms: Readonly<Record<string, { readonly pattern: RegExp; readonly example: string }>> = {
  rtsp: { pattern: /^rtsps?:\/\/[^\s/]+/, example: 'rtsp://192.0.2.7:554/stream' },
  tcp: { pattern: /^tcp:\/\/[^\s/]+:\d+\/?$/, example: 'tcp://192.0.2.7:8888' },
  rtp: { pattern: /^rtp:\/\/[^\s/]+:\d+\/?$/, example: 'rtp://0.0.0.0:5006' },
  http: { pattern: /^https?:\/\/[^\s/]+/, example: 'http://192.0.2.7/video.mjpg' },
};

export const sourcesHaveAddresses = defineRule([cameraHeadSettings], (heads) => {
  for (const name of ['primary', 'secondary'] as const) {
    const { source, url: address } = heads[name];
    const form = addressForms[source];
    if (form === undefined) continue;
    if (address === undefined)
      return new Issue(
        'cameraHeadSettings',
        `Value at ${name}.url is missing; a source of type ${source} needs it`,
      );
    if (!form.pattern.test(address) || !URL.canParse(address))
      return new Issue('cameraHeadSettings', `Value at ${name}.url must be like ${form.example}`);
  }
  return undefined;
});

/** An address is shown to everybody who may see the camera; a password in it would be as well. */
export const sourceAddressesCarryNoPassword = defineRule([cameraHeadSettings], (heads) => {
  for (const name of ['primary', 'secondary'] as const)
    if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(heads[name].url ?? ''))
      return new Issue(
        'cameraHeadSettings',
        `Value at ${name}.url must not hold a name or password; they belong in username and password`,
      );
  return undefined;
});
