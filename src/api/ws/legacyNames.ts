// The names and value forms of the reference product's clients; each stands in the declaration of its key.
import type { AnyDefinition } from '../../observables/define.js';
import type { Registry } from '../../store/cell.js';
import { shownValue, type Cell } from '../../store/cell.js';
import type { Store } from '../../store/store.js';

export interface Named {
  readonly cell: Cell;
  /** Whether the client used the older name, which may come with an older form of the value. */
  readonly byLegacyName: boolean;
}

export class LegacyNames {
  readonly #byName = new Map<string, Named>();

  constructor({ cells }: Pick<Store<Registry>, 'cells'>) {
    for (const cell of cells) this.#byName.set(cell.key, { cell, byLegacyName: false });
    for (const cell of cells) {
      const { legacy } = cell.definition;
      for (const name of legacy === undefined ? [] : [legacy.name, ...(legacy.also ?? [])])
        this.#byName.set(name, { cell, byLegacyName: name !== cell.key });
    }
  }

  find(name: string): Named | undefined {
    return this.#byName.get(name);
  }
}

export function legacyNameOf({ key, definition }: Cell): string {
  return definition.legacy?.name ?? key;
}

/** The cell's value as it looks under the name. */
export function toWire({ cell, byLegacyName }: Named): unknown {
  const value = shownValue(cell, cell.value);
  const convert = byLegacyName ? converters(cell.definition).toWire : undefined;
  return convert === undefined ? value : convert(value);
}

export function fromWire({ cell, byLegacyName }: Named, wire: unknown): unknown {
  const convert = byLegacyName ? converters(cell.definition).fromWire : undefined;
  return convert === undefined ? wire : convert(wire, cell.value);
}

function converters(definition: AnyDefinition): {
  readonly toWire?: (value: unknown) => unknown;
  readonly fromWire?: (wire: unknown, current: unknown) => unknown;
} {
  return definition.legacy ?? {};
}
