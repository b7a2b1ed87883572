import { describe, expect, it } from 'vitest';
import { canvasOnStage } from '../../src/web/live/pip/fit.js';
import {
  moved,
  placed,
  placeOf,
  pulled,
  sized,
  snapOf,
  snapped,
  snaps,
} from '../../src/web/live/pip/place.js';

const layout = {
  mainSource: 'primary',
  pipSource: 'secondary',
  pipPosition: 'bottom-right',
  pipScale: 0.2,
  pipBorder: true,
} as const;
const limits = { lowest: 0.05, highest: 1 };

describe('the place of the small picture', () => {
  it('is that of its name, or its own, within the picture', () => {
    expect(placeOf(layout)).toEqual({ x: 0.8, y: 0.8, scale: 0.2 });
    expect(placeOf({ ...layout, x: 0.1 })).toEqual({ x: 0.1, y: 0.8, scale: 0.2 });
    expect(placeOf({ ...layout, x: 1, y: 0.95 })).toEqual({ x: 0.8, y: 0.8, scale: 0.2 });
  });

  it.each(snaps)('%s is where it was put, and known again', (snap) => {
    expect(snapOf(snapped(layout, snap))).toBe(snap);
    expect(snapOf(sized(snapped(layout, snap), 0.5, limits))).toBe(snap);
  });

  it('stays within the picture, however far it is moved, and has the name of its corner there', () => {
    expect(moved(layout, -5, -0.1)).toMatchObject({ x: 0, y: 0.7 });
    expect(moved(layout, -5, -5)).toEqual({ ...layout, pipPosition: 'top-left' });
    expect(placed(layout, 0.123456, 0.5)).toMatchObject({ x: 0.1235, y: 0.5 });
  });

  it.each([
    [{ right: true, bottom: true }, 0.1, { x: 0.4, y: 0.4, scale: 0.3 }],
    [{ right: false, bottom: false }, -0.1, { x: 0.3, y: 0.3, scale: 0.3 }],
    [{ right: true, bottom: true }, 5, { x: 0.4, y: 0.4, scale: 0.6 }],
    [{ right: false, bottom: false }, -5, { x: 0, y: 0, scale: 0.6 }],
    [{ right: true, bottom: true }, -5, { x: 0.4, y: 0.4, scale: 0.05 }],
    [{ right: false, bottom: false }, 5, { x: 0.55, y: 0.55, scale: 0.05 }],
  ])('pulled at %j by %d leaves the other corner where it is', (corner, by, place) => {
    const seen = placeOf(pulled({ ...layout, x: 0.4, y: 0.4 }, corner, by, by, limits));
    for (const [name, value] of Object.entries(place))
      expect(seen[name as keyof typeof seen]).toBeCloseTo(value, 4);
  });
});

describe('where the combined picture is', () => {
  it.each([
    ['all of the stage', [160, 90], [16, 9], [16, 9], [0, 0, 160, 90]],
    ['between bars of the page', [200, 90], [16, 9], [16, 9], [20, 0, 160, 90]],
    ['between bars of the stream', [120, 90], [4, 3], [16, 9], [0, 11.25, 120, 67.5]],
    ['between both', [160, 90], [4, 3], [16, 9], [20, 11.25, 120, 67.5]],
    ['upright', [160, 90], [16, 9], [9, 16], [54.6875, 0, 50.625, 90]],
  ] as const)('is %s', (_name, stage, video, canvas, [left, top, width, height]) => {
    const size = ([w, h]: readonly [number, number]) => ({ width: w, height: h });
    expect(canvasOnStage(size(stage), size(video), size(canvas))).toEqual({ left, top, width, height });
  });

  it('is nowhere while there is no picture', () => {
    const some = { width: 16, height: 9 };
    expect(canvasOnStage(some, { width: 0, height: 0 }, some)).toBeUndefined();
  });
});
