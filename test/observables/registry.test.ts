import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import type { AnyDefinition } from '../../src/observables/define.js';
import { groupOf, groups, registry, rules, type Key } from '../../src/observables/registry.js';
import { buildCells, type Cell } from '../../src/store/cell.js';

const definitions: readonly (readonly [string, AnyDefinition])[] = Object.entries(registry);
const cells = new Map<string, Cell>(buildCells(registry).map((cell) => [cell.key, cell]));

describe('every declaration', () => {
  it('stands under its own key, in one group', () => {
    for (const [name, { key }] of definitions) {
      expect(name).toBe(key);
      expect(groups.filter(({ keys }) => keys.includes(key as Key)).map((group) => group.name)).toEqual([
        groupOf(key as Key),
      ]);
    }
  });

  it('says in words what it is', () => {
    for (const [key, { title, description }] of definitions) {
      expect(title, key).toMatch(/^.{3,}/);
      expect(description, key).toMatch(/.{10,}[.:`]$/);
    }
  });

  it('has a default that its own schema accepts, and all defaults together break no rule', () => {
    for (const cell of cells.values()) {
      const { definition, key, check, value } = cell;
      if (definition.kind === 'setting') expect([key, [...check.Errors(value)]]).toEqual([key, []]);
    }
    for (const { on, check } of rules) {
      const values = on.map(({ key }) => cells.get(key)?.value);
      expect((check as (...all: unknown[]) => unknown)(...values)).toBeUndefined();
    }
  });

  it('shares its older name with nobody', () => {
    const names = definitions.flatMap(([, { legacy }]) =>
      legacy === undefined ? [] : [legacy.name, ...(legacy.also ?? [])],
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(Object.hasOwn(registry, name), name).toBe(false);
  });

  it('that people can write takes values of bounded size only', () => {
    for (const [key, definition] of definitions)
      if ('write' in definition && definition.write.length > 0)
        expect(unbounded(definition.schema as TSchema, key)).toEqual([]);
  });

  it('that is a view writes settings which the same people may write', () => {
    for (const [key, definition] of definitions) {
      if (definition.kind !== 'view') continue;
      for (const { key: source } of definition.from)
        expect([key, cells.get(source)?.writeMask]).toEqual([key, cells.get(key)?.writeMask]);
    }
  });
});

/** Where in a schema a value could grow without end. */
function unbounded(schema: TSchema, path: string): string[] {
  const {
    type,
    anyOf,
    items,
    properties,
    patternProperties,
    maxLength,
    maxItems,
    maxProperties,
    additionalProperties,
    enum: values,
    pattern,
  } = schema as {
    readonly type?: string;
    readonly anyOf?: readonly TSchema[];
    readonly items?: TSchema;
    readonly properties?: Readonly<Record<string, TSchema>>;
    readonly patternProperties?: Readonly<Record<string, TSchema>>;
    readonly maxLength?: number;
    readonly maxItems?: number;
    readonly maxProperties?: number;
    readonly additionalProperties?: unknown;
    readonly enum?: readonly unknown[];
    readonly pattern?: string;
  };
  // Repeats inside repeats can take exponential time.
  const backtracks = pattern !== undefined && /[+*}]\)[+*{]/.test(pattern) ? [`${path}: ${pattern}`] : [];
  if (anyOf !== undefined)
    return anyOf.flatMap((option, index) => unbounded(option, `${path}|${String(index)}`));
  if (values !== undefined || 'const' in schema) return [];
  switch (type) {
    case 'string':
      return maxLength === undefined ? [`${path}: no maxLength`] : backtracks;
    case 'array':
      return [
        ...(maxItems === undefined ? [`${path}: no maxItems`] : []),
        ...(items === undefined ? [] : unbounded(items, `${path}[]`)),
      ];
    case 'object':
      if (properties !== undefined)
        return [
          ...(additionalProperties === false ? [] : [`${path}: unknown members`]),
          ...Object.entries(properties).flatMap(([name, member]) => unbounded(member, `${path}.${name}`)),
        ];
      return [
        ...(maxProperties === undefined ? [`${path}: no maxProperties`] : []),
        ...Object.values(patternProperties ?? {}).flatMap((member) => unbounded(member, `${path}.*`)),
      ];
    default:
      return [];
  }
}

it('what a reader is shown of a secret can be written back, and keeps it', () => {
  const shown: unknown = registry.webrtcIceServers.redact?.([
    { urls: ['turn:t'], username: 'u', credential: 'c' },
  ]);
  expect(Value.Check(registry.webrtcIceServers.schema, shown)).toBe(true);
  expect(JSON.stringify(shown)).not.toContain('"c"');
});
