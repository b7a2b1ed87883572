// The lines of the server's log as they come, as many of the newest as somebody could want to look through.
import type { HttpClient } from '../../client/index.js';
import { messageOf } from '../messageOf.js';
import { patience } from '../patience.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogLine {
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** With what the search looks at, made once. */
export interface KeptLine extends LogLine {
  readonly serial: number;
  readonly text: string;
}

const mostLines = 10_000;
const gatherMs = 100;
const againMs = 2000;

export class LogTail {
  lines = $state.raw<readonly KeptLine[]>([]);
  isOpen = $state(false);
  problem = $state('');
  readonly #http: HttpClient;
  #coming: KeptLine[] = [];
  #serial = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Until the function that it gives is called. */
  follow(): () => void {
    const end = new AbortController();
    void this.#listen(end.signal);
    return () => {
      end.abort();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      try {
        // What is sent first begins anew what is shown: nobody knows how much has been missed.
        this.#coming = [];
        const lines = this.#http.lines('/api/logs/follow?backlog=2000', signal);
        let isFirst = true;
        for await (const line of lines) {
          if (isFirst) this.lines = [];
          isFirst = false;
          this.isOpen = true;
          this.problem = '';
          this.#take(line as LogLine);
        }
      } catch (error) {
        if (!isOver()) this.problem = messageOf(error);
      }
      this.isOpen = false;
      if (!isOver()) await patience(againMs);
    }
  }

  /** Many come at once; they are shown together. */
  #take(line: LogLine): void {
    this.#serial += 1;
    const details = Object.keys(line.details).length === 0 ? '' : JSON.stringify(line.details);
    this.#coming.push({ ...line, serial: this.#serial, text: `${line.message} ${details}`.toLowerCase() });
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.lines = [...this.lines, ...this.#coming].slice(-mostLines);
      this.#coming = [];
    }, gatherMs);
  }
}

/** This level and everything more serious, with these words. */
export function matching(lines: readonly KeptLine[], level: LogLevel, words: string): readonly KeptLine[] {
  const least = logLevels.indexOf(level);
  const wanted = words.trim().toLowerCase();
  if (least === 0 && wanted === '') return lines;
  return lines.filter((line) => logLevels.indexOf(line.level) >= least && line.text.includes(wanted));
}

export function asText(lines: readonly LogLine[]): string {
  return lines
    .map(({ time, level, message, details }) => {
      const more = Object.keys(details).length === 0 ? '' : ` ${JSON.stringify(details)}`;
      return `${new Date(time).toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${more}\n`;
    })
    .join('');
}
