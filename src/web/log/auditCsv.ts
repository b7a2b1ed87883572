// The audit as a table for spreadsheets (RFC 4180): a line for each setting that changed.
import type { AuditRecord } from './auditRecord.js';

const columns = ['time', 'who', 'via', 'from', 'outcome', 'setting', 'old', 'new', 'text'] as const;
/** What begins so is a formula to a spreadsheet, whoever wrote it. */
const formula = /^[=+\-@\t\r]/;

export function auditCsv(records: readonly AuditRecord[]): string {
  return [columns.join(','), ...records.flatMap(linesOf), ''].join('\r\n');
}

function linesOf(record: AuditRecord): string[] {
  const { at, by, via, from, outcome, changes = [], keys = [], event, message, note, detail } = record;
  const text = [event, message, note, detail === undefined ? undefined : JSON.stringify(detail)]
    .filter((each) => each !== undefined)
    .join('; ');
  const told = changes.length > 0 ? changes : keys.map((key) => ({ key, old: undefined, new: undefined }));
  return (told.length > 0 ? told : [{ key: '', old: undefined, new: undefined }]).map((change) =>
    [new Date(at).toISOString(), by, via, from, outcome, change.key, change.old, change.new, text]
      .map(field)
      .join(','),
  );
}

function field(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
