// Settings in files: YAML or JSON, an object of values by key, as `obscura export` writes it.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { CommandError, exitCodes, usage } from './exit.js';
import type { Io } from './io.js';

export async function readDocument(io: Io, file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = file === '-' ? await io.readInput() : await readFile(file, 'utf8');
  } catch {
    throw usage(`The file ${file} cannot be read`);
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new CommandError(exitCodes.invalid, 'invalid', `${file} is not YAML or JSON: ${String(error)}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new CommandError(exitCodes.invalid, 'invalid', `${file} must hold values by key`);
  return document as Record<string, unknown>;
}
