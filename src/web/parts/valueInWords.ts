// A value of a setting for people to read, in one piece.
import { number, say } from '../words.svelte.js';

export function valueInWords(value: unknown, unit?: string): string {
  if (value === undefined || value === null || value === '') return '–';
  if (typeof value === 'boolean') return say(value ? 'told.yes' : 'told.no');
  if (typeof value === 'number') return `${number(value, 2)} ${unit ?? ''}`.trim();
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}
