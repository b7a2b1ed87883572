// Decides what one transaction would change, without changing anything: rights, values, computed keys, rules.
// A stage sits over the cells (and over earlier stages of the same batch), so a failed check leaves no trace.
import { isDeepStrictEqual } from 'node:util';
import { Issue, type Rule } from '../observables/define.js';
import type { Actor } from './actor.js';
import { compute, isComputed, type Cell, type Durable } from './cell.js';
import type { Refusal, TransactOptions } from './outcome.js';
import { explainValue } from './validation.js';

/** How a cell looks to a transaction: committed state plus whatever the batch has staged before it. */
export interface Sight {
  valueOf(cell: Cell): unknown;
  revisionOf(cell: Cell): number;
  durableOf(cell: Cell): Durable;
}

export const committed: Sight = {
  valueOf: (cell) => cell.value,
  revisionOf: (cell) => cell.revision,
  durableOf: (cell) => cell.durable,
};

/** Reasons outside the declarations why a key cannot be written now. */
export interface Obstacles {
  refusalOf(cell: Cell, actor: Actor): Refusal | undefined;
}

/** Turns a value that must not be stored as it came (a password) into changes of hidden keys. */
export type Intake = (valueOf: (key: string) => unknown) => Readonly<Record<string, unknown>> | Issue;

export interface StageInput {
  readonly patch: Readonly<Record<string, unknown>>;
  readonly intakes?: ReadonlyMap<string, Intake>;
  readonly actor: Actor;
  readonly options: TransactOptions;
}

export interface Staged {
  readonly ok: true;
  /** New values, those of computed cells included, in cell order. */
  readonly values: ReadonlyMap<Cell, unknown>;
  /** Cells that keep their value but whose transient value becomes a saved one. */
  readonly settled: readonly Cell[];
  readonly actions: readonly { readonly cell: Cell; readonly value: unknown }[];
}

export interface Failed {
  readonly ok: false;
  readonly errors: readonly [Refusal, ...Refusal[]];
}

export class Stager {
  readonly #cells: readonly Cell[];
  readonly #byKey: ReadonlyMap<string, Cell>;
  readonly #rules: readonly { readonly rule: Rule; readonly on: readonly Cell[] }[];
  readonly #obstacles: Obstacles;

  constructor(
    cells: readonly Cell[],
    byKey: ReadonlyMap<string, Cell>,
    rules: readonly Rule[],
    obstacles: Obstacles,
  ) {
    this.#cells = cells;
    this.#byKey = byKey;
    this.#obstacles = obstacles;
    this.#rules = rules.map((rule) => ({ rule, on: rule.on.map(({ key }) => this.#cell(key)) }));
  }

  stage({ patch, intakes, actor, options }: StageInput, sight: Sight): Staged | Failed {
    const errors: Refusal[] = [];
    const assigned = new Map<Cell, unknown>();
    const direct = new Map<Cell, unknown>();
    const actions: { cell: Cell; value: unknown }[] = [];
    const current = (cell: Cell): unknown => (assigned.has(cell) ? assigned.get(cell) : sight.valueOf(cell));

    for (const [key, value] of Object.entries(patch)) {
      const cell = this.#byKey.get(key);
      const refusal = this.#refusal(cell, key, value, actor, options, sight);
      if (cell === undefined || refusal !== undefined) {
        if (refusal !== undefined) errors.push(refusal);
        continue;
      }
      const { definition } = cell;
      if (definition.kind === 'action') {
        actions.push({ cell, value });
      } else if (definition.kind === 'view') {
        const assign = definition.assign as (...all: readonly unknown[]) => Record<string, unknown> | Issue;
        this.#take(assign(value, ...cell.sources.map(current)), assigned, errors);
      } else if (definition.kind === 'setting' && intakes?.has(key) !== true) {
        const normalised: unknown =
          definition.normalise === undefined
            ? value
            : definition.normalise(value, sight.valueOf(cell), actor.system === true);
        if (normalised instanceof Issue) {
          errors.push(refusalFrom(normalised));
          continue;
        }
        direct.set(cell, normalised);
        assigned.set(cell, normalised);
      }
    }
    for (const [key, intake] of intakes ?? [])
      if (key in patch)
        this.#take(
          intake((name) => current(this.#cell(name))),
          assigned,
          errors,
        );
    for (const [cell, value] of direct)
      if (!isDeepStrictEqual(assigned.get(cell), value))
        errors.push({
          code: 'invalid',
          key: cell.key,
          message: 'Value is contradicted by another key of the same change',
        });
    if (actions.length > 0 && Object.keys(patch).length > 1)
      errors.push({
        code: 'invalid',
        key: actions[0]?.cell.key,
        message: 'An action must be asked for alone, not together with other keys',
      });
    if (hasAny(errors)) return { ok: false, errors };

    const values = this.#consequent(assigned, sight);
    const seen = (cell: Cell): unknown => (values.has(cell) ? values.get(cell) : sight.valueOf(cell));
    for (const { rule, on } of this.#rules) {
      if (!on.some((cell) => values.has(cell))) continue;
      const check = rule.check as (...all: readonly unknown[]) => Issue | undefined;
      const issue = check(...on.map(seen));
      if (issue !== undefined) errors.push(refusalFrom(issue));
    }
    if (hasAny(errors)) return { ok: false, errors };
    const settled =
      options.transient === true
        ? []
        : [...assigned.keys()].filter((cell) => !values.has(cell) && sight.durableOf(cell) !== undefined);
    return { ok: true, values, settled, actions };
  }

  #refusal(
    cell: Cell | undefined,
    key: string,
    value: unknown,
    actor: Actor,
    { ifRevision }: TransactOptions,
    sight: Sight,
  ): Refusal | undefined {
    // Who may neither read nor write a key does not learn that it exists.
    const hidden =
      cell === undefined || (actor.system !== true && (actor.mask & (cell.readMask | cell.writeMask)) === 0);
    if (hidden) return { code: 'unknown', key, message: `There is no setting named ${key}` };
    if (actor.system !== true && (actor.mask & cell.writeMask) === 0)
      return { code: 'forbidden', key, message: `You may not change ${key}` };
    if (cell.definition.kind === 'derived')
      return { code: 'forbidden', key, message: `${key} is computed and cannot be set` };
    if (ifRevision !== undefined && sight.revisionOf(cell) > ifRevision)
      return {
        code: 'conflict',
        key,
        message: `${key} changed at revision ${String(sight.revisionOf(cell))}, after revision ${String(ifRevision)}`,
      };
    if (!cell.check.Check(value)) return { code: 'invalid', key, message: explainValue(cell.check, value) };
    return actor.system === true ? undefined : this.#obstacles.refusalOf(cell, actor);
  }

  #take(
    result: Readonly<Record<string, unknown>> | Issue,
    assigned: Map<Cell, unknown>,
    errors: Refusal[],
  ): void {
    if (result instanceof Issue) {
      errors.push(refusalFrom(result));
      return;
    }
    for (const [key, value] of Object.entries(result)) {
      const cell = this.#cell(key);
      if (cell.check.Check(value)) assigned.set(cell, value);
      else errors.push({ code: 'invalid', key, message: explainValue(cell.check, value) });
    }
  }

  /** Drops what is equal already and adds what is computed from the rest, each computed cell once. */
  #consequent(assigned: ReadonlyMap<Cell, unknown>, sight: Sight): Map<Cell, unknown> {
    const values = new Map<Cell, unknown>();
    if (assigned.size === 0) return values;
    const seen = (cell: Cell): unknown => (values.has(cell) ? values.get(cell) : sight.valueOf(cell));
    for (const cell of this.#cells) {
      let next: unknown;
      if (assigned.has(cell)) next = assigned.get(cell);
      else if (isComputed(cell) && cell.sources.some((source) => values.has(source)))
        next = compute(cell.definition, cell.sources.map(seen));
      else continue;
      if (!isDeepStrictEqual(next, sight.valueOf(cell))) values.set(cell, next);
    }
    return values;
  }

  #cell(key: string): Cell {
    const cell = this.#byKey.get(key);
    if (cell === undefined) throw new Error(`${key} is not in the registry`);
    return cell;
  }
}

function refusalFrom({ key, message }: Issue): Refusal {
  return { code: 'invalid', key, message };
}

function hasAny(errors: readonly Refusal[]): errors is readonly [Refusal, ...Refusal[]] {
  return errors.length > 0;
}
