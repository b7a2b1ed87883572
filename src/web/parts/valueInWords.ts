// A value of a setting for people to read, in one piece.
import { bitrate, moment, number, say } from '../words.svelte.js';
import { unitInWords } from './unitInWords.js';

/** No setting counts as far as this but those that say when something was, in milliseconds since 1970. */
const leastMoment = 1e12;

export function valueInWords(value: unknown, unit?: string): string {
  if (value === undefined || value === null || value === '') return '–';
  if (typeof value === 'boolean') return say(value ? 'told.yes' : 'told.no');
  if (typeof value === 'number') return numberInWords(value, unit);
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

/** On one line, and of what is long only the beginning. */
export function valueBriefly(value: unknown, unit: string | undefined, longest: number): string {
  const text = valueInWords(value, unit).replaceAll(/\s+/g, ' ');
  return text.length > longest ? `${text.slice(0, longest)} …` : text;
}

function numberInWords(value: number, unit: string | undefined): string {
  if (unit === 'bit/s') return bitrate(value);
  if (unit !== undefined) return `${number(value, 2)} ${unitInWords(unit)}`;
  // A port is a name more than a number: nobody writes it in groups of digits.
  return value >= leastMoment ? moment(value) : String(value);
}
