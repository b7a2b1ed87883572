// The log of the server: lines of JSON, whose level can be changed while it runs, without what nobody may read.
import { pino, type DestinationStream, type Logger } from 'pino';
import { LogMemory, type LogLevel } from './logMemory.js';
import { withoutCredentials } from './redact.js';

export interface ServerLog {
  readonly logger: Logger;
  /** Counts at once and for every part of the server. */
  readonly setLevel: (level: LogLevel) => void;
  readonly recent: LogMemory;
}

/**
 * Loggers of parts keep the level that they were made with, so all of them let everything through and the level is
 * kept at the one gate behind them.
 */
export function openLog(sink: DestinationStream): ServerLog {
  const recent = new LogMemory();
  let least = pino.levels.values['info'] ?? 0;
  const gate = {
    // Asks pino to say, before each line, how serious it is.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line: string): void {
      if (this.lastLevel < least) return;
      const shown = withoutCredentials(line);
      recent.add(shown);
      sink.write(shown);
    },
  };
  return {
    logger: pino({ level: 'trace' }, gate),
    recent,
    setLevel: (level) => {
      least = pino.levels.values[level] ?? 0;
    },
  };
}
