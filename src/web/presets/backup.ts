// A file that may be a backup: what is in it, or what is the matter with it.

export interface Backup {
  readonly format: 'obscura-backup';
  readonly formatVersion: number;
  readonly version?: string;
  readonly created?: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export type Read =
  | { readonly kind: 'backup'; readonly backup: Backup }
  | { readonly kind: 'tooLarge' | 'notJson' | 'notBackup' | 'newer' };

/** The server takes no longer body, and no backup of its own comes near. */
const largest = 256 * 1024;

export async function readBackup(file: Pick<File, 'size' | 'text'>): Promise<Read> {
  if (file.size > largest) return { kind: 'tooLarge' };
  let document: unknown;
  try {
    document = JSON.parse(await file.text());
  } catch {
    return { kind: 'notJson' };
  }
  if (!isBackup(document)) return { kind: 'notBackup' };
  return document.formatVersion > 1 ? { kind: 'newer' } : { kind: 'backup', backup: document };
}

function isBackup(document: unknown): document is Backup {
  if (typeof document !== 'object' || document === null) return false;
  const { format, formatVersion, settings } = document as Partial<Record<keyof Backup, unknown>>;
  return (
    format === 'obscura-backup' &&
    typeof formatVersion === 'number' &&
    typeof settings === 'object' &&
    settings !== null
  );
}
