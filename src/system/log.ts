// The log of the server: lines of JSON, without what nobody may read, of which the newest are kept for people to see.
import { pino, type DestinationStream, type Logger } from 'pino';
import { LogMemory } from './logMemory.js';
import { withoutCredentials } from './redact.js';

export interface ServerLog {
  /** Its level may change at any time; the loggers of parts that are made of it follow. */
  readonly logger: Logger;
  readonly recent: LogMemory;
}

export function openLog(sink: DestinationStream): ServerLog {
  const recent = new LogMemory();
  const write = (line: string): void => {
    const shown = withoutCredentials(line);
    recent.add(shown);
    sink.write(shown);
  };
  return { logger: pino({ level: 'info' }, { write }), recent };
}
