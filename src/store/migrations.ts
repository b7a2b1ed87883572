// Steps from older forms of the saved settings to today's, each with a sentence on what it does.

export interface SavedCell {
  readonly rev: number;
  readonly value?: unknown;
  readonly sealed?: string;
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

/** Applies what lies between two versions; reports each step in words. */
export function migrate(
  cells: SavedCells,
  from: number,
  to: number,
  migrations: readonly Migration[],
): { readonly cells: SavedCells; readonly reports: readonly string[] } {
  const reports: string[] = [];
  let now = cells;
  for (let version = from; version < to; version += 1)
    for (const { from: start, note, change } of migrations)
      if (start === version) {
        now = change(now);
        reports.push(
          `The saved settings were brought from version ${String(version)} to ${String(version + 1)}: ${note}`,
        );
      }
  return { cells: now, reports };
}
