// What is done to the pictures of a camera before anybody takes them: turned, enlarged, made brighter. All of it changes
// while it runs, and all of it lets pictures through untouched where nothing is to be done.
import { controlOf, type Controllable } from './controls.js';
import type { MediaSettings, VideoDevice } from './settings.js';

export const pictureText =
  'nv12turn name=turn ! nv12zoom name=zoom ! videobalance name=balance ! gamma name=gamma';

/** What the elements can do where the camera cannot. */
export const adjustable = [
  ...(['brightness', 'contrast', 'saturation', 'hue', 'gamma'] as const),
] as const satisfies readonly Controllable[];

export function pictureProperties(
  settings: MediaSettings,
  device: VideoDevice | undefined,
): Record<string, string> {
  const { imageSettings, videoRotation, videoFlip } = settings;
  /** What the camera does itself is not done twice. */
  const left = (what: (typeof adjustable)[number], value: number, neutral: number): string =>
    String(controlOf(what, device) === undefined ? value : neutral);
  return {
    'turn.degrees': String(videoRotation),
    'turn.left-to-right': String(videoFlip.horizontal),
    'turn.upside-down': String(videoFlip.vertical),
    'zoom.region': regionOf(settings),
    'balance.brightness': left('brightness', (imageSettings.brightness - 50) / 50, 0),
    'balance.contrast': left('contrast', imageSettings.contrast / 50, 1),
    'balance.saturation': left('saturation', imageSettings.saturation / 50, 1),
    'balance.hue': left('hue', imageSettings.hue / 180, 0),
    'gamma.gamma': left('gamma', imageSettings.gamma / 100, 1),
  };
}

const untouched: Readonly<Record<string, string>> = {
  ...{ 'turn.degrees': '0', 'turn.left-to-right': 'false', 'turn.upside-down': 'false' },
  ...{ 'zoom.region': '0 0 1 1', 'balance.brightness': '0', 'balance.contrast': '1' },
  ...{ 'balance.saturation': '1', 'balance.hue': '0', 'gamma.gamma': '1' },
};

/** Whether these properties do anything to a picture. */
export function isChanged(properties: Readonly<Record<string, string>>): boolean {
  return Object.entries(properties).some(([property, value]) => value !== untouched[property]);
}

/** Left, top, width and height of what is shown, as parts of the whole. */
function regionOf({ digitalZoom: { enabled, level, panX, panY } }: MediaSettings): string {
  if (!enabled) return '0 0 1 1';
  const size = 1 / level;
  const edge = (pan: number): number => ((pan + 1) / 2) * (1 - size);
  return [edge(panX), edge(panY), size, size].map((part) => String(Number(part.toFixed(6)))).join(' ');
}
