// Where the small picture is, in parts of the whole, and what the layout becomes when it is moved or sized.
import type { SettingValue } from '../../../client/index.js';

export type PipLayout = SettingValue<'pipLayout'>;

export interface Place {
  readonly x: number;
  readonly y: number;
  /** Of the width as of the height: the small picture has the form of the whole. */
  readonly scale: number;
}

export const snaps = [
  ...(['top-left', 'top', 'top-right', 'left', 'center', 'right'] as const),
  ...(['bottom-left', 'bottom', 'bottom-right'] as const),
] as const;
export type Snap = (typeof snaps)[number];

/** A corner of the small picture, by the directions in which it lies. */
export interface Corner {
  readonly right: boolean;
  readonly bottom: boolean;
}

export interface Limits {
  readonly lowest: number;
  readonly highest: number;
}

/** Closer than anybody sees, in parts of the whole. */
const nearly = 0.001;

/** Of the room that the small picture leaves, how much lies to its left and above it. */
const shares: Readonly<Record<Snap, readonly [left: number, above: number]>> = {
  'top-left': [0, 0],
  top: [0.5, 0],
  'top-right': [1, 0],
  left: [0, 0.5],
  center: [0.5, 0.5],
  right: [1, 0.5],
  'bottom-left': [0, 1],
  bottom: [0.5, 1],
  'bottom-right': [1, 1],
};

export function placeOf({ pipPosition, pipScale: scale, x, y }: PipLayout): Place {
  const named = placeAt(pipPosition, scale);
  return {
    x: x === undefined ? named.x : Math.min(x, 1 - scale),
    y: y === undefined ? named.y : Math.min(y, 1 - scale),
    scale,
  };
}

/** Which of the nine it is at, if any. */
export function snapOf(layout: PipLayout): Snap | undefined {
  const { x, y, scale } = placeOf(layout);
  return snaps.find((snap) => {
    const place = placeAt(snap, scale);
    return Math.abs(place.x - x) < nearly && Math.abs(place.y - y) < nearly;
  });
}

export function snapped(layout: PipLayout, snap: Snap): PipLayout {
  const { x: _x, y: _y, ...rest } = layout;
  // The corners and the middle have names in the setting, the middles of the edges have not.
  if (snap === 'top' || snap === 'left' || snap === 'right' || snap === 'bottom') {
    const { x, y } = placeAt(snap, layout.pipScale);
    return { ...rest, x: rounded(x), y: rounded(y) };
  }
  return { ...rest, pipPosition: snap };
}

/** With its upper left corner there, but never beyond the edge of the picture. */
export function placed(layout: PipLayout, x: number, y: number): PipLayout {
  const most = 1 - layout.pipScale;
  const there = { ...layout, x: rounded(within(x, 0, most)), y: rounded(within(y, 0, most)) };
  const snap = snapOf(there);
  return snap === undefined ? there : snapped(there, snap);
}

export function moved(layout: PipLayout, dx: number, dy: number): PipLayout {
  const { x, y } = placeOf(layout);
  return placed(layout, x + dx, y + dy);
}

/** What is at an edge stays there. */
export function sized(layout: PipLayout, scale: number, { lowest, highest }: Limits): PipLayout {
  const pipScale = rounded(within(scale, lowest, highest));
  const snap = snapOf(layout);
  if (snap !== undefined) return snapped({ ...layout, pipScale }, snap);
  const { x, y } = placeOf(layout);
  return placed({ ...layout, pipScale }, x, y);
}

/** By a corner that is pulled; the opposite one stays. */
export function pulled(
  layout: PipLayout,
  { right, bottom }: Corner,
  dx: number,
  dy: number,
  { lowest, highest }: Limits,
): PipLayout {
  const { x, y, scale } = placeOf(layout);
  const [fixedX, fixedY] = [right ? x : x + scale, bottom ? y : y + scale];
  const room = Math.min(right ? 1 - fixedX : fixedX, bottom ? 1 - fixedY : fixedY);
  const growth = ((right ? dx : -dx) + (bottom ? dy : -dy)) / 2;
  const pipScale = rounded(within(scale + growth, lowest, Math.min(highest, room)));
  return placed(
    { ...layout, pipScale },
    right ? fixedX : fixedX - pipScale,
    bottom ? fixedY : fixedY - pipScale,
  );
}

export function swapped(layout: PipLayout): PipLayout {
  return { ...layout, mainSource: layout.pipSource, pipSource: layout.mainSource };
}

function placeAt(snap: Snap, scale: number): { readonly x: number; readonly y: number } {
  const [left, above] = shares[snap];
  return { x: left * (1 - scale), y: above * (1 - scale) };
}

function within(value: number, lowest: number, highest: number): number {
  return Math.max(lowest, Math.min(highest, value));
}

/** Finer than any pixel, and no more digits than somebody would write. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
