// Where the small picture is, in words.
import { number, say } from '../../words.svelte.js';
import { placeOf, type PipLayout } from './place.js';

export function placeWords(layout: PipLayout): string {
  const { x, y, scale } = placeOf(layout);
  const percent = (part: number): string => number(part * 100, 1);
  return say('pip.place', { left: percent(x), top: percent(y), size: percent(scale) });
}
