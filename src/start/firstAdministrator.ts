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

/** Does nothing on a server that has accounts, as long as anybody can log in to one. */
export async function ensureAdministrator(
  store: AppStore,
  accounts: Accounts,
  factoryAccounts: NonNullable<Factory['accounts']>,
  givenPassword: string | undefined,
): Promise<FirstAccounts> {
  const actor = systemActor();
  const giveWord = (): string => {
    const problem =
      givenPassword === undefined ? undefined : passwordProblem(givenPassword, firstAdministrator);
    if (problem !== undefined)
      throw new ObscuraError('invalid', `OBSCURA_ADMIN_PASSWORD cannot be used: ${problem}`);
    return givenPassword ?? generatePassword();
  };
  const users = store.get('users');
  if (Object.keys(users).some((username) => Object.hasOwn(store.get('credentials'), username))) return {};
  if (Object.keys(users).length > 0) {
    // Passwords are sealed with the device key, and are lost with it. Whoever can take it away has the machine anyway.
    const password = giveWord();
    const account = { ...users[firstAdministrator], role: 'administrator' };
    const outcome = await store.transact(actor, {
      users: { ...users, [firstAdministrator]: account },
      userPasswords: { [firstAdministrator]: password },
    });
    if (!outcome.ok) throw new ObscuraError('failed', outcome.error.message);
    return givenPassword === undefined ? { generatedPassword: password } : {};
  }
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

  const password = giveWord();
  await accounts.createUser(actor, { username: firstAdministrator, password, role: 'administrator' });
  return givenPassword === undefined ? { generatedPassword: password } : {};
}
