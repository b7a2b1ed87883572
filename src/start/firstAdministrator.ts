// The first account: there is no default password, so one is given from outside or made and shown once.
import { generatePassword, passwordProblem } from '../access/password.js';
import type { Accounts, AppStore } from '../access/accounts.js';
import { ObscuraError } from '../errors.js';
import { isPermission } from '../observables/permissions.js';
import { systemActor } from '../store/actor.js';
import type { Factory } from './factory.js';

export const firstAdministrator = 'admin';

export interface FirstAccounts {
  /** Made here and never to be seen again after it has been shown. */
  readonly generatedPassword?: string;
}

/** Does nothing on a server that has accounts. */
export async function ensureAdministrator(
  store: AppStore,
  accounts: Accounts,
  factoryAccounts: NonNullable<Factory['accounts']>,
  givenPassword: string | undefined,
): Promise<FirstAccounts> {
  if (Object.keys(store.get('users')).length > 0) return {};
  const actor = systemActor();
  // Somebody must manage accounts at every moment, so administrators come first.
  const administratorsFirst = factoryAccounts.toSorted(
    (a, b) => Number(b.role === 'administrator') - Number(a.role === 'administrator'),
  );
  for (const { username, password, role, additionalPermissions } of administratorsFirst)
    await accounts.createUser(actor, {
      username,
      password,
      role,
      additionalPermissions: additionalPermissions?.filter(isPermission),
    });
  if (Object.keys(store.get('users')).length > 0) return {};

  const problem =
    givenPassword === undefined ? undefined : passwordProblem(givenPassword, firstAdministrator);
  if (problem !== undefined)
    throw new ObscuraError('invalid', `OBSCURA_ADMIN_PASSWORD cannot be used: ${problem}`);
  const password = givenPassword ?? generatePassword();
  await accounts.createUser(actor, { username: firstAdministrator, password, role: 'administrator' });
  return givenPassword === undefined ? { generatedPassword: password } : {};
}
