// What a person may be allowed to do, and the four roles every server has.

/** The order is part of the wire contract: older clients store permissions as these ordinals. */
export const permissions = [
  'Device_r',
  'Device_rw',
  'Media_r',
  'Media_rw',
  'User_r',
  'User_rw',
  'Network_r',
  'Network_rw',
  'Storage_r',
  'Storage_rw',
  'System_r',
  'System_rw',
  'FirmwareUpdate_r',
  'FirmwareUpdate_rw',
  'Reboot_rw',
] as const;
export type Permission = (typeof permissions)[number];

/** Held by everybody who has logged in and by nobody else; it cannot be granted, so it is not a permission of its own. */
export const authenticated = 'Authenticated';
export type Need = Permission | typeof authenticated;

/** A set of needs as bits, so that "holds any one of them" is a single `&`. */
export type Mask = number;
export const authenticatedMask: Mask = 1 << permissions.length;
export const everythingMask: Mask = (1 << (permissions.length + 1)) - 1;

const bitOf = new Map<Need, Mask>([
  ...permissions.map((name, ordinal): [Need, Mask] => [name, 1 << ordinal]),
  [authenticated, authenticatedMask],
]);

export function maskOf(needs: Iterable<Need>): Mask {
  let mask = 0;
  for (const need of needs) mask |= bitOf.get(need) ?? 0;
  return mask;
}

export function permissionsIn(mask: Mask): Permission[] {
  return permissions.filter((_name, ordinal) => (mask & (1 << ordinal)) !== 0);
}

export function isPermission(name: string): name is Permission {
  return (permissions as readonly string[]).includes(name);
}

export const builtInRoles = {
  administrator: permissions,
  operator: ['Device_r', 'Device_rw', 'Media_r', 'Media_rw', 'Storage_r', 'System_r', 'Reboot_rw'],
  viewer: ['Device_r', 'Media_r', 'Storage_r', 'System_r'],
  guest: [],
} as const satisfies Record<string, readonly Permission[]>;
export type BuiltInRole = keyof typeof builtInRoles;

export function isBuiltInRole(name: string): name is BuiltInRole {
  return Object.hasOwn(builtInRoles, name);
}
