// What a caller may know of an observable: its type, range, default, who may read and write it, what a change costs.
import type { AnyDefinition } from '../observables/define.js';
import { groupOf, type Key } from '../observables/registry.js';
import type { Actor } from '../store/actor.js';
import { isStorable, shownValue, type Cell } from '../store/cell.js';
import { isReadable } from '../store/store.js';

export interface Description {
  readonly key: string;
  readonly kind: string;
  readonly group: string;
  readonly title: string;
  readonly description: string;
  readonly unit?: string;
  readonly schema: unknown;
  readonly default?: unknown;
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly readable: boolean;
  readonly writable: boolean;
  readonly saved: boolean;
  /** Can be part of a preset. */
  readonly storable: boolean;
  readonly effect?: string;
  readonly consequence?: string;
  readonly legacy?: string;
}

/** Nothing of a key that the caller may neither read nor write. */
export function describe(cell: Cell, actor: Pick<Actor, 'mask'>): Description | undefined {
  if ((actor.mask & (cell.readMask | cell.writeMask)) === 0) return undefined;
  const { definition } = cell;
  const { key, kind, title, description, unit, read } = definition;
  const schema: unknown = definition.schema;
  return {
    key,
    kind,
    group: groupOf(key as Key),
    title,
    description,
    ...(unit === undefined ? {} : { unit }),
    schema,
    ...('default' in definition ? { default: shownValue(cell, definition.default) } : {}),
    read,
    write: 'write' in definition ? definition.write : [],
    readable: isReadable(cell, actor),
    writable: (actor.mask & cell.writeMask) !== 0,
    saved: cell.saved,
    storable: isStorable(cell),
    ...(definition.kind === 'setting' ? { effect: definition.effect } : {}),
    ...consequence(definition),
    ...(definition.legacy === undefined ? {} : { legacy: definition.legacy.name }),
  };
}

function consequence(definition: AnyDefinition): { consequence?: string } {
  if (definition.kind !== 'setting' && definition.kind !== 'action') return {};
  return definition.consequence === undefined ? {} : { consequence: definition.consequence };
}
