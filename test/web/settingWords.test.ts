import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import { expect, it } from 'vitest';
import { groups, registry } from '../../src/observables/registry.js';

interface Catalogue {
  readonly groups: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, { readonly title: string; readonly help: string }>>;
}

const german = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../src/web/settings/words/de.json'), 'utf8'),
) as Catalogue;

/** Names within names, but not within lists: those are written as JSON. */
function membersOf({ properties = {} }: TSchema): string[] {
  return Object.entries(properties as Readonly<Record<string, TSchema>>).flatMap(([name, schema]) => [
    name,
    ...membersOf(schema),
  ]);
}

/** Names of settings and values stand between these, and are the same in every language. */
function marked(text: string): string[] {
  return [...text.matchAll(/`[^`]*`/g)].map(([whole]) => whole).sort();
}

const declarations = Object.entries(registry);

it('every setting has a German title and German help, and no other has', () => {
  expect(Object.keys(german.settings).toSorted()).toEqual(declarations.map(([key]) => key).toSorted());
  for (const [key, { title, help }] of Object.entries(german.settings)) {
    expect(title.trim(), key).not.toBe('');
    expect(help.trim(), key).not.toBe('');
  }
});

it('German help names the same settings and values as the English one', () => {
  for (const [key, { description }] of declarations)
    expect(marked(german.settings[key]?.help ?? ''), key).toEqual(marked(description));
});

it('every group of settings has a German name, and no other has', () => {
  expect(Object.keys(german.groups).toSorted()).toEqual(groups.map(({ name }) => name).toSorted());
});

it('every part of a setting that people can change has a German name, and no other has', () => {
  const changeable = declarations.flatMap(([, declaration]) =>
    'write' in declaration && declaration.write.length > 0 ? membersOf(declaration.schema) : [],
  );
  expect(Object.keys(german.members).toSorted()).toEqual([...new Set(changeable)].toSorted());
});
