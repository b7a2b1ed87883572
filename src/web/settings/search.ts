// Finds settings by what people call them: title, key, or a word of the help.
import type { Description } from './description.js';

/** Every word must be somewhere. */
export function matches(query: string, key: string, { title, description }: Description): boolean {
  const text = `${title} ${key} ${description}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
