// Values over time, of which only the last while is kept.

export interface Point {
  readonly at: number;
  readonly value: number;
}

export type Series = readonly Point[];

export function withPoint(series: Series, at: number, value: number, keepMs: number): Series {
  return [...series.filter((point) => point.at > at - keepMs), { at, value }];
}

export function valuesSince(series: Series, from: number): readonly number[] {
  return series.filter((point) => point.at >= from).map(({ value }) => value);
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of an even number the upper one. */
export function upperMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
