// Finds settings by what people call them: title, key, or a word of the help.

/** Every word must be somewhere. */
export function matches(query: string, texts: readonly string[]): boolean {
  const all = texts.join(' ').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
