// The key that seals secrets on disk, made once per device. It guards copies of the settings, not the machine itself.
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

const keyBytes = 32;

export interface DeviceKey {
  readonly key: Buffer;
  /** What had to be done about a damaged file, in words. */
  readonly reports: readonly string[];
}

export async function loadDeviceKey(folder: string): Promise<DeviceKey> {
  const path = join(folder, 'device.key');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const reports: string[] = [];
  const existing = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (existing?.length === keyBytes) {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      await chmod(path, 0o600);
      reports.push('The device key could be read by others on this machine; only its owner can read it now.');
    }
    return { key: existing, reports };
  }
  if (existing !== undefined) {
    await rename(path, `${path}.damaged-${String(Date.now())}`);
    reports.push(
      'The device key was damaged and was replaced: passwords and other secrets are lost and must be given anew, that of an administrator first.',
    );
  }
  const key = randomBytes(keyBytes);
  const file = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await file.writeFile(key);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return { key, reports };
}
