// The camera as guides for small camera servers have it in environment variables: the first value of the primary camera.
import type { ValueOf } from '../observables/define.js';
import type { AppRegistry } from '../observables/registry.js';
import { ObscuraError } from '../errors.js';

type Head = ValueOf<AppRegistry['cameraHeadSettings']>['primary'];

/** What the variables say of the camera; empty where none is set. */
export function cameraFrom(text: (name: string) => string | undefined): Partial<Head> {
  const enabled = switched('CAMERA_ENABLED', text('CAMERA_ENABLED'));
  const url = text('CAMERA_RTSP_URL');
  const name = text('CAMERA_DEVICE_KEY');
  return {
    ...(url === undefined ? {} : fetched(url)),
    ...(name === undefined ? {} : { name }),
    ...(enabled === false ? { source: 'none' } : {}),
  };
}

function switched(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (/^(true|on|yes|1)$/i.test(value)) return true;
  if (/^(false|off|no|0)$/i.test(value)) return false;
  throw new ObscuraError('invalid', `${name} must be true or false, not "${value}"`);
}

/** Name and password stand in such addresses; here they are kept apart, and the password sealed. */
function fetched(address: string): Partial<Head> {
  const isAddress = /^rtsps?:\/\/[^\s/]+/.test(address) && URL.canParse(address);
  if (!isAddress)
    // The address may hold a password, and is not repeated.
    throw new ObscuraError(
      'invalid',
      'CAMERA_RTSP_URL must be like rtsp://user:password@192.0.2.7:554/stream',
    );
  const { username, password } = new URL(address);
  const url = address.replace(/^(rtsps?:\/\/)[^/?#]*@/, '$1');
  return {
    ...{ source: 'rtsp', url },
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}
