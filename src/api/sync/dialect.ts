// How a set of changed values looks on the wire, for each of the protocols; made once for all equal readers.
import { shownValue, type Cell } from '../../store/cell.js';
import type { StatusChange } from '../../store/status.js';

export interface ChangeFacts {
  readonly cells: readonly Cell[];
  readonly revision: number;
  /** Who did it, where that is one and may be told. */
  readonly by: string | undefined;
  /** Keys that may not be read any more. */
  readonly gone: readonly string[];
}

export interface Dialect {
  /** Readers of equal dialect name and equal rights share their messages. */
  readonly name: string;
  changes(facts: ChangeFacts): readonly Buffer[];
  /** For those who are told how a change fares. */
  status?(change: StatusChange): readonly Buffer[];
}

/** The JSON text of what a cell shows, made once per value however many dialects and readers ask. */
export function shownJson(cell: Cell): string {
  const known = shown.get(cell);
  if (known?.revision === cell.revision && known.value === cell.value) return known.json;
  const json = JSON.stringify(shownValue(cell, cell.value) ?? null);
  shown.set(cell, { revision: cell.revision, value: cell.value, json });
  return json;
}
const shown = new WeakMap<Cell, { revision: number; value: unknown; json: string }>();

export function members(cells: readonly Cell[]): string {
  return cells.map((cell) => `"${cell.key}":${shownJson(cell)}`).join(',');
}

export const v2Dialect: Dialect = {
  name: 'v2',
  changes({ cells, revision, by, gone }) {
    // Those who have not logged in have no name.
    const who = by === undefined || by === '' ? '' : `,"by":${JSON.stringify(by)}`;
    const lost = gone.length === 0 ? '' : `,"gone":${JSON.stringify(gone)}`;
    return [
      Buffer.from(`{"op":"change","revision":${String(revision)},"set":{${members(cells)}}${who}${lost}}`),
    ];
  },
  status: (change) => [Buffer.from(JSON.stringify({ op: 'status', ...change }))],
};
