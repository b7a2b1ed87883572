// What the gallery shows, and how it is asked for.

export interface Item {
  readonly kind: 'photo';
  readonly key: string;
  readonly takenAt: number;
  readonly source: string;
  readonly reason: string;
  readonly format: string;
  readonly size: number;
  readonly width: number;
  readonly height: number;
}

/** Days as date fields write them, `2026-11-21`; empty for any. */
export interface Filter {
  readonly from: string;
  readonly to: string;
  readonly source: string;
}

export const everything: Filter = { from: '', to: '', source: '' };

/** Whole days by the clock of whoever looks. */
export function query({ from, to, source }: Filter, limit: number): string {
  const wanted = new URLSearchParams({ limit: String(limit) });
  if (from !== '') wanted.set('since', String(new Date(`${from}T00:00:00`).getTime()));
  if (to !== '') {
    const end = new Date(`${to}T00:00:00`);
    // The next day begins 23, 24 or 25 hours later.
    end.setDate(end.getDate() + 1);
    wanted.set('before', String(end.getTime()));
  }
  if (source !== '') wanted.set('source', source);
  return wanted.toString();
}

/** A key as part of an address. */
export function pathOf(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

export function nameOf(key: string): string {
  return key.split('/').at(-1) ?? key;
}
