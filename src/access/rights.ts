// What an account may do, as a pure function of the settings that say so: role, custom roles, permissions beyond the role.
import {
  authenticatedMask,
  builtInRoles,
  isBuiltInRole,
  maskOf,
  type Mask,
  type Permission,
} from '../observables/permissions.js';

/** Stored by name; an ordinal is what older clients send and the store turns into a name. */
type PermissionForm = Permission | number;

export interface RightsSource {
  readonly users: Readonly<
    Record<string, { readonly role: string; readonly additionalPermissions?: readonly PermissionForm[] }>
  >;
  readonly customRoles: Readonly<Record<string, { readonly permissions: readonly PermissionForm[] }>>;
}

/** Nothing for an account that does not exist; a role that does not exist gives nothing either. */
export function maskOfAccount(name: string, { users, customRoles }: RightsSource): Mask {
  const account = Object.hasOwn(users, name) ? users[name] : undefined;
  if (account === undefined) return 0;
  const extra = maskOf(named(account.additionalPermissions ?? []));
  return maskOfRole(account.role, customRoles) | extra | authenticatedMask;
}

export function maskOfRole(role: string, customRoles: RightsSource['customRoles']): Mask {
  if (isBuiltInRole(role)) return maskOf(builtInRoles[role]);
  const custom = Object.hasOwn(customRoles, role) ? customRoles[role] : undefined;
  return custom === undefined ? 0 : maskOf(named(custom.permissions));
}

function named(permissions: readonly PermissionForm[]): Permission[] {
  return permissions.filter((each) => typeof each === 'string');
}
