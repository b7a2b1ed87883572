// Figures as people read them.
import { bitrate, number } from '../words.svelte.js';
import { mannerOf, type Unit } from './units.js';

export function written(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'bitrate') return bitrate(value);
  const { scale, sign } = mannerOf(unit);
  return `${number(value / scale, 1)} ${sign}`.trim();
}

/** Without its unit, which stands beside the title. */
export function alongAxis(value: number, unit: Unit): string {
  return number(value / mannerOf(unit).scale, 2);
}
