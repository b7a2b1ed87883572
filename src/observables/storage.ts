// Where recordings and photos go.
import { Type } from '@sinclair/typebox';
import { defineObservable, defineRule, Issue } from './define.js';
import { nobody, storage } from './groups.js';
import { object, path } from './schemas.js';

const bytes = Type.Integer({ minimum: 0 });

export const recordingStorage = defineObservable('recordingStorage', {
  schema: object({ primary: path, backup: path, network: path }),
  default: { primary: '', backup: '', network: '' },
  title: 'Folders for recordings',
  description: 'Where recordings are stored; an empty primary path means the data folder.',
  ...storage,
  save: true,
  effect: 'live',
});

export const storageDevices = defineObservable('storageDevices', {
  schema: Type.Array(
    object({ path, label: Type.String({ maxLength: 128 }), total: bytes, available: bytes }),
    {
      maxItems: 64,
    },
  ),
  default: [],
  title: 'Storage devices',
  description: 'File systems that are mounted.',
  read: storage.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const storageSpace = defineObservable('storageSpace', {
  schema: object({ total: bytes, available: bytes, used: bytes }),
  default: { total: 0, available: 0, used: 0 },
  title: 'Storage space',
  description: 'Space where recordings go.',
  unit: 'bytes',
  read: storage.read,
  write: nobody,
  save: false,
  effect: 'none',
});

export const netStorageEnabled = defineObservable('netStorageEnabled', {
  schema: Type.Boolean(),
  default: false,
  title: 'Network storage',
  description: 'Whether recordings go to a mounted network folder.',
  ...storage,
  save: true,
  effect: 'live',
});

export const netStoragePath = defineObservable('netStoragePath', {
  schema: path,
  default: '',
  title: 'Network folder',
  description: 'Where the network storage is mounted.',
  ...storage,
  save: true,
  effect: 'live',
});

export const networkStorageHasPath = defineRule([netStorageEnabled, netStoragePath], (enabled, folder) =>
  enabled && folder === ''
    ? new Issue('netStorageEnabled', 'Value true needs netStoragePath to be set')
    : undefined,
);
