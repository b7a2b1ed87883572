// A line of a chart in four figures, for the table beneath the charts.
import type { Second } from './seconds.js';

export interface Summary {
  /** Of the newest second. */
  readonly now: number | null;
  readonly least: number | null;
  readonly mean: number | null;
  readonly most: number | null;
}

export function summaryOf(seconds: readonly Second[], figure: string): Summary {
  const values = seconds.flatMap(({ figures }) => figures[figure] ?? []);
  const now = seconds.at(-1)?.figures[figure] ?? null;
  if (values.length === 0) return { now, least: null, mean: null, most: null };
  return {
    now,
    least: Math.min(...values),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    most: Math.max(...values),
  };
}
