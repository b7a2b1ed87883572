// Permissions as people see them: eight things, each of which one may look at or change.

/** In the order of the matrix. What has no `read` can only be done. */
export const domains = [
  { name: 'Device', read: 'Device_r', write: 'Device_rw' },
  { name: 'Media', read: 'Media_r', write: 'Media_rw' },
  { name: 'Storage', read: 'Storage_r', write: 'Storage_rw' },
  { name: 'System', read: 'System_r', write: 'System_rw' },
  { name: 'Network', read: 'Network_r', write: 'Network_rw' },
  { name: 'User', read: 'User_r', write: 'User_rw' },
  { name: 'FirmwareUpdate', read: 'FirmwareUpdate_r', write: 'FirmwareUpdate_rw' },
  { name: 'Reboot', read: undefined, write: 'Reboot_rw' },
] as const;
export type Domain = (typeof domains)[number];

export interface Role {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly builtIn: boolean;
}

export interface Account {
  readonly role: string;
  readonly additionalPermissions?: readonly string[];
  readonly onvif?: boolean;
  readonly created?: number;
  readonly lastLogin?: number;
}

/** Who may change something may look at it as well, and who may not look may not change. */
export function toggled(held: readonly string[], permission: string): readonly string[] {
  const domain = domains.find(({ read, write }) => read === permission || write === permission);
  const isHeld = held.includes(permission);
  const also = isHeld && permission === domain?.read ? domain.write : !isHeld ? domain?.read : undefined;
  const concerned = [permission, also].filter((each) => each !== undefined);
  return isHeld ? held.filter((each) => !concerned.includes(each)) : [...new Set([...held, ...concerned])];
}

/** What an account may do by its role and beyond it. */
export function rightsOf({ role, additionalPermissions = [] }: Account, roles: readonly Role[]): Set<string> {
  const ofRole = roles.find(({ name }) => name === role)?.permissions ?? [];
  return new Set([...ofRole, ...additionalPermissions]);
}

/** Whether nobody else could let anybody in if this account went. */
export function isLastManager(
  name: string,
  accounts: Readonly<Record<string, Account>>,
  roles: readonly Role[],
): boolean {
  const managers = Object.entries(accounts).filter(([, account]) => rightsOf(account, roles).has('User_rw'));
  return managers.length === 1 && managers[0]?.[0] === name;
}
