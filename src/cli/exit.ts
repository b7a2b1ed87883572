// How the command line ends: a number for scripts, a sentence for people.
import { ClientError, type ErrorCode } from '../client/index.js';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unknown: 3,
  denied: 4,
  invalid: 5,
  conflict: 6,
  notApplied: 7,
  timedOut: 8,
  unreachable: 69,
  interrupted: 130,
} as const;

/** Ends the command with a number; the message is for standard error. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  readonly code: string;
  readonly key: string | undefined;
  constructor(exitCode: number, code: string, message: string, key?: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.key = key;
  }
}

export function usage(message: string): CommandError {
  return new CommandError(exitCodes.usage, 'usage', message);
}

const byCode: Readonly<Record<ErrorCode, number>> = {
  unknown: exitCodes.unknown,
  invalid: exitCodes.invalid,
  forbidden: exitCodes.denied,
  unauthenticated: exitCodes.denied,
  conflict: exitCodes.conflict,
  limited: exitCodes.failed,
  failed: exitCodes.notApplied,
  unreachable: exitCodes.unreachable,
  timeout: exitCodes.timedOut,
};

export interface Ending {
  readonly exitCode: number;
  readonly error: { readonly code: string; readonly message: string; readonly key?: string | undefined };
}

export function endingOf(error: unknown): Ending {
  if (error instanceof CommandError) {
    const { exitCode, code, message, key } = error;
    return { exitCode, error: { code, message, key } };
  }
  if (error instanceof ClientError) {
    const { code, message, key } = error;
    return { exitCode: byCode[code], error: { code, message, key } };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: exitCodes.failed, error: { code: 'failed', message } };
}
