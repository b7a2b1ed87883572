// The head that the test picture pretends to have: its light, gain and exposure are seen in the picture, so that whoever
// writes a control client sees it work.
import type { MediaSettings } from './settings.js';

type Camera = 'primary' | 'secondary';

/** Stands behind the test picture; while everything is at its default it lets the picture through as it is. */
export const simulatedHeadText = 'videobalance name=head';

/** Parts of the brightness under the full light: it is never quite dark, and each camera has an LED of its own. */
const surroundings = 0.1;
const led = 0.3;
/** What the light is at its default, in Kelvin, and at its limits. */
const neutralLight = 5500;
const coldestLight = 15_000;
const warmestLight = 1000;
/** As parts of half a turn of the colours: nothing else of the element comes near to a colour temperature. */
const mostTint = 0.2;
/** Exposures are told in comparison with this one. */
const usual = { shutterSpeed: 16_666, iso: 400, aperture: 2.8 };
/** The element can make a picture no brighter than twice. */
const brightest = 2;

/** How much light falls on what the camera sees, of the full light. */
function lightLevel({ lightEnabled, lightIntensity, light0, light1 }: MediaSettings, camera: Camera): number {
  const light = lightEnabled ? (1 - surroundings) * (lightIntensity / 100) : 0;
  return surroundings + light + ((camera === 'primary' ? light0 : light1) ? led : 0);
}

/** What the sensor makes of the light, in comparison with the defaults. */
function sensitivity({ gain, autoExposure, manualExposure }: MediaSettings): number {
  const { shutterSpeed, iso, aperture } = manualExposure;
  const exposure = autoExposure.enabled
    ? 2 ** autoExposure.compensation
    : ((shutterSpeed * iso) / (usual.shutterSpeed * usual.iso)) * (usual.aperture / aperture) ** 2;
  return exposure * 2 ** ((gain - 50) / 50);
}

function tint({ lightTemperature }: MediaSettings): number {
  const away = lightTemperature - neutralLight;
  const farthest = away > 0 ? coldestLight - neutralLight : neutralLight - warmestLight;
  return (mostTint * away) / farthest;
}

export function simulatedHeadProperties(settings: MediaSettings, camera: Camera): Record<string, string> {
  const brightness = Math.min(brightest, lightLevel(settings, camera) * sensitivity(settings));
  return { 'head.contrast': brightness.toFixed(4), 'head.hue': tint(settings).toFixed(4) };
}
