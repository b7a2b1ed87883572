// The factory file: initial values and accounts that whoever ships the device puts beside it, as JSON or YAML.
import { readFile } from 'node:fs/promises';
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { parse } from 'yaml';
import { messageOf, ObscuraError } from '../errors.js';
import { registry, rules } from '../observables/registry.js';
import { systemActor } from '../store/actor.js';
import { Store } from '../store/store.js';
import { explainValue } from '../store/validation.js';

const Factory = Type.Object(
  {
    settings: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())),
    accounts: Type.Optional(
      Type.Array(
        Type.Object(
          {
            username: Type.String({ minLength: 1, maxLength: 32 }),
            password: Type.String({ minLength: 8, maxLength: 128 }),
            role: Type.Optional(Type.String({ maxLength: 32 })),
            additionalPermissions: Type.Optional(
              Type.Array(Type.String({ maxLength: 32 }), { maxItems: 15 }),
            ),
          },
          { additionalProperties: false },
        ),
        { maxItems: 100 },
      ),
    ),
  },
  { additionalProperties: false },
);
export type Factory = Static<typeof Factory>;

const check = TypeCompiler.Compile(Factory);

/** A file that was asked for and cannot be used stops the start: half a factory configuration is worse than none. */
export async function readFactory(file: string | undefined): Promise<Factory> {
  if (file === undefined) return {};
  let document: unknown;
  try {
    // JSON is YAML too, so one parser reads both.
    document = parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ObscuraError('invalid', `The factory file ${file} cannot be read: ${messageOf(error)}`);
  }
  if (!check.Check(document))
    throw new ObscuraError(
      'invalid',
      `The factory file ${file} is not valid: ${explainValue(check, document)}`,
    );
  await tryOut(file, document.settings ?? {});
  return document;
}

/** On a store of its own, with nothing but defaults. */
async function tryOut(file: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const outcome = await new Store({ registry, rules }).submit(systemActor(), settings, { dryRun: true });
  if (outcome.ok) return;
  const { key, message } = outcome.error;
  throw new ObscuraError(
    'invalid',
    `The factory file ${file} is not valid: ${key ?? 'settings'}: ${message}`,
  );
}
