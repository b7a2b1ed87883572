// Who reads and writes the settings of a group, where nothing else is said.
import { authenticated, type Need } from './permissions.js';

interface Access {
  readonly read: readonly Need[];
  readonly write: readonly Need[];
}

export const device = { read: ['Device_r', 'Device_rw'], write: ['Device_rw'] } as const satisfies Access;
export const media = { read: ['Media_r', 'Media_rw'], write: ['Media_rw'] } as const satisfies Access;
export const user = { read: ['User_r', 'User_rw'], write: ['User_rw'] } as const satisfies Access;
export const network = { read: ['Network_r', 'Network_rw'], write: ['Network_rw'] } as const satisfies Access;
export const storage = { read: ['Storage_r', 'Storage_rw'], write: ['Storage_rw'] } as const satisfies Access;
export const system = { read: ['System_r', 'System_rw'], write: ['System_rw'] } as const satisfies Access;
export const firmware = {
  read: ['FirmwareUpdate_r', 'FirmwareUpdate_rw'],
  write: ['FirmwareUpdate_rw'],
} as const satisfies Access;

export const nobody = [] as const satisfies readonly Need[];
export const everybodyLoggedIn = [authenticated] as const satisfies readonly Need[];
