// What a transaction is asked with, and what it answers.
import type { ErrorCode } from '../errors.js';

export interface TransactOptions {
  /** Refuse where one of the keys changed after this revision. */
  readonly ifRevision?: number | undefined;
  /** Answer as if, and say what would follow, but change nothing. */
  readonly dryRun?: boolean | undefined;
  /** The same id from the same actor gets the same answer and changes things once. */
  readonly requestId?: string | undefined;
  /** `accepted`: durable and in force as a wish. `applied`: the parts that carry it out have done so. */
  readonly wait?: 'accepted' | 'applied' | undefined;
  /** Published but not saved: the middle of a drag, a change on trial, the adaptive loop. */
  readonly transient?: boolean | undefined;
  /** Why, for the audit. */
  readonly note?: string | undefined;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly key?: string | undefined;
  readonly message: string;
}

/** What people would notice of one change. */
export interface Consequence {
  readonly key: string;
  readonly effect: string;
  readonly message: string;
}

export interface Done {
  readonly ok: true;
  readonly revision: number;
  /** The keys that have another value now, computed ones included. */
  readonly changed: readonly string[];
  /** With `dryRun`: what would follow. */
  readonly consequences?: readonly Consequence[];
  /** What an action has to say. */
  readonly result?: unknown;
}

export interface Refused {
  readonly ok: false;
  readonly revision: number;
  /** The first thing that is wrong. */
  readonly error: Refusal;
  /** All that is wrong, each with its key. */
  readonly errors: readonly Refusal[];
}

export type Outcome = Done | Refused;
