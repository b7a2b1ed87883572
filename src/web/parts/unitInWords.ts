// Units of settings that are words and not signs, in the language of the page.
import type { Word } from '../words.svelte.js';
import { nameInWords } from './nameInWords.js';

const words: Readonly<Record<string, Word>> = {
  'frames/s': 'unit.frames',
  bytes: 'unit.bytes',
  pixels: 'unit.pixels',
};

export function unitInWords(unit: string): string {
  return nameInWords(unit, words).text;
}
