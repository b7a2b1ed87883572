// What a setting is called, for pages that only name it.
import { desk } from '../desk.svelte.js';
import { settingWords, type Words } from './settingWords.svelte.js';

/** The key itself where the schema does not know it, or has not come yet. */
export function titleOf(key: string): Words {
  const description = desk.schema?.properties[key];
  return description === undefined ? { text: key, lang: undefined } : settingWords.title(key, description);
}
