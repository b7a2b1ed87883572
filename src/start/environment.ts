// Reads the environment variables once, at the start, and refuses what makes no sense by name.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ObscuraError } from '../errors.js';
import { cameraFrom } from './cameraEnvironment.js';
import { longestPhotoInterval } from '../observables/photos.js';

export interface Environment {
  readonly dataFolder: string;
  /** While set, they decide where the web servers listen; 0 picks a free port. */
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  readonly bind: string;
  /** Only the first value of the setting: what people choose later wins. */
  readonly rtspPort: number | undefined;
  /** Of the primary camera, as its first values. */
  readonly camera: ReturnType<typeof cameraFrom>;
  /** Seconds between photos, as the first value of the setting. */
  readonly photoInterval: number | undefined;
  readonly factoryFile: string | undefined;
  readonly adminPassword: string | undefined;
  /** False where this server is to do without video. */
  readonly media: boolean;
  /** Of the media process, where it is not the one beside this program. */
  readonly mediaProgram?: URL;
  /** Where Linux shows the devices of the machine. */
  readonly deviceFolder: string;
  /** Run for the action `systemReboot`; without it the action is not available. */
  readonly rebootCommand: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

export function readEnvironment(variables: Variables): Environment {
  const text = (name: string): string | undefined => nonEmpty(variables[name]?.trim());
  const port = (name: string, lowest: number): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < lowest || number > 65535)
      throw new ObscuraError(
        'invalid',
        `${name} must be a port from ${String(lowest)} to 65535, not "${value}"`,
      );
    return number;
  };
  const seconds = (name: string, most: number): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number > most)
      throw new ObscuraError('invalid', `${name} must be seconds from 0 to ${String(most)}, not "${value}"`);
    return number;
  };
  const onOff = (name: string): boolean => {
    const value = text(name) ?? 'on';
    if (value !== 'on' && value !== 'off')
      throw new ObscuraError('invalid', `${name} must be on or off, not "${value}"`);
    return value === 'on';
  };
  const factoryFile = text('OBSCURA_FACTORY');
  return {
    dataFolder: resolve(text('OBSCURA_DATA') ?? 'data'),
    httpPort: port('OBSCURA_HTTP_PORT', 0),
    httpsPort: port('OBSCURA_HTTPS_PORT', 0),
    bind: text('OBSCURA_BIND') ?? '::',
    rtspPort: port('OBSCURA_RTSP_PORT', 1),
    camera: cameraFrom(text),
    // By the name that it has in the guides for cameras which people follow.
    photoInterval: seconds('CAMERA_CAPTURE_INTERVAL', longestPhotoInterval),
    factoryFile: factoryFile === undefined ? undefined : resolve(factoryFile),
    // As it is: blanks may be part of it.
    adminPassword:
      nonEmpty(variables['OBSCURA_ADMIN_PASSWORD']) ??
      credential(text('CREDENTIALS_DIRECTORY'), 'obscura-admin'),
    media: onOff('OBSCURA_MEDIA'),
    deviceFolder: resolve(text('OBSCURA_DEVICES') ?? '/dev'),
    rebootCommand: text('OBSCURA_REBOOT_COMMAND'),
  };
}

/** A secret handed over by systemd (`LoadCredential=`) as a file. */
function credential(folder: string | undefined, name: string): string | undefined {
  if (folder === undefined) return undefined;
  try {
    return nonEmpty(readFileSync(join(folder, name), 'utf8').replace(/\r?\n$/, ''));
  } catch {
    // The credential is optional: a folder without it belongs to some other credential of the unit.
    return undefined;
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
