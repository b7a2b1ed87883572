// The figures as a table for other programs: one line a second, as the server counts, with what was decided in it.
import { csv } from '../parts/csv.js';
import type { Decision } from './decisions.js';
import type { Second } from './seconds.js';
import { mannerOf, type Unit } from './units.js';

export interface Column {
  readonly figure: string;
  readonly unit: Unit;
}

export function csvOf(
  columns: readonly Column[],
  seconds: readonly Second[],
  decisions: readonly Decision[],
): string {
  const heads = columns.map(({ figure, unit }) => headOf(figure, mannerOf(unit).raw));
  const lines = seconds.map(({ at, figures }, index) => {
    const end = seconds[index + 1]?.at ?? Infinity;
    const made = decisions.filter((decision) => decision.at >= at && decision.at < end);
    return [
      new Date(at).toISOString(),
      ...columns.map(({ figure }) => figures[figure] ?? undefined),
      made.map(inWords).join('; '),
    ];
  });
  return csv([['time', ...heads, 'decisions'], ...lines]);
}

function headOf(figure: string, unit: string): string {
  return unit === '' ? figure : `${figure} (${unit})`;
}

function inWords({ stream, from, to, reason }: Decision): string {
  const step = from === undefined || to === undefined ? '' : ` ${String(from)} to ${String(to)} bit/s`;
  return `${stream}${step}: ${reason}`;
}
