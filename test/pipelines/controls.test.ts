import { describe, expect, it } from 'vitest';
import { registry } from '../../src/observables/registry.js';
import { headCapabilities } from '../../src/pipelines/capabilities.js';
import { deviceControls, deviceOf } from '../../src/pipelines/controls.js';
import { pictureProperties } from '../../src/pipelines/picture.js';
import { mediaKeys, type MediaSettings, type VideoDevice } from '../../src/pipelines/settings.js';
import { simulatedHeadProperties } from '../../src/pipelines/simulatedHead.js';

const defaults = Object.fromEntries(
  mediaKeys.map((key) => [key, registry[key].default]),
) as unknown as MediaSettings;
const image = defaults.imageSettings;

type Control = VideoDevice['controls'][number];
const control = (id: number, minimum: number, maximum: number, usual: number, step = 1): Control => ({
  ...{ id, name: `control ${id.toString(16)}`, kind: 'integer', minimum, maximum, step },
  default: usual,
});
const menu = (id: number, ...choices: readonly (readonly [number, string])[]): Control => ({
  ...control(id, 0, 10, choices[0]?.[0] ?? 0),
  kind: 'menu',
  choices: choices.map(([value, name]) => ({ value, name })),
});
const device = (...controls: readonly Control[]): VideoDevice => ({
  ...{ path: '/dev/video0', name: 'camera', driver: 'uvcvideo', bus: 'usb-1' },
  ...{ links: ['/dev/v4l/by-id/usb-camera'], formats: [], controls: [...controls] },
});
/** By the number of the control, in the order of setting. */
const wished = (settings: Partial<MediaSettings>, ...controls: readonly Control[]): [number, number][] =>
  deviceControls('primary', device(...controls), { ...defaults, ...settings }).wishes.map(({ id, value }) => [
    id,
    value,
  ]);

describe('a setting in percent', () => {
  const brightness = 0x980900;
  it.each([
    [0, -64],
    [25, -27],
    [50, 10],
    [75, 37],
    [100, 64],
  ])('of %d meets the ends and the default of the control, and is even between: %d', (percent, value) => {
    expect(
      wished({ imageSettings: { ...image, brightness: percent } }, control(brightness, -64, 64, 10)),
    ).toEqual([[brightness, value]]);
  });

  it('lands on a step of the control, within its range', () => {
    const uneven = control(brightness, 3, 21, 7, 4);
    const at = (percent: number) =>
      wished({ imageSettings: { ...image, brightness: percent } }, uneven)[0]?.[1];
    expect([at(0), at(50), at(70), at(90), at(100)]).toEqual([3, 7, 11, 19, 19]);
  });

  it('leaves a camera as it is made while everything is at its default', () => {
    const all = [0x980900, 0x980901, 0x980902, 0x980903, 0x980910, 0x980913, 0x98091b].map((id) =>
      control(id, -100, 300, 70),
    );
    expect(new Set(wished({}, ...all).map(([, value]) => value))).toEqual(new Set([70]));
  });
});

it('an angle and gamma keep their meaning', () => {
  const [hue, gamma] = [control(0x980903, -40, 40, 0), control(0x980910, 72, 500, 120)];
  const settings = { imageSettings: { ...image, hue: -90, gamma: 200 } };
  expect(wished(settings, hue, gamma)).toEqual([
    [hue.id, -20],
    [gamma.id, 240],
  ]);
});

describe('what measures the light', () => {
  const mode = menu(0x9a0901, [1, 'Manual'], [3, 'Aperture priority']);
  const time = control(0x9a0902, 1, 5000, 157);
  const [autoGain, gain] = [control(0x980912, 0, 1, 1), control(0x980913, 0, 100, 20)];
  const bias = menu(0x9a0913, [0, '-2000'], [1, '-1000'], [2, '0'], [3, '1000']);
  const metering = menu(0x9a0919, [0, 'Average'], [2, 'Spot']);
  const { autoExposure, manualExposure } = defaults;

  it('sets exposure, gain and bias in the automatic', () => {
    const settings = { autoExposure: { ...autoExposure, mode: 'spot' as const, compensation: -1.3 } };
    expect(wished(settings, mode, time, autoGain, gain, bias, metering)).toEqual([
      [mode.id, 3],
      [autoGain.id, 1],
      [metering.id, 2],
      [bias.id, 1],
    ]);
  });

  it('leaves them to people otherwise, after it is switched off', () => {
    const settings = {
      autoExposure: { ...autoExposure, enabled: false },
      manualExposure: { ...manualExposure, shutterSpeed: 10_000 },
      gain: 75,
    };
    expect(wished(settings, mode, time, autoGain, gain)).toEqual([
      [mode.id, 1],
      [autoGain.id, 0],
      [time.id, 100],
      [gain.id, 60],
    ]);
  });

  it('is full where the camera has an iris', () => {
    expect(wished({}, menu(0x9a0901, [0, 'Auto'], [1, 'Manual'], [3, 'Aperture priority']))).toEqual([
      [mode.id, 0],
    ]);
  });
});

describe('white balance', () => {
  const automatic = control(0x98090c, 0, 1, 1);
  const temperature = control(0x98091a, 2800, 6500, 4600, 10);
  const red = control(0x98090e, 0, 255, 128);

  it.each([
    [{ mode: 'auto' as const, temperature: 5500 }, [[automatic.id, 1]]],
    [
      { mode: 'fluorescent' as const, temperature: 5500 },
      [
        [automatic.id, 0],
        [temperature.id, 4000],
        [red.id, 255],
      ],
    ],
    [
      { mode: 'manual' as const, temperature: 9000 },
      [
        [automatic.id, 0],
        [temperature.id, 6500],
        [red.id, 255],
      ],
    ],
  ])('of %j', (whiteBalance, expected) => {
    expect(wished({ whiteBalance, redGain: 100 }, automatic, temperature, red)).toEqual(expected);
  });
});

describe('the picture', () => {
  const changed = { ...defaults, imageSettings: { ...image, brightness: 80, saturation: 10 } };

  it('is left to the camera where that can do it', () => {
    const camera = device(control(0x980900, 0, 255, 128));
    expect(pictureProperties(changed, camera)).toMatchObject({
      'balance.brightness': '0',
      'balance.saturation': '0.2',
    });
    expect(pictureProperties(changed, undefined)).toMatchObject({ 'balance.brightness': '0.6' });
  });

  it('is untouched while everything is at its default', () => {
    expect(pictureProperties(defaults, undefined)).toEqual({
      ...{ 'turn.degrees': '0', 'turn.left-to-right': 'false', 'turn.upside-down': 'false' },
      'zoom.region': '0 0 1 1',
      ...{ 'balance.brightness': '0', 'balance.contrast': '1', 'balance.saturation': '1' },
      ...{ 'balance.hue': '0', 'gamma.gamma': '1' },
    });
    expect(simulatedHeadProperties(defaults, 'primary')).toEqual({
      'head.contrast': '1.0000',
      'head.hue': '0.0000',
    });
  });

  it('is enlarged within its edges', () => {
    const region = (panX: number, panY: number): string | undefined =>
      pictureProperties({ ...defaults, digitalZoom: { enabled: true, level: 4, panX, panY } }, undefined)[
        'zoom.region'
      ];
    expect([region(-1, 1), region(0, 0), region(1, -1)]).toEqual([
      '0 0.75 0.25 0.25',
      '0.375 0.375 0.25 0.25',
      '0.75 0 0.25 0.25',
    ]);
  });
});

describe('a camera', () => {
  const camera = device(control(0x980913, 0, 100, 20));
  const head = { ...defaults.cameraHeadSettings.primary, source: 'v4l2' as const };

  it('is found by its path or a name that stays, where it is a device at all', () => {
    expect(deviceOf(head, [camera])).toBe(camera);
    expect(deviceOf({ ...head, device: '/dev/v4l/by-id/usb-camera' }, [camera])).toBe(camera);
    expect(deviceOf({ ...head, device: '/dev/video7' }, [camera])).toBeUndefined();
    expect(deviceOf({ ...head, source: 'test' }, [camera])).toBeUndefined();
  });

  it('is said to do what it does, and nothing that nobody does', () => {
    const of = (source: MediaSettings['cameraHeadSettings']['primary']['source']) =>
      headCapabilities('primary', { ...head, source }, [camera]);
    expect(of('v4l2')['gain']).toEqual({
      ...{ by: 'device', control: 'control 980913', minimum: 0, maximum: 100, default: 20 },
    });
    expect(of('test')).toMatchObject({ gain: { by: 'simulated' }, light0: { by: 'simulated' } });
    expect(of('rtsp')).toMatchObject({ gain: { by: 'none' }, brightness: { by: 'picture' } });
    expect(new Set(Object.values(of('none')).map(({ by }) => by))).toEqual(new Set(['none']));
    // Whichever it is, the same settings are spoken of.
    const names = Object.keys(of('test'));
    for (const source of ['v4l2', 'rtsp', 'none'] as const) expect(Object.keys(of(source))).toEqual(names);
  });
});
