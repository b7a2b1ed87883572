// Photos in words, for those who do not see them.
import { moment, say } from '../words.svelte.js';
import type { Item } from './items.js';

const known = ['primary', 'secondary', 'scene'] as const;

/** Which camera, or both in one picture; nothing where that is not known any more. */
export function sourceName(source: string): string {
  const name = known.find((each) => each === source);
  return name === undefined ? source : say(`gallery.${name}`);
}

export function described({ takenAt, source }: Item): string {
  return [say('gallery.photoOf', { time: moment(takenAt) }), sourceName(source)]
    .filter((part) => part !== '')
    .join(', ');
}
