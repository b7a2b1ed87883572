// Accounts and roles as the server has them now.
import { desk } from '../desk.svelte.js';
import { messageOf } from '../messageOf.js';
import type { Account, Role } from './permissions.js';

export class People {
  readonly accounts = $derived((desk.values.get('users') ?? {}) as Readonly<Record<string, Account>>);
  roles = $state.raw<readonly Role[]>([]);
  problem = $state('');

  constructor() {
    $effect(() => {
      if (desk.isCurrent) this.#ask(desk.values.get('customRoles'));
    });
  }

  #ask(_since: unknown): void {
    desk.http.get<{ readonly roles: readonly Role[] }>('/api/roles').then(
      ({ roles }) => {
        this.roles = roles;
        this.problem = '';
      },
      (error: unknown) => (this.problem = messageOf(error)),
    );
  }
}
