// The readable document that holds all saved settings at one revision.
import { checksum } from './checksum.js';
import type { SavedCell, SavedCells } from './migrations.js';

export interface SnapshotDocument {
  readonly version: number;
  readonly epoch: string;
  readonly rev: number;
  readonly cells: SavedCells;
}

const format = 'obscura-settings';

export function snapshotText({ version, epoch, rev, cells }: SnapshotDocument): string {
  const content = { version, epoch, rev, settings: Object.fromEntries(cells) };
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
    const { version, epoch, rev, settings } = content as {
      version: number;
      epoch: string;
      rev: number;
      settings: Record<string, SavedCell>;
    };
    return { version, epoch, rev, cells: new Map(Object.entries(settings)) };
  } catch {
    return undefined;
  }
}
