// Steps from older forms of the saved settings to today's, each with a sentence on what it does.
import { messageOf } from '../errors.js';

export interface SavedCell {
  readonly rev: number;
  readonly value?: unknown;
  readonly sealed?: string;
  /** Of the schema, where a newer server than this wrote it. */
  readonly version?: number;
}
export type SavedCells = ReadonlyMap<string, SavedCell>;

export interface Migration {
  /** The version it starts from; it leads to the next. */
  readonly from: number;
  readonly note: string;
  readonly change: (cells: SavedCells) => SavedCells;
}

export function renamed(from: number, note: string, names: Readonly<Record<string, string>>): Migration {
  return {
    from,
    note,
    change: (cells) => new Map([...cells].map(([key, cell]) => [names[key] ?? key, cell])),
  };
}

export function transformed(
  from: number,
  note: string,
  key: string,
  change: (value: unknown) => unknown,
): Migration {
  return {
    from,
    note,
    change: (cells) => {
      const cell = cells.get(key);
      if (cell === undefined || cell.sealed !== undefined) return cells;
      return new Map(cells).set(key, { ...cell, value: change(cell.value) });
    },
  };
}

export function removed(from: number, note: string, ...keys: readonly string[]): Migration {
  return { from, note, change: (cells) => new Map([...cells].filter(([key]) => !keys.includes(key))) };
}

/** For a setting whose default is not right for those who come from before it. */
export function added(from: number, note: string, key: string, value: unknown): Migration {
  return {
    from,
    note,
    // Older than anything that somebody set, should a newer version have left the key behind.
    change: (cells) => (cells.has(key) ? cells : new Map(cells).set(key, { rev: 0, value })),
  };
}

/**
 * Applies what lies between two versions; reports each step in words. After a downgrade and an upgrade the cells are
 * of several versions: each takes part from its own on, and where two end under one name, the later change counts.
 */
export function migrate(
  cells: SavedCells,
  from: number,
  to: number,
  migrations: readonly Migration[],
): { readonly cells: SavedCells; readonly reports: readonly string[] } {
  const reports: string[] = [];
  let current = new Map<string, SavedCell>();
  const ahead = new Map<number, [string, SavedCell][]>();
  for (const [key, cell] of cells) {
    const version = cell.version ?? from;
    if (version <= from) current.set(key, cell);
    else ahead.set(version, [...(ahead.get(version) ?? []), [key, cell]]);
  }
  for (let version = from; version < to; version += 1) {
    for (const { from: start, note, change } of migrations) {
      if (start !== version) continue;
      const step = `from version ${String(version)} to ${String(version + 1)}: ${note}`;
      try {
        current = new Map(change(current));
        reports.push(`The saved settings were brought ${step}`);
      } catch (error) {
        reports.push(`The saved settings could not be brought ${step} (${messageOf(error)})`);
      }
    }
    for (const [key, cell] of ahead.get(version + 1) ?? []) join(current, key, withoutVersion(cell));
    ahead.delete(version + 1);
  }
  for (const [key, cell] of [...ahead.values()].flat()) join(current, key, cell);
  return { cells: current, reports };
}

function join(cells: Map<string, SavedCell>, key: string, cell: SavedCell): void {
  const present = cells.get(key);
  if (present === undefined || present.rev <= cell.rev) cells.set(key, cell);
}

function withoutVersion({ version: _version, ...cell }: SavedCell): SavedCell {
  return cell;
}
