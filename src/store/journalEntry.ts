// What a line of the journal can say, and what the audit makes of it.

interface Origin {
  /** Account, or the part of the server. */
  readonly by: string;
  /** Interface: ws, http, cli, system ... */
  readonly via: string;
  /** Network address. */
  readonly from?: string;
}

export interface CommitEntry extends Origin {
  readonly kind: 'commit';
  readonly rev: number;
  readonly at: number;
  /** New values of saved keys. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** New values of saved keys that are secret, encrypted; the journal never looks inside. */
  readonly sealed?: Readonly<Record<string, string>>;
  /** New values of keys that do not survive a restart, for the audit alone. */
  readonly unsaved?: Readonly<Record<string, unknown>>;
  /** What the keys in `set` and `unsaved` held before. */
  readonly was?: Readonly<Record<string, unknown>>;
  /** Those in `set` that the server changed in a way that is not for the audit. */
  readonly unaudited?: readonly string[];
  /** Views of the changed keys that changed with them. */
  readonly keys?: readonly string[];
  readonly note?: string;
  readonly request?: string;
}

export interface RefusedEntry extends Origin {
  readonly kind: 'refused';
  readonly at: number;
  readonly keys: readonly string[];
  readonly code: string;
  readonly message: string;
  readonly tried?: Readonly<Record<string, unknown>>;
}

/** A log-in, an action, a failed apply, a start: what happened besides changes of values. */
export interface EventEntry extends Origin {
  readonly kind: 'event';
  readonly at: number;
  readonly event: string;
  readonly keys?: readonly string[];
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Revisions up to here may have been used: the next start continues above. */
export interface ReserveEntry {
  readonly kind: 'reserve';
  readonly rev: number;
}

/** An orderly stop: nothing was published that is not in the journal. */
export interface CleanEntry {
  readonly kind: 'clean';
  readonly rev: number;
}

export type Entry = CommitEntry | RefusedEntry | EventEntry | ReserveEntry | CleanEntry;

/** A line of a file, numbered so that one that a crash left in two places is told from two that are alike. */
export type Line = (Entry | BaseEntry) & { readonly seq: number };

/** A snapshot was begun anew (factory reset, other version): what stands before this is history only. */
export interface BaseEntry {
  readonly kind: 'base';
  readonly rev: number;
  readonly epoch: string;
}

export interface AuditChange {
  readonly key: string;
  readonly old?: unknown;
  readonly new?: unknown;
  /** Changed, but neither value is told. */
  readonly secret?: true;
}

export interface AuditRecord extends Origin {
  /** Grows with every record: where the next page of a search begins. */
  readonly seq: number;
  readonly at: number;
  readonly outcome: 'done' | 'refused' | 'event';
  readonly rev?: number;
  readonly changes?: readonly AuditChange[];
  readonly keys?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly event?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly note?: string;
  readonly request?: string;
}

/** Book-keeping entries are nobody's business and give no record. */
export function auditRecord(entry: Line): AuditRecord | undefined {
  switch (entry.kind) {
    case 'commit': {
      const { kind: _kind, set, sealed, unsaved, was, unaudited = [], ...rest } = entry;
      const told = Object.entries({ ...set, ...unsaved }).filter(([key]) => !unaudited.includes(key));
      const changes: AuditChange[] = [
        ...told.map(([key, value]) => ({ key, old: was?.[key], new: value })),
        ...Object.keys(sealed ?? {}).map((key) => ({ key, secret: true as const })),
      ];
      if (changes.length === 0) return undefined;
      return { ...rest, outcome: 'done', changes };
    }
    case 'refused': {
      const { kind: _kind, tried, ...rest } = entry;
      const changes = Object.entries(tried ?? {}).map(([key, value]) => ({ key, new: value }));
      return { ...rest, outcome: 'refused', ...(changes.length === 0 ? {} : { changes }) };
    }
    case 'event': {
      const { kind: _kind, ...rest } = entry;
      return { ...rest, outcome: 'event' };
    }
    case 'reserve':
    case 'clean':
    case 'base':
      return undefined;
  }
}
