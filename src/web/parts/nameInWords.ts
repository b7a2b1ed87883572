// Names that the server gives to things, in the language of the page.
import type { Words } from '../settings/settingWords.svelte.js';
import { say, type Word } from '../words.svelte.js';

/** One that is not known stays as the server gives it. */
export function nameInWords(name: string, known: Readonly<Record<string, Word>>): Words {
  const word = Object.hasOwn(known, name) ? known[name] : undefined;
  return word === undefined ? { text: name, lang: 'en' } : { text: say(word), lang: undefined };
}
