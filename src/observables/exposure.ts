// Exposure, gain and white balance of the sensor.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineView } from './define.js';
import { device } from './groups.js';
import { choice, object, percent } from './schemas.js';

export const gain = defineObservable('gain', {
  schema: percent,
  default: 50,
  title: 'Gain',
  description: 'Amplification of the sensor.',
  unit: '%',
  ...device,
  save: true,
  effect: 'live',
});

export const redGain = defineObservable('redGain', {
  schema: percent,
  default: 50,
  title: 'Red gain',
  description: 'Amplification of red.',
  unit: '%',
  ...device,
  legacy: { name: 'red-gain' },
  save: true,
  effect: 'live',
});

export const blueGain = defineObservable('blueGain', {
  schema: percent,
  default: 50,
  title: 'Blue gain',
  description: 'Amplification of blue.',
  unit: '%',
  ...device,
  legacy: { name: 'blue-gain' },
  save: true,
  effect: 'live',
});

const balanceModes = ['auto', 'manual', 'daylight', 'cloudy', 'tungsten', 'fluorescent'] as const;
type BalanceMode = (typeof balanceModes)[number];
/** Kelvin. */
export const balancePresets: Readonly<Partial<Record<BalanceMode, number>>> = {
  daylight: 5500,
  cloudy: 6500,
  tungsten: 3200,
  fluorescent: 4000,
};

function isBalanceMode(value: unknown): value is BalanceMode {
  return balanceModes.some((mode) => mode === value);
}

export const whiteBalance = defineObservable('whiteBalance', {
  schema: object({
    mode: choice(balanceModes),
    temperature: Type.Integer({ minimum: 1000, maximum: 15_000, description: 'Kelvin.' }),
  }),
  default: { mode: 'auto', temperature: 5500 },
  title: 'White balance',
  description: 'What counts as white: measured, one of the usual lights, or a colour temperature.',
  unit: 'K',
  ...device,
  legacy: {
    name: 'auto-white-balance',
    toWire: ({ mode }) => mode,
    fromWire: (wire, current) => {
      const mode = wire === true ? 'auto' : wire === false ? 'manual' : wire;
      return isBalanceMode(mode) ? { mode, temperature: balancePresets[mode] ?? current.temperature } : mode;
    },
  },
  save: true,
  effect: 'live',
});

const meteringModes = ['average', 'center-weighted', 'spot'] as const;

export const autoExposure = defineObservable('autoExposure', {
  schema: object({
    enabled: Type.Boolean(),
    mode: choice(meteringModes),
    compensation: Type.Number({ minimum: -3, maximum: 3, description: 'EV.' }),
  }),
  default: { enabled: true, mode: 'average', compensation: 0 },
  title: 'Automatic exposure',
  description: 'Measures the light and sets the exposure by itself.',
  ...device,
  save: true,
  effect: 'live',
});

export const exposure = defineView('exposure', {
  schema: Type.Union([Type.Boolean(), choice(['auto', 'manual', ...meteringModes])]),
  title: 'Exposure mode',
  description: 'Automatic or manual exposure in one word; a metering mode switches to automatic.',
  ...device,
  legacy: { name: 'auto-exposure' },
  from: [autoExposure],
  compute: ({ enabled }) => (enabled ? 'auto' : 'manual'),
  assign: (wanted, current) => {
    if (wanted === true || wanted === 'auto') return { autoExposure: { ...current, enabled: true } };
    if (wanted === false || wanted === 'manual') return { autoExposure: { ...current, enabled: false } };
    return { autoExposure: { ...current, enabled: true, mode: wanted } };
  },
});

export const manualExposure = defineObservable('manualExposure', {
  schema: object({
    shutterSpeed: Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Microseconds.' }),
    iso: Type.Integer({ minimum: 25, maximum: 102_400 }),
    aperture: Type.Number({ minimum: 0.7, maximum: 64 }),
  }),
  default: { shutterSpeed: 16_666, iso: 400, aperture: 2.8 },
  title: 'Manual exposure',
  description: 'Used while automatic exposure is off.',
  ...device,
  save: true,
  effect: 'live',
});
