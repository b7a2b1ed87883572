// Where the command line reads and writes; tests put their own in place.
export interface Io {
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
  readonly err: { write(text: string): unknown };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** All of the standard input. */
  readonly readInput: () => Promise<string>;
  /** A password: typed unseen on a terminal, otherwise all of the standard input. */
  readonly readSecret: (prompt: string) => Promise<string>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Output {
  /** `--json`: one documented form for programs. */
  readonly json: boolean;
  readonly quiet: boolean;
}

export function line(io: Io, text: string): void {
  io.out.write(`${text}\n`);
}

/** For people, and not part of what the command gives. */
export function remark(io: Io, { quiet }: Output, text: string): void {
  if (!quiet) io.err.write(`${text}\n`);
}

export function json(io: Io, value: unknown): void {
  io.out.write(`${JSON.stringify(value, null, io.out.isTTY === true ? 2 : 0)}\n`);
}

/** Columns for a terminal; `key=value` when the output goes to another program. */
export function pairs(io: Io, values: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(values).map(([key, value]) => [key, valueText(value)] as const);
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  for (const [key, text] of entries)
    line(io, io.out.isTTY === true ? `${key.padEnd(width)}  ${text}` : `${key}=${text}`);
}

export function table(io: Io, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const format = (row: readonly string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  if (io.out.isTTY === true) line(io, format(head));
  for (const row of rows) line(io, io.out.isTTY === true ? format(row) : row.join('\t'));
}

export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
