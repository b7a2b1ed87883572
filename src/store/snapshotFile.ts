// The readable document that holds all saved settings at one revision.
import { checksum } from './checksum.js';
import type { SavedCell, SavedCells } from './migrations.js';

export interface SnapshotDocument {
  /** Version of the settings' schema. */
  readonly version: number;
  readonly epoch: string;
  /** Of the last commit in it: the journal's lines up to here add nothing. */
  readonly rev: number;
  /** Revisions up to here may have been used for what is not saved. */
  readonly reserved: number;
  /** Number of the last journal line in it. */
  readonly seq: number;
  /** Saved keys, those included that only another version knows. */
  readonly cells: SavedCells;
}

const format = 'obscura-settings';

export function snapshotText({ cells, ...facts }: SnapshotDocument): string {
  const content = { ...facts, settings: Object.fromEntries(cells) };
  return `${JSON.stringify({ format, checksum: checksum(JSON.stringify(content)), ...content }, null, 2)}\n`;
}

/** Undefined where the text is torn, altered or something else altogether. */
export function readSnapshot(text: string): SnapshotDocument | undefined {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== 'object' || document === null) return undefined;
    const { format: kind, checksum: sum, ...content } = document as Record<string, unknown>;
    if (kind !== format || sum !== checksum(JSON.stringify(content))) return undefined;
    // The checksum says that this program wrote it, so it has this form.
    const { version, epoch, rev, reserved, seq, settings } = content as {
      version: number;
      epoch: string;
      rev: number;
      reserved: number;
      seq: number;
      settings: Record<string, SavedCell>;
    };
    return { version, epoch, rev, reserved, seq, cells: new Map(Object.entries(settings)) };
  } catch {
    return undefined;
  }
}
