// What the machine and its cameras have: the devices that are plugged in, and what each camera makes of its settings.
import { Type, type Static } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { device, nobody } from './groups.js';
import { choice, listOf, object, path } from './schemas.js';

const name = Type.String({ maxLength: 64 });
const pixels = Type.Integer({ minimum: 0, maximum: 65_535 });

const Format = object({
  format: Type.String({ maxLength: 8, description: 'As in the camera heads, or the four letters of Linux.' }),
  description: name,
  sizes: listOf(
    object({
      width: pixels,
      height: pixels,
      rates: listOf(Type.Number({ description: 'Pictures a second.' }), 256),
      anyRate: Type.Optional(Type.Literal(true, { description: 'All between the two rates.' })),
    }),
    256,
  ),
  anySize: Type.Optional(Type.Literal(true, { description: 'All between the two sizes.' })),
});

const Control = object({
  id: Type.Integer({ minimum: 0, description: 'As Linux counts it.' }),
  name,
  kind: choice(['integer', 'boolean', 'menu', 'integer-menu']),
  minimum: Type.Integer(),
  maximum: Type.Integer(),
  step: Type.Integer({ minimum: 0 }),
  default: Type.Integer(),
  choices: Type.Optional(listOf(object({ value: Type.Integer(), name }), 257)),
});

const VideoDevice = object({
  path,
  name,
  driver: name,
  bus: name,
  links: listOf(path, 16),
  formats: listOf(Format, 256),
  controls: listOf(Control, 256),
});

export type VideoDevice = Static<typeof VideoDevice>;

/** The device of this path, or of this name that stays. */
export function deviceAt(name: string, devices: readonly VideoDevice[]): VideoDevice | undefined {
  return devices.find(({ path: own, links }) => own === name || links.includes(name));
}

export const videoDevices = defineObservable('videoDevices', {
  schema: listOf(VideoDevice, 32),
  default: [],
  title: 'Video devices',
  description:
    'Cameras that are plugged into the machine, with the formats, sizes and rates they have, their controls, and the names under `links` that stay when they are plugged in elsewhere.',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
});

const Capability = object({
  by: choice(
    ['device', 'picture', 'simulated', 'none'],
    'A control of the camera; the server, in the picture; the test picture, which pretends to have it; nobody: the value is kept and has no effect.',
  ),
  control: Type.Optional(name),
  minimum: Type.Optional(Type.Integer({ description: 'Of the control, in its own unit.' })),
  maximum: Type.Optional(Type.Integer()),
  default: Type.Optional(Type.Integer()),
});
export type Capability = Static<typeof Capability>;

const HeadCapabilities = Type.Record(Type.String({ pattern: '^[A-Za-z0-9]{1,32}$' }), Capability, {
  maxProperties: 64,
  additionalProperties: false,
});

export const capabilities = defineObservable('capabilities', {
  schema: object({ primary: HeadCapabilities, secondary: HeadCapabilities }),
  default: { primary: {}, secondary: {} },
  title: 'Capabilities',
  description: 'By whom each setting of the picture and the camera head is carried out, for each camera.',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
});
