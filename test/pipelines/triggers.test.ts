// Pulses from outside that cameras take their pictures by: only where somebody has said so, and told as it is.
import { describe, expect, it } from 'vitest';
import { streamAlignment } from '../../src/observables/pip.js';
import type { VideoDevice } from '../../src/pipelines/settings.js';
import { triggerInWords, triggerWishes } from '../../src/pipelines/triggers.js';

type Control = VideoDevice['controls'][number];
const control = (name: string, kind: Control['kind'], maximum: number, usual = 0): Control => ({
  ...{ id: 0x98c900 + maximum, name, kind, minimum: 0, maximum, step: 1, default: usual },
});
const device: VideoDevice = {
  ...{ path: '/dev/video0', name: 'camera', driver: 'made-up', bus: 'i2c-1', links: [], formats: [] },
  controls: [
    control('Brightness', 'integer', 255),
    control('External Trigger', 'boolean', 1),
    control('Trigger Mode', 'integer', 7),
    {
      ...control('Trigger Source', 'menu', 3, 2),
      choices: [
        { value: 0, name: 'Line 0' },
        { value: 2, name: 'Software' },
      ],
    },
    control('Retrigger', 'integer', 9),
  ],
};
type Triggers = NonNullable<(typeof streamAlignment.default)['triggers']>;
const by = (triggers: Triggers, change: Partial<typeof streamAlignment.default> = {}) => ({
  ...streamAlignment.default,
  method: 'hardware' as const,
  triggers,
  ...change,
});
const wished = (alignment: typeof streamAlignment.default, camera: 'primary' | 'secondary' = 'primary') =>
  triggerWishes(camera, device, alignment).map(({ name, value }) => [name, value]);
const asMade = [
  ['External Trigger', 0],
  ['Trigger Mode', 0],
  ['Trigger Source', 2],
];

describe('a camera runs by its own clock', () => {
  it.each([
    ['unless somebody has asked for anything else', by({})],
    ['by another method', by({ primary: { 'Trigger Mode': 1 } }, { method: 'timestamp' })],
    ['while nothing is aligned', by({ primary: { 'Trigger Mode': 1 } }, { enabled: false })],
    ['where it is the other that is triggered', by({ secondary: { 'Trigger Mode': 1 } })],
  ])('%s', (_when, alignment) => {
    expect(wished(alignment)).toEqual(asMade);
    expect(triggerInWords('primary', device, alignment)).toBe(
      'not used: External Trigger, Trigger Mode, Trigger Source',
    );
  });
});

it('what is named is set last, in the order in which it is named, in the form of the camera', () => {
  const alignment = by({ primary: { trigger_source: 'line 0', 'Trigger Mode': 5 } });
  expect(wished(alignment)).toEqual([
    ['External Trigger', 0],
    ['Trigger Source', 0],
    ['Trigger Mode', 5],
  ]);
  expect(triggerInWords('primary', device, alignment)).toBe('Trigger Source is line 0; Trigger Mode is 5');
  expect(wished(by({ primary: { external_trigger: true } })).at(-1)).toEqual(['External Trigger', 1]);
  expect(
    triggerWishes('primary', device, alignment).every(({ setting }) => setting === 'streamAlignment'),
  ).toBe(true);
});

it.each([
  [{ 'Trigger Mode': 8 }, 'Trigger Mode cannot be 8, but 0 to 7'],
  [{ 'Trigger Mode': 'on' }, 'Trigger Mode cannot be on, but 0 to 7'],
  [{ 'Trigger Mode': true }, 'Trigger Mode cannot be true, but 0 to 7'],
  [{ 'Trigger Source': 1 }, 'Trigger Source cannot be 1, but Line 0, Software'],
  [{ 'External Trigger': 'on' }, 'External Trigger cannot be on, but true and false'],
  [{ Brightness: 200 }, 'the camera has no trigger called Brightness'],
  [{ Retrigger: 1 }, 'the camera has no trigger called Retrigger'],
])(
  'what cannot be is said, and leaves the camera as it is made: %j',
  (primary: NonNullable<Triggers['primary']>, words) => {
    expect(wished(by({ primary }))).toEqual(asMade);
    expect(triggerInWords('primary', device, by({ primary }))).toBe(words);
  },
);

it('a camera without any, and one that is no device, are told apart from one that is not triggered', () => {
  expect(triggerInWords('primary', { ...device, controls: [] }, by({}))).toBe('none');
  expect(triggerInWords('primary', undefined, by({}))).toBe('none');
  expect(triggerInWords('primary', undefined, by({ primary: { 'Trigger Mode': 1 } }))).toBe(
    'the camera has no trigger called Trigger Mode',
  );
});
