// The camera head's hardware: light, rotating disc, sensors. Without the hardware the values are kept and simulated.
import { Type } from '@sinclair/typebox';
import { defineObservable } from './define.js';
import { device, nobody } from './groups.js';
import { choice, object, percent } from './schemas.js';

export const lightEnabled = defineObservable('lightEnabled', {
  schema: Type.Boolean(),
  default: true,
  title: 'Light',
  description: 'Whether the light of the camera head is on.',
  ...device,
  save: true,
  effect: 'live',
});

export const lightIntensity = defineObservable('lightIntensity', {
  schema: percent,
  default: 100,
  title: 'Light intensity',
  description: 'How bright the light of the camera head is.',
  unit: '%',
  ...device,
  save: true,
  effect: 'live',
});

export const lightTemperature = defineObservable('lightTemperature', {
  schema: Type.Integer({ minimum: 1000, maximum: 15_000 }),
  default: 5500,
  title: 'Light colour',
  description: 'Colour temperature of the light of the camera head.',
  unit: 'K',
  ...device,
  save: true,
  effect: 'live',
});

export const light0 = defineObservable('light0', {
  schema: Type.Boolean(),
  default: false,
  title: 'Light of the primary camera',
  description: 'Switches the LED of the primary camera head.',
  ...device,
  legacy: { name: 'cam1-light' },
  save: true,
  effect: 'live',
});

export const light1 = defineObservable('light1', {
  schema: Type.Boolean(),
  default: false,
  title: 'Light of the secondary camera',
  description: 'Switches the LED of the secondary camera head.',
  ...device,
  legacy: { name: 'cam2-light' },
  save: true,
  effect: 'live',
});

export const discRotation = defineObservable('discRotation', {
  schema: object({
    enabled: Type.Boolean(),
    direction: choice(['stopped', 'clockwise', 'counterclockwise']),
    speed: Type.Number({ minimum: 0, maximum: 10_000, description: 'Turns per minute.' }),
    position: Type.Number({ minimum: 0, maximum: 360, description: 'Degrees.' }),
  }),
  default: { enabled: false, direction: 'stopped', speed: 0, position: 0 },
  title: 'Disc',
  description: 'Rotation of the disc in front of the camera that throws off coolant.',
  ...device,
  save: false,
  effect: 'live',
});

export const autoRotate = defineObservable('autoRotate', {
  schema: object({
    enabled: Type.Boolean(),
    sensitivity: Type.Integer({ minimum: 1, maximum: 10 }),
    threshold: Type.Number({ minimum: 0, maximum: 100 }),
  }),
  default: { enabled: false, sensitivity: 5, threshold: 10 },
  title: 'Automatic rotation',
  description: 'Turns the picture with the spindle. Kept without effect in this version.',
  ...device,
  save: true,
  effect: 'live',
});

export const headSensors = defineObservable('headSensors', {
  schema: object({ proximity: Type.Boolean(), position: Type.Number(), contact: Type.Boolean() }),
  default: { proximity: false, position: 0, contact: false },
  title: 'Sensors of the camera head',
  description: 'What the sensors of the camera head report.',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const fpgaTemperature = defineObservable('fpgaTemperature', {
  schema: Type.Number({ minimum: -60, maximum: 200 }),
  default: 25,
  title: 'Processor temperature',
  description: 'Temperature of the image processor.',
  unit: '°C',
  read: device.read,
  write: nobody,
  save: false,
  effect: 'none',
  deadband: 0.5,
});
