// What is known of each second, in the order of time; a figure that nobody knew is null.

export interface Second {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly figures: Readonly<Record<string, number | null>>;
}

/** As `/api/statistics/history` gives them. */
export type Columns = Readonly<Record<string, readonly number[]>>;

export const keptMs = 600_000;
/** The server tells one a second; after longer than this it had nothing to tell, or nobody heard it. */
const gapMs = 3000;

export function secondsOf({ at: times = [], ...columns }: Columns): Second[] {
  return times.map((at, index) => ({
    at,
    figures: known(
      Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[index] ?? null])),
    ),
  }));
}

type Told = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/** One second as the observable `statistics` tells it, under the names of the columns. */
export function secondOf({ at, ...told }: Told): Second {
  const figures = Object.entries(told).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as const]
      : Object.entries(value).map(([part, figure]) => [`${name}.${part}`, figure] as const),
  );
  return { at: Number(at), figures: known(Object.fromEntries(figures)) };
}

/** The server says 0 of what it does not know of the ways to the viewers. A way that is known takes time. */
function known(figures: Second['figures']): Second['figures'] {
  const { available, rtt } = figures;
  const bandwidth = available === 0 ? { available: null } : {};
  const nothing = available === 0 && rtt === 0 ? { loss: null, rtt: null, jitter: null } : {};
  return { ...figures, ...bandwidth, ...nothing };
}

/** The same with what is told now. Where the clock of the server was set back, what was told last counts. */
export function joined(before: readonly Second[], next: Second): readonly Second[] {
  return lately([...before.filter(({ at }) => at < next.at), next]);
}

/** The same with seconds that the server has kept. */
export function filled(before: readonly Second[], kept: readonly Second[]): readonly Second[] {
  const all = new Map([...before, ...kept].map((second) => [second.at, second]));
  return lately([...all.values()].sort((a, b) => a.at - b.at));
}

function lately(seconds: readonly Second[]): readonly Second[] {
  const last = seconds.at(-1)?.at ?? 0;
  return seconds.filter(({ at }) => last - at <= keptMs);
}

/** Whether seconds are missing between these two. */
function isGap(before: Second | undefined, next: Second): boolean {
  return before !== undefined && next.at - before.at > gapMs;
}

/** The times, and beneath them each figure, as a chart takes them: with nothing where there was nothing. */
export function drawn(
  seconds: readonly Second[],
  figures: readonly string[],
): [times: number[], ...figures: (number | null)[][]] {
  const times: number[] = [];
  const columns: (number | null)[][] = figures.map(() => []);
  for (const [index, second] of seconds.entries()) {
    const before = seconds[index - 1];
    if (before !== undefined && isGap(before, second)) {
      times.push(before.at / 1000 + 1);
      for (const column of columns) column.push(null);
    }
    times.push(second.at / 1000);
    for (const [place, figure] of figures.entries()) columns[place]?.push(second.figures[figure] ?? null);
  }
  return [times, ...columns];
}

/** The second that is closest to a time. */
export function closest(seconds: readonly Second[], at: number): Second | undefined {
  let best: Second | undefined;
  for (const second of seconds)
    if (best === undefined || Math.abs(second.at - at) < Math.abs(best.at - at)) best = second;
  return best;
}
