// The audit as a table for spreadsheets: a line for each setting that changed.
import { csv } from '../parts/csv.js';
import type { AuditRecord } from './auditRecord.js';

const columns = ['time', 'who', 'via', 'from', 'outcome', 'setting', 'old', 'new', 'text'] as const;

export function auditCsv(records: readonly AuditRecord[]): string {
  return csv([columns, ...records.flatMap(linesOf)]);
}

function linesOf(record: AuditRecord): unknown[][] {
  const { at, by, via, from, outcome, changes = [], keys = [], event, message, note, detail } = record;
  const text = [event, message, note, detail === undefined ? undefined : JSON.stringify(detail)]
    .filter((each) => each !== undefined)
    .join('; ');
  const told = changes.length > 0 ? changes : keys.map((key) => ({ key, old: undefined, new: undefined }));
  return (told.length > 0 ? told : [{ key: '', old: undefined, new: undefined }]).map((change) => [
    new Date(at).toISOString(),
    ...[by, via, from, outcome, change.key, change.old, change.new, text],
  ]);
}
