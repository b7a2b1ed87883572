// The language in which GStreamer is told what to build.

/** As launch texts want values that may hold anything. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
