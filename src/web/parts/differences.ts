// What is different between two values of a setting: where both are objects, only the members that are.

export interface Difference {
  /** Empty for the value as a whole. */
  readonly member: string;
  readonly before: unknown;
  readonly after: unknown;
}

export function differencesOf(before: unknown, after: unknown, member = ''): readonly Difference[] {
  if (isObject(before) && isObject(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      differencesOf(before[name], after[name], member === '' ? name : `${member}.${name}`),
    );
  return isSame(before, after) ? [] : [{ member, before, after }];
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, index) => isSame(each, b[index]));
  if (isObject(a) && isObject(b)) return differencesOf(a, b).length === 0;
  return a === b;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
