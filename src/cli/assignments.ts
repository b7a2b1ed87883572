// Reads `key=value`, `key:=json` and `key=@file` into values of the types that the server's declarations ask for.
import { readFile } from 'node:fs/promises';
import { CommandError, exitCodes, usage } from './exit.js';

interface SchemaLike {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaLike[];
}

export interface Described {
  readonly schema: SchemaLike;
}

export async function readAssignments(
  words: readonly string[],
  descriptions: Readonly<Record<string, Described>>,
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const word of words) {
    const [, key, kind, text] = /^([^=:]+)(:?=)(.*)$/s.exec(word) ?? [];
    if (key === undefined || text === undefined) throw usage(`"${word}" is not of the form key=value`);
    const described = Object.hasOwn(descriptions, key) ? descriptions[key] : undefined;
    if (described === undefined) throw unknownKey(key, Object.keys(descriptions));
    const content = kind === '=' && text.startsWith('@') ? await contentOf(text.slice(1)) : text;
    values[key] = kind === ':=' ? parseJson(key, content) : typed(key, content, described.schema);
  }
  return values;
}

function typed(key: string, text: string, schema: SchemaLike): unknown {
  const types = schema.anyOf?.map(({ type }) => type) ?? [schema.type];
  if (types.includes('boolean')) {
    if (['true', 'yes', 'on', '1'].includes(text) && !acceptsText(schema, text)) return true;
    if (['false', 'no', 'off', '0'].includes(text) && !acceptsText(schema, text)) return false;
  }
  if (types.includes('integer') || types.includes('number')) {
    // What is not a number is sent as it is: the server says what it should be, in the same words as always.
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  if (types.includes('object') || types.includes('array')) return parseJson(key, text);
  return text;
}

function acceptsText(schema: SchemaLike, text: string): boolean {
  return schema.anyOf?.some((option) => option.enum?.includes(text) ?? false) ?? false;
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CommandError(
      exitCodes.invalid,
      'invalid',
      `The value of ${key} is not JSON: ${text.slice(0, 80)}`,
      key,
    );
  }
}

async function contentOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\n$/, '');
  } catch {
    throw usage(`The file ${file} cannot be read`);
  }
}

export function unknownKey(key: string, known: readonly string[]): CommandError {
  const [nearest] = known
    .map((name) => [distance(key.toLowerCase(), name.toLowerCase()), name] as const)
    .filter(([steps]) => steps <= Math.max(2, Math.floor(key.length / 3)))
    .toSorted(([a], [b]) => a - b);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest[1]}?`;
  return new CommandError(exitCodes.unknown, 'unknown', `There is no setting named ${key}${hint}`, key);
}

/** Levenshtein: how many letters one has to change, add or take away. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries())
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
