// The one family of errors that crosses borders between rooms; each face translates it once into its own protocol.

/** What went wrong, for programs. */
export const errorCodes = [
  /** No such thing, or nothing the asker may know of. */
  'unknown',
  /** The value or the request cannot be. */
  'invalid',
  /** Known who asks, and they may not. */
  'forbidden',
  /** Nobody knows who asks, and only known people may. */
  'unauthenticated',
  /** Somebody else was faster, or holds it. */
  'conflict',
  /** Too much, too often, too large. */
  'limited',
  /** Right and allowed, but it could not be done; the reason is in the message. */
  'failed',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorOptions {
  readonly key?: string | undefined;
  readonly cause?: unknown;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number | undefined;
  readonly details?: unknown;
  /** What clients of the reference product know it by, where they do. */
  readonly knownAs?: string | undefined;
}

export class ObscuraError extends Error {
  override readonly name = 'ObscuraError';
  readonly code: ErrorCode;
  readonly key: string | undefined;
  readonly retryAfter: number | undefined;
  readonly details: unknown;
  readonly knownAs: string | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.key = options.key;
    this.retryAfter = options.retryAfter;
    this.details = options.details;
    this.knownAs = options.knownAs;
  }
}

/** What any thrown thing has to say to a person. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
