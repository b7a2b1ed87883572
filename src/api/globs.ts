// Names of observables with `*` for any characters, as clients write them.

/** Compiled without regular expressions of the client's making: only `*` means anything. */
export function matcher(globs: readonly string[]): (key: string) => boolean {
  const exact = new Set(globs.filter((glob) => !glob.includes('*')));
  const patterns = globs.filter((glob) => glob.includes('*')).map((glob) => glob.split('*'));
  if (patterns.some((parts) => parts.every((part) => part === ''))) return () => true;
  return (key) => exact.has(key) || patterns.some((parts) => matches(parts, key));
}

function matches(parts: readonly string[], key: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!key.startsWith(first) || !key.endsWith(last) || key.length < first.length + last.length) return false;
  let from = first.length;
  const end = key.length - last.length;
  for (const part of rest) {
    const at = key.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
