// By whom each setting of the picture is carried out, for one camera: told as it is, also where it is nobody.
import type { Capability } from '../observables/devices.js';
import { controllable, controlOf, deviceOf, type Controllable } from './controls.js';
import { adjustable } from './picture.js';
import type { Head, VideoDevice } from './settings.js';
import { triggersOf } from './triggers.js';

/** Done to the picture whatever the camera is. */
const inPicture = ['videoRotation', 'videoFlip', 'digitalZoom', 'timestampOverlay'] as const;
/** What the test picture pretends to have beside its sensor. */
const pretended = [
  ...(['lightEnabled', 'lightIntensity', 'lightTemperature'] as const),
  ...(['discRotation', 'headSensors', 'fpgaTemperature'] as const),
] as const;
const pretendedOfSensor: readonly Controllable[] = ['gain', 'autoExposure', 'manualExposure'];
/** Kept for clients that set them, and without effect in this version. */
const nobodys = [
  ...(['noiseSuppression', 'denoiseStrength', 'colorGrading', 'logoOverlay', 'autoRotate'] as const),
] as const;
/** Each camera has its own light and its own choice of sensors. */
const ownLight = { primary: 'light0', secondary: 'light1' } as const;
const ownSensor = { primary: 'cam0SelectedSensor', secondary: 'cam1SelectedSensor' } as const;

function byDevice(control: VideoDevice['controls'][number] | undefined): Capability | undefined {
  if (control === undefined) return undefined;
  const { name, minimum, maximum, default: usual } = control;
  return { by: 'device', control: name, minimum, maximum, default: usual };
}

export function headCapabilities(
  camera: 'primary' | 'secondary',
  head: Head,
  devices: readonly VideoDevice[],
): Record<string, Capability> {
  const device = deviceOf(head, devices);
  const isTest = head.source === 'test';
  const picture: Capability = { by: head.source === 'none' ? 'none' : 'picture' };
  const simulated: Capability = { by: isTest ? 'simulated' : 'none' };
  const byControl = (what: Controllable): Capability => {
    const own = byDevice(controlOf(what, device));
    if (own !== undefined) return own;
    if (adjustable.some((each) => each === what)) return picture;
    return pretendedOfSensor.includes(what) ? simulated : { by: 'none' };
  };
  return Object.fromEntries<Capability>([
    ...controllable.map((what) => [what, byControl(what)] as const),
    ...inPicture.map((what) => [what, picture] as const),
    ...[...pretended, ownLight[camera]].map((what) => [what, simulated] as const),
    ['trigger', byDevice(triggersOf(device)[0]) ?? { by: 'none' }],
    ...[...nobodys, ownSensor[camera]].map((what) => [what, { by: 'none' }] as const),
  ]);
}
