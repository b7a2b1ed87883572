// The first account: there is no default password. It comes from the factory file or the environment; where neither says
// anything, the owner chooses it, with a code that is shown at every start until they have done so.
import type { Accounts, AppStore } from '../access/accounts.js';
import { passwordProblem } from '../access/password.js';
import { nobodyCanLogIn, type Setup } from '../access/setup.js';
import { ObscuraError } from '../errors.js';
import { isPermission } from '../observables/permissions.js';
import { systemActor } from '../store/actor.js';
import type { Factory } from './factory.js';

export const firstAdministrator = 'admin';

export interface FirstAccountOptions {
  readonly store: AppStore;
  readonly accounts: Accounts;
  readonly setup: Setup;
  readonly factoryAccounts: NonNullable<Factory['accounts']>;
  readonly givenPassword: string | undefined;
}

/** The code of the set-up, where somebody has to make the first account; undefined as soon as anybody can log in. */
export async function ensureAdministrator({
  store,
  accounts,
  setup,
  factoryAccounts,
  givenPassword,
}: FirstAccountOptions): Promise<string | undefined> {
  if (!nobodyCanLogIn(store)) return undefined;
  const actor = systemActor();
  const users = store.get('users');
  if (Object.keys(users).length === 0) {
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
    if (factoryAccounts.length > 0) return undefined;
  }
  if (givenPassword === undefined) return setup.begin();

  const problem = passwordProblem(givenPassword, firstAdministrator);
  if (problem !== undefined)
    throw new ObscuraError('invalid', `OBSCURA_ADMIN_PASSWORD cannot be used: ${problem}`);
  await setup.makeAdministrator(actor, firstAdministrator, givenPassword);
  return undefined;
}
