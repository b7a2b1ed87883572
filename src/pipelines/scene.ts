// Two cameras in one picture: where each of them is, as a launch text and as properties that change while it runs.
import type { MediaSettings } from './settings.js';

type Layout = MediaSettings['pipLayout'];
type Alignment = MediaSettings['streamAlignment'];
type Camera = Layout['mainSource'];

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly framerate: number;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Each camera keeps its way into the mixer; what changes is which of them lies above. */
const pads: Readonly<Record<Camera | 'border', string>> = {
  primary: 'sink_0',
  secondary: 'sink_1',
  border: 'sink_2',
};
const linesPerBorderPixel = 270;

/** Without its size, which changes while it runs. */
export function sceneText({ framerate }: Pick<Scene, 'framerate'>): string {
  const rate = String(framerate);
  const camera = (name: Camera): string =>
    `hubsrc name=${name} channel=raw/${name} max-queue=2 max-rate=${rate} ! mix.${pads[name]}`;
  return [
    camera('primary'),
    camera('secondary'),
    `videotestsrc name=border is-live=true pattern=solid-color ! video/x-raw,format=NV12,width=16,height=16,framerate=${rate}/1 ! mix.${pads.border}`,
    'compositor name=mix background=black ! capsfilter name=canvas',
  ].join(' ');
}

export function sceneProperties(layout: Layout, scene: Scene): Record<string, string> {
  const {
    mainSource,
    pipSource,
    pipBorder,
    arrangement = 'inset',
    opacity = 1,
    borderColor = '#ffffff',
  } = layout;
  const whole = { x: 0, y: 0, width: scene.width, height: scene.height };
  const half = { ...whole, width: even(scene.width / 2) };
  const isBeside = arrangement === 'side-by-side';
  const inset = isBeside ? { ...half, x: scene.width - half.width } : insetOf(layout, scene);
  const edge = layout.borderWidth ?? Math.max(2, Math.round(scene.height / linesPerBorderPixel));
  const border = {
    x: inset.x - edge,
    y: inset.y - edge,
    width: inset.width + 2 * edge,
    height: inset.height + 2 * edge,
  };
  const visible = arrangement === 'main-only' ? 0 : opacity;
  return {
    ...placed(mainSource, isBeside ? half : whole, 1, 1),
    ...placed('border', border, 2, pipBorder && !isBeside ? visible : 0),
    ...placed(pipSource, inset, 3, visible),
    'canvas.caps': `video/x-raw,format=NV12,width=${String(scene.width)},height=${String(scene.height)},framerate=${String(scene.framerate)}/1`,
    'border.foreground-color': String(Number.parseInt(`ff${borderColor.slice(1)}`, 16)),
  };
}

/** By which of its times a frame is put together with others. */
const timings: Readonly<Record<Alignment['method'], string>> = {
  timestamp: 'taken',
  hardware: 'captured',
  software: 'arrived',
};

/** Which pictures of two cameras are shown together, and how long the earlier waits for the later. */
export function alignmentProperties(
  { enabled, method, maxLatencyMs }: Alignment,
  { framerate }: Scene,
): Record<string, string> {
  const timing = enabled ? timings[method] : 'arrived';
  // What counts from its arrival has come when its time has.
  const waitMs = timing === 'arrived' ? Math.min(maxLatencyMs, 1000 / framerate) : maxLatencyMs;
  const cameras = (['primary', 'secondary'] as const).map((camera) => ({
    [`${camera}.timing`]: timing,
    // One that is later than anybody waits for is shown all the same.
    [`${camera}.patience`]: String(Math.round(waitMs)),
  }));
  return Object.assign(
    { 'mix.latency': String(enabled ? Math.round(waitMs * 1e6) : 0) },
    ...cameras,
  ) as Record<string, string>;
}

/** Where the small picture is; wherever it is put, it is seen whole. */
function insetOf({ pipPosition, pipScale, x, y }: Layout, scene: Scene): Place {
  const width = Math.max(2, even(scene.width * pipScale));
  const height = Math.max(2, even(scene.height * pipScale));
  const [right, bottom] = [scene.width - width, scene.height - height];
  const corners = {
    'top-left': { x: 0, y: 0 },
    'top-right': { x: right, y: 0 },
    'bottom-left': { x: 0, y: bottom },
    'bottom-right': { x: right, y: bottom },
    center: { x: even(right / 2), y: even(bottom / 2) },
  };
  const corner = corners[pipPosition];
  return {
    ...{ width, height },
    x: x === undefined ? corner.x : Math.min(right, even(scene.width * x)),
    y: y === undefined ? corner.y : Math.min(bottom, even(scene.height * y)),
  };
}

/** Colours are kept for two pixels together. */
function even(value: number): number {
  return 2 * Math.round(value / 2);
}

function placed(
  what: Camera | 'border',
  { x, y, width, height }: Place,
  above: number,
  alpha: number,
): Record<string, string> {
  const values = {
    ...{ xpos: x, ypos: y, width, height, zorder: above, alpha },
    // A camera of another form keeps it.
    ...(what === 'border' ? {} : { 'sizing-policy': 'keep-aspect-ratio' }),
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`mix.${pads[what]}::${name}`, String(value)]),
  );
}
