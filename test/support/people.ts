import {
  authenticatedMask,
  builtInRoles,
  maskOf,
  type Permission,
} from '../../src/observables/permissions.js';
import type { Actor } from '../../src/store/actor.js';

export function person(name: string, permissions: readonly Permission[]): Actor {
  return { name, mask: maskOf(permissions) | authenticatedMask, via: 'ws', address: '192.0.2.1' };
}

export const admin = person('admin', builtInRoles.administrator);
export const operator = person('operator', builtInRoles.operator);
export const viewer = person('viewer', builtInRoles.viewer);
export const guest = person('guest', builtInRoles.guest);
