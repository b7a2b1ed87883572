// Tables for spreadsheets, as RFC 4180 has them.

/** What begins so is a formula to a spreadsheet, whoever wrote it. */
const formula = /^[=+\-@\t\r]/;

export function csv(lines: readonly (readonly unknown[])[]): string {
  return lines.map((cells) => `${cells.map(field).join(',')}\r\n`).join('');
}

function field(value: unknown): string {
  if (value === undefined) return '';
  // A negative number is no formula.
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
