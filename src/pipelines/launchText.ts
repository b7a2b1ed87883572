// The language in which GStreamer is told what to build.

/** Of a hubsrc: frames keep the time at which they were captured, as far back as those that the hub keeps may go. */
export const history = 'history=30000';

/** As launch texts want values that may hold anything. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The whole text, with what may change later at its present values. */
export function launchText(text: string, live: Readonly<Record<string, string>>): string {
  const byElement = new Map<string, string>();
  for (const [property, value] of Object.entries(live)) {
    const [element = '', name = ''] = property.split('.');
    byElement.set(element, `${byElement.get(element) ?? ''} ${name}=${quoted(value)}`);
  }
  // What stands between quotes may look like the name of an element and is none.
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|(?<=\s)name=([\w-]+)/g, (found, element: string | undefined) =>
    element === undefined ? found : found + (byElement.get(element) ?? ''),
  );
}
