// What settings of the picture mean in the controls of a camera of the machine. The numbers are those of Linux
// (linux/v4l2-controls.h); what a camera does not have is left to others.
import { deviceAt } from '../observables/devices.js';
import { balancePresets } from '../observables/exposure.js';
import type { Head, MediaSettings, VideoDevice } from './settings.js';
import { triggerWishes } from './triggers.js';

type Control = VideoDevice['controls'][number];

/** One control as it is to be, and the setting that wants it so. */
export interface ControlWish {
  readonly id: number;
  /** As the camera calls the control. */
  readonly name: string;
  readonly value: number;
  readonly setting: keyof MediaSettings;
}

export interface DeviceControls {
  readonly device: string;
  /** What decides whether pictures come at all, and is therefore set before any has. */
  readonly atOnce: readonly ControlWish[];
  /** In this order: what switches an automatic off comes before what that leaves free. */
  readonly wishes: readonly ControlWish[];
}

const ids = {
  brightness: 0x980900,
  contrast: 0x980901,
  saturation: 0x980902,
  hue: 0x980903,
  autoWhiteBalance: 0x98090c,
  redBalance: 0x98090e,
  blueBalance: 0x98090f,
  gamma: 0x980910,
  autoGain: 0x980912,
  gain: 0x980913,
  whiteBalanceTemperature: 0x98091a,
  sharpness: 0x98091b,
  exposureMode: 0x9a0901,
  exposureTime: 0x9a0902,
  exposureBias: 0x9a0913,
  metering: 0x9a0919,
} as const;

/** Of the modes of exposure, in the order of preference: a lens of webcams has no iris that could be moved. */
const automaticModes = [0, 3, 2];
const manualModes = [1];
const meterings = { average: 0, 'center-weighted': 1, spot: 2 } as const;
/** The kernel counts exposure times in tenths of a millisecond, and bias in thousandths. */
const microsecondsPerTick = 100;
const thousandthsPerStop = 1000;

class Controls {
  readonly #byId: ReadonlyMap<number, Control>;

  constructor({ controls }: VideoDevice) {
    this.#byId = new Map(controls.map((control) => [control.id, control]));
  }

  get(name: keyof typeof ids): Control | undefined {
    return this.#byId.get(ids[name]);
  }

  has(name: keyof typeof ids): boolean {
    return this.#byId.has(ids[name]);
  }
}

interface Rule {
  readonly setting: keyof MediaSettings;
  /** The first of these that the camera has is what people know the setting by; without any, the camera does not have it. */
  readonly by: readonly (keyof typeof ids)[];
  readonly wishes: (settings: MediaSettings, controls: Controls) => readonly (Wish | undefined)[];
}

type Wish = readonly [control: Control, value: number];

/** The order in which controls are set. */
const rules = {
  whiteBalance: {
    setting: 'whiteBalance',
    by: ['whiteBalanceTemperature', 'autoWhiteBalance'],
    wishes: ({ whiteBalance: { mode, temperature } }, controls) => {
      const automatic = wish(controls.get('autoWhiteBalance'), mode === 'auto' ? 1 : 0);
      if (mode === 'auto') return [automatic];
      return [automatic, wish(controls.get('whiteBalanceTemperature'), balancePresets[mode] ?? temperature)];
    },
  },
  autoExposure: {
    setting: 'autoExposure',
    by: ['exposureMode', 'autoGain'],
    wishes: ({ autoExposure: { enabled, mode, compensation } }, controls) => [
      oneOf(controls.get('exposureMode'), enabled ? automaticModes : manualModes),
      wish(controls.get('autoGain'), enabled ? 1 : 0),
      ...(enabled
        ? [
            oneOf(controls.get('metering'), [meterings[mode]]),
            nearest(controls.get('exposureBias'), compensation * thousandthsPerStop),
          ]
        : []),
    ],
  },
  manualExposure: {
    setting: 'manualExposure',
    by: ['exposureTime'],
    wishes: ({ autoExposure, manualExposure }, controls) =>
      autoExposure.enabled
        ? []
        : [wish(controls.get('exposureTime'), manualExposure.shutterSpeed / microsecondsPerTick)],
  },
  gain: {
    setting: 'gain',
    by: ['gain'],
    wishes: ({ gain, autoExposure }, controls) =>
      autoExposure.enabled && controls.has('autoGain') ? [] : [percent(controls.get('gain'), gain)],
  },
  redGain: {
    setting: 'redGain',
    by: ['redBalance'],
    wishes: (settings, controls) =>
      balancesItself(settings, controls) ? [] : [percent(controls.get('redBalance'), settings.redGain)],
  },
  blueGain: {
    setting: 'blueGain',
    by: ['blueBalance'],
    wishes: (settings, controls) =>
      balancesItself(settings, controls) ? [] : [percent(controls.get('blueBalance'), settings.blueGain)],
  },
  brightness: {
    setting: 'imageSettings',
    by: ['brightness'],
    wishes: ({ imageSettings }, controls) => [percent(controls.get('brightness'), imageSettings.brightness)],
  },
  contrast: {
    setting: 'imageSettings',
    by: ['contrast'],
    wishes: ({ imageSettings }, controls) => [percent(controls.get('contrast'), imageSettings.contrast)],
  },
  saturation: {
    setting: 'imageSettings',
    by: ['saturation'],
    wishes: ({ imageSettings }, controls) => [percent(controls.get('saturation'), imageSettings.saturation)],
  },
  hue: {
    setting: 'imageSettings',
    by: ['hue'],
    wishes: ({ imageSettings }, controls) => [
      between(controls.get('hue'), imageSettings.hue, [-180, 0, 180]),
    ],
  },
  sharpness: {
    setting: 'imageSettings',
    by: ['sharpness'],
    wishes: ({ imageSettings }, controls) => [percent(controls.get('sharpness'), imageSettings.sharpness)],
  },
  gamma: {
    setting: 'imageSettings',
    by: ['gamma'],
    wishes: ({ imageSettings }, controls) => {
      const control = controls.get('gamma');
      return [wish(control, ((control?.default ?? 0) * imageSettings.gamma) / 100)];
    },
  },
} as const satisfies Readonly<Record<string, Rule>>;

/** What cameras may have controls for. */
export type Controllable = keyof typeof rules;
export const controllable = Object.keys(rules) as readonly Controllable[];

/** The device that a camera is, where it is plugged in. */
export function deviceOf(head: Head, devices: readonly VideoDevice[]): VideoDevice | undefined {
  return head.source === 'v4l2' ? deviceAt(head.device, devices) : undefined;
}

/** The control by which the camera carries a setting out. */
export function controlOf(what: Controllable, device: VideoDevice | undefined): Control | undefined {
  if (device === undefined) return undefined;
  const controls = new Controls(device);
  const rule: Rule = rules[what];
  return rule.by.map((name) => controls.get(name)).find((control) => control !== undefined);
}

export function deviceControls(
  camera: 'primary' | 'secondary',
  device: VideoDevice,
  settings: MediaSettings,
): DeviceControls {
  const controls = new Controls(device);
  const wishes = Object.values<Rule>(rules).flatMap((rule) =>
    rule
      .wishes(settings, controls)
      .flatMap((each) =>
        each === undefined
          ? []
          : [{ id: each[0].id, name: each[0].name, value: each[1], setting: rule.setting }],
      ),
  );
  return { device: device.path, atOnce: triggerWishes(camera, device, settings.streamAlignment), wishes };
}

function balancesItself({ whiteBalance }: MediaSettings, controls: Controls): boolean {
  return whiteBalance.mode === 'auto' && controls.has('autoWhiteBalance');
}

/** The value that the control has next to this one. */
function wish(control: Control | undefined, value: number): Wish | undefined {
  if (control === undefined) return undefined;
  const { minimum, maximum } = control;
  const step = Math.max(1, control.step);
  const mostSteps = Math.floor((maximum - minimum) / step);
  const steps = Math.min(mostSteps, Math.max(0, Math.round((value - minimum) / step)));
  return [control, minimum + steps * step];
}

/** From one end of the control to the other, with its default in the middle. */
function between(
  control: Control | undefined,
  value: number,
  [low, middle, high]: readonly [number, number, number],
): Wish | undefined {
  if (control === undefined) return undefined;
  const { minimum, maximum, default: usual } = control;
  if (value === middle) return [control, usual];
  return value < middle
    ? wish(control, minimum + ((usual - minimum) * (value - low)) / (middle - low))
    : wish(control, usual + ((maximum - usual) * (value - middle)) / (high - middle));
}

function percent(control: Control | undefined, value: number): Wish | undefined {
  return between(control, value, [0, 50, 100]);
}

/** The first of these choices that the control has. */
function oneOf(control: Control | undefined, values: readonly number[]): Wish | undefined {
  const value = values.find((each) => control?.choices?.some((choice) => choice.value === each));
  return control === undefined || value === undefined ? undefined : [control, value];
}

/** Of a list of numbers the one that comes nearest. */
function nearest(control: Control | undefined, value: number): Wish | undefined {
  const away = (choice: { readonly name: string }): number => Math.abs(Number(choice.name) - value);
  const [first] = (control?.choices ?? []).toSorted((a, b) => away(a) - away(b));
  return control === undefined || first === undefined ? undefined : [control, first.value];
}
