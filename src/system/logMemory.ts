// The newest lines of the log, for people who have no terminal on the machine.

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLine {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  /** What else the line says: the part of the server, an error and so on. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface LogFilter {
  /** This one and everything more serious. */
  readonly level?: LogLevel | undefined;
  readonly contains?: string | undefined;
}

export interface LogQuery extends LogFilter {
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly limit?: number | undefined;
}

const mostLines = 2000;
/** A longer line is cut: one that repeats a whole document must not take the room of all others. */
const longestLine = 8192;

export class LogMemory {
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  #next = 0;

  /** Takes a line as pino writes it. */
  add(line: string): void {
    this.#lines[this.#next % mostLines] = line;
    this.#next += 1;
    for (const listener of this.#listeners) listener(line);
  }

  /** What is written from now on; until the function that it gives is called. A listener must not fail, nor log. */
  follow(filter: LogFilter, listener: (line: LogLine) => void): () => void {
    const hear = (text: string): void => {
      const line = matching(text, filter);
      if (line !== undefined) listener(line);
    };
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  /** The newest that fit, the oldest of them first. */
  find({ since = 0, limit = mostLines, ...filter }: LogQuery): LogLine[] {
    const found: LogLine[] = [];
    const oldest = Math.max(0, this.#next - mostLines);
    for (let at = this.#next - 1; at >= oldest && found.length < limit; at -= 1) {
      const line = matching(this.#lines[at % mostLines] ?? '', filter);
      if (line === undefined) continue;
      if (line.time < since) break;
      found.push(line);
    }
    return found.reverse();
  }
}

/** Most lines are ruled out by their text, which is far cheaper than reading them. */
function matching(text: string, { level = 'trace', contains }: LogFilter): LogLine | undefined {
  if (contains !== undefined && !text.includes(contains)) return undefined;
  const line = parse(text);
  return logLevels.indexOf(line.level) >= logLevels.indexOf(level) ? line : undefined;
}

function parse(text: string): LogLine {
  if (text.length > longestLine) return cut(text);
  try {
    const { time, level, msg, pid: _pid, hostname: _hostname, ...details } = JSON.parse(text) as LineOfPino;
    return { time, level: nameOf(level), message: msg ?? '', details };
  } catch {
    return cut(text);
  }
}

interface LineOfPino {
  readonly time: number;
  readonly level: number;
  readonly msg?: string;
  readonly [detail: string]: unknown;
}

function cut(text: string): LogLine {
  return {
    time: Number(/"time":(\d+)/.exec(text)?.[1] ?? 0),
    level: nameOf(Number(/"level":(\d+)/.exec(text)?.[1] ?? 30)),
    message: text.slice(0, longestLine),
    details: { cut: true },
  };
}

/** Pino counts in tens, from 10 for `trace`. */
function nameOf(level: number): LogLevel {
  return logLevels[Math.round(level / 10) - 1] ?? 'info';
}
