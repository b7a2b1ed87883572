// How the picture looks: brightness and colour, exposure, geometry.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineView } from './define.js';
import { device } from './groups.js';
import { numberChoice, object, path, percent, ratio } from './schemas.js';

const hueAngle = Type.Integer({ minimum: -180, maximum: 180 });
const gammaValue = Type.Integer({ minimum: 1, maximum: 500 });

export const imageSettings = defineObservable('imageSettings', {
  schema: object({
    brightness: percent,
    contrast: percent,
    saturation: percent,
    hue: hueAngle,
    sharpness: percent,
    gamma: gammaValue,
  }),
  default: { brightness: 50, contrast: 50, saturation: 50, hue: 0, sharpness: 50, gamma: 100 },
  title: 'Picture',
  description: 'The basic picture controls together; each is also a setting of its own.',
  ...device,
  save: true,
  effect: 'live',
});

export const brightness = defineView('brightness', {
  schema: percent,
  title: 'Brightness',
  description: 'Brightness of the picture; 50 leaves it as it is.',
  unit: '%',
  ...device,
  from: [imageSettings],
  compute: (image) => image.brightness,
  assign: (value, image) => ({ imageSettings: { ...image, brightness: value } }),
});

export const contrast = defineView('contrast', {
  schema: percent,
  title: 'Contrast',
  description: 'Contrast of the picture; 50 leaves it as it is.',
  unit: '%',
  ...device,
  from: [imageSettings],
  compute: (image) => image.contrast,
  assign: (value, image) => ({ imageSettings: { ...image, contrast: value } }),
});

export const saturation = defineView('saturation', {
  schema: percent,
  title: 'Saturation',
  description: 'Strength of the colours; 0 is grey, 50 leaves them as they are.',
  unit: '%',
  ...device,
  from: [imageSettings],
  compute: (image) => image.saturation,
  assign: (value, image) => ({ imageSettings: { ...image, saturation: value } }),
});

export const hue = defineView('hue', {
  schema: hueAngle,
  title: 'Hue',
  description: 'Turns the colours; 0 leaves them as they are.',
  unit: '°',
  ...device,
  from: [imageSettings],
  compute: (image) => image.hue,
  assign: (value, image) => ({ imageSettings: { ...image, hue: value } }),
});

export const sharpness = defineView('sharpness', {
  schema: percent,
  title: 'Sharpness',
  description: 'Sharpness of edges; 50 leaves them as they are.',
  unit: '%',
  ...device,
  from: [imageSettings],
  compute: (image) => image.sharpness,
  assign: (value, image) => ({ imageSettings: { ...image, sharpness: value } }),
});

export const gamma = defineView('gamma', {
  schema: gammaValue,
  title: 'Gamma',
  description: 'Brightness of the middle tones; 100 leaves them as they are.',
  unit: '%',
  ...device,
  from: [imageSettings],
  compute: (image) => image.gamma,
  assign: (value, image) => ({ imageSettings: { ...image, gamma: value } }),
});

export const videoRotation = defineObservable('videoRotation', {
  schema: numberChoice([0, 90, 180, 270]),
  default: 0,
  title: 'Rotation',
  description:
    'Turns the picture clockwise. A stream keeps its size and shows an upright picture whole, with black beside it; one that is upright too (1080x1920) is filled.',
  unit: '°',
  ...device,
  save: true,
  effect: 'live',
});

export const videoFlip = defineObservable('videoFlip', {
  schema: object({ horizontal: Type.Boolean(), vertical: Type.Boolean() }),
  default: { horizontal: false, vertical: false },
  title: 'Mirror',
  description: 'Mirrors the picture as it is seen, after the rotation.',
  ...device,
  save: true,
  effect: 'live',
});

export const digitalZoom = defineObservable('digitalZoom', {
  schema: object({
    enabled: Type.Boolean(),
    level: Type.Number({ minimum: 1, maximum: 10 }),
    panX: Type.Number({ minimum: -1, maximum: 1 }),
    panY: Type.Number({ minimum: -1, maximum: 1 }),
  }),
  default: { enabled: false, level: 1, panX: 0, panY: 0 },
  title: 'Digital zoom',
  description:
    'Enlarges a part of the picture, in the size of the whole. The pan goes from -1 (left, top) to 1 (right, bottom) of the picture as it is seen.',
  ...device,
  save: true,
  effect: 'live',
});

export const colorGrading = defineObservable('colorGrading', {
  schema: object({ enabled: Type.Boolean(), lut: path, intensity: ratio }),
  default: { enabled: false, lut: '', intensity: 1 },
  title: 'Colour grading',
  description: 'A colour table (.cube file) for the picture. Kept without effect in this version.',
  ...device,
  save: true,
  effect: 'live',
});

export const denoiseStrength = defineObservable('denoiseStrength', {
  schema: percent,
  default: 50,
  title: 'Noise reduction strength',
  description: 'How strongly picture noise is reduced. Kept without effect in this version.',
  unit: '%',
  ...device,
  save: true,
  effect: 'live',
});

export const noiseSuppression = defineObservable('noiseSuppression', {
  schema: Type.Boolean(),
  default: false,
  title: 'Noise reduction',
  description: 'Whether picture noise is reduced. Kept without effect in this version.',
  ...device,
  // The reference product spells it with one p.
  legacy: { name: 'noise-supression', also: ['noise-suppression'] },
  save: true,
  effect: 'live',
});
