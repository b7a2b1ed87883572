// Which rows of a long list are worth being in the document: those in sight, and some around them.

/** In pixels; all rows are of one height. */
export const rowHeight = 28;
const around = 12;

export interface Window {
  readonly first: number;
  /** Not included. */
  readonly end: number;
}

export function windowOf(count: number, scrolled: number, height: number): Window {
  const first = Math.min(Math.max(0, Math.floor(scrolled / rowHeight) - around), count);
  const end = Math.min(count, Math.ceil((scrolled + height) / rowHeight) + around);
  return { first, end: Math.max(first, end) };
}
