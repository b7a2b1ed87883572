// One observable at run time: its declaration, compiled once, and the value it holds now.
import { isDeepStrictEqual } from 'node:util';
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import type { AnyDefinition } from '../observables/define.js';
import { maskOf, type Mask } from '../observables/permissions.js';

export type Registry = Readonly<Record<string, AnyDefinition>>;

export interface Cell {
  readonly index: number;
  readonly key: string;
  readonly definition: AnyDefinition;
  readonly check: TypeCheck<TSchema>;
  readonly readMask: Mask;
  readonly writeMask: Mask;
  /** Cells whose values this one is computed from. */
  readonly sources: readonly Cell[];
  readonly saved: boolean;
  /** Kept encrypted on disk and out of the audit. */
  readonly sealed: boolean;
  value: unknown;
  revision: number;
  durable: Durable;
}

/** What the journal has, while a transient value is in force that differs from it. */
export type Durable = { readonly value: unknown } | undefined;

/** Cells in an order in which every computed one comes after what it is computed from. */
export function buildCells(registry: Registry): Cell[] {
  const cells: Cell[] = [];
  const byKey = new Map<string, Cell>();
  const underway = new Set<AnyDefinition>();

  const build = (definition: AnyDefinition): Cell => {
    const known = byKey.get(definition.key);
    if (known !== undefined) return known;
    if (underway.has(definition)) throw new Error(`${definition.key} is computed from itself`);
    underway.add(definition);
    const sources = sourcesOf(definition).map(build);
    const cell: Cell = {
      index: cells.length,
      key: definition.key,
      definition,
      check: TypeCompiler.Compile(definition.schema as TSchema),
      readMask: maskOf(definition.read),
      writeMask: 'write' in definition ? maskOf(definition.write) : 0,
      sources,
      saved: definition.kind === 'setting' && definition.save,
      sealed:
        definition.kind === 'setting' && (definition.secret === true || definition.redact !== undefined),
      value: 'default' in definition ? definition.default : compute(definition, sources.map(valueOf)),
      revision: 0,
      durable: undefined,
    };
    cells.push(cell);
    byKey.set(cell.key, cell);
    return cell;
  };

  for (const definition of Object.values(registry)) build(definition);
  return cells;
}

function sourcesOf(definition: AnyDefinition): readonly AnyDefinition[] {
  return definition.kind === 'derived' || definition.kind === 'view' ? definition.from : [];
}

function valueOf(cell: Cell): unknown {
  return cell.value;
}

export function isComputed(cell: Cell): boolean {
  return cell.definition.kind === 'derived' || cell.definition.kind === 'view';
}

export function compute(definition: AnyDefinition, values: readonly unknown[]): unknown {
  if (definition.kind !== 'derived' && definition.kind !== 'view')
    throw new Error(`${definition.key} is not computed`);
  return (definition.compute as (...values: readonly unknown[]) => unknown)(...values);
}

/** What the journal still has once a cell has another value. */
export function durableAfter(
  { saved }: Cell,
  next: unknown,
  before: { readonly value: unknown; readonly durable: Durable },
  isTransient: boolean,
): Durable {
  if (!saved || !isTransient) return undefined;
  const durable = before.durable ?? { value: before.value };
  return isDeepStrictEqual(durable.value, next) ? undefined : durable;
}

/** What somebody who may read the key gets to see of a value. */
export function shownValue({ definition }: Cell, value: unknown): unknown {
  if (definition.kind !== 'setting') return value;
  if (definition.secret === true) return undefined;
  const shown = definition.redact ?? definition.outline;
  return shown === undefined ? value : shown(value);
}

/** What is kept of it: not what is on trial, in the middle of a drag, or the adaptive loop's for a while. */
export function savedValue(cell: Cell): unknown {
  return cell.durable === undefined ? cell.value : cell.durable.value;
}

/** Whether its value can be kept beside the settings, for anybody to read who may read it: in a preset. */
export function isStorable({ definition, saved, sealed }: Cell): boolean {
  return definition.kind === 'setting' && saved && !sealed;
}
