// Disks that leave out a step which the journal takes for its safety. With a harmful one a power cut must cost something:
// otherwise either the step is needless, or the enumeration of crashes would not see a journal that forgets it.
import type { Files, OpenFile } from '../../src/store/files.js';
import type { ModelDisk } from './ModelDisk.js';

type Mutant = (disk: ModelDisk) => Files;

const nothing = async (): Promise<void> => undefined;

/** The disk itself but for some operations. */
export function diskWith(disk: ModelDisk, changes: Partial<Files>): Files {
  return {
    open: (path, mode) => disk.open(path, mode),
    read: (path) => disk.read(path),
    size: (path) => disk.size(path),
    rename: (from, to) => disk.rename(from, to),
    copy: (from, to) => disk.copy(from, to),
    remove: (path) => disk.remove(path),
    list: (folder) => disk.list(folder),
    syncFolder: (folder) => disk.syncFolder(folder),
    ...changes,
  };
}

function withFiles(change: (file: OpenFile, path: string) => Partial<OpenFile>): Mutant {
  return (disk) =>
    diskWith(disk, {
      open: async (path, mode) => {
        const file = await disk.open(path, mode);
        return { ...file, ...change(file, path) };
      },
    });
}

const isJournal = (path: string): boolean => path.endsWith('/journal.ndjson');
const isTemporary = (path: string): boolean => path.endsWith('.tmp');
const isAudit = (path: string): boolean => path.includes('/audit-');

export const harmfulMutants: Readonly<Record<string, Mutant>> = {
  'the journal is never synced': withFiles((_file, path) => (isJournal(path) ? { sync: nothing } : {})),
  'new files are not synced before they get their name': withFiles((_file, path) =>
    isTemporary(path) ? { sync: nothing } : {},
  ),
  'the audit is not synced before the journal is emptied': withFiles((_file, path) =>
    isAudit(path) ? { sync: nothing } : {},
  ),
  'the folder is never synced': (disk) => diskWith(disk, { syncFolder: nothing }),
  'the journal is emptied before anything else': (disk) =>
    diskWith(disk, {
      open: async (path, mode) => {
        if (path.endsWith('/snapshot.json.tmp')) {
          const journal = await disk.open('/data/journal.ndjson', 'append');
          await journal.truncate(0);
          await journal.sync();
        }
        return disk.open(path, mode);
      },
    }),
  'lines never arrive in the audit': (disk) =>
    diskWith(disk, {
      open: async (path, mode) => {
        const file = await disk.open(path, mode);
        return isAudit(path) ? { ...file, write: nothing } : file;
      },
    }),
  'a torn end stays in the journal': withFiles((_file, path) =>
    isJournal(path) ? { truncate: nothing } : {},
  ),
  'a write is acknowledged while it is under way': withFiles((file, path) => {
    if (!isJournal(path)) return {};
    let waiting = '';
    return {
      write: async (text) => {
        if (waiting !== '') await file.write(waiting);
        waiting = text;
      },
    };
  }),
};

/** One failing step that the older snapshot makes up for. */
export const harmlessMutants: Readonly<Record<string, Mutant>> = {
  'snapshots are written in place': (disk) =>
    diskWith(disk, {
      open: (path, mode) => disk.open(path.replace('snapshot.json.tmp', 'snapshot.json'), mode),
      rename: async (from, to) => {
        if (!from.endsWith('/snapshot.json.tmp')) await disk.rename(from, to);
      },
    }),
  'the old name is removed before the new one is given': (disk) =>
    diskWith(disk, {
      rename: async (from, to) => {
        await disk.remove(to);
        await disk.syncFolder('/data');
        await disk.rename(from, to);
      },
    }),
};
