// The language in which GStreamer is told what to build.

/** As launch texts want values that may hold anything. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The whole text, with what may change later at its present values. */
export function launchText(text: string, live: Readonly<Record<string, string>>): string {
  let whole = text;
  for (const [property, value] of Object.entries(live)) {
    const [element = '', name = ''] = property.split('.');
    whole = whole.replace(`name=${element}`, (found) => `${found} ${name}=${quoted(value)}`);
  }
  return whole;
}
