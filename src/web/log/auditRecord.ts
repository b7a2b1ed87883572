// What the audit tells of one thing that happened.

export interface AuditChange {
  readonly key: string;
  readonly old?: unknown;
  readonly new?: unknown;
  readonly secret?: true;
}

export interface AuditRecord {
  readonly seq: number;
  readonly at: number;
  readonly by: string;
  readonly via: string;
  readonly from?: string;
  readonly outcome: 'done' | 'refused' | 'event';
  readonly rev?: number;
  readonly changes?: readonly AuditChange[];
  readonly keys?: readonly string[];
  readonly message?: string;
  readonly event?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly note?: string;
}
