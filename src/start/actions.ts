// What the actions do that concern the whole server.
import { spawn } from 'node:child_process';
import type { AppStore } from '../access/accounts.js';
import { ObscuraError } from '../errors.js';
import type { Values } from '../store/store.js';
import type { AppRegistry } from '../observables/registry.js';
import { systemActor } from '../store/actor.js';

export interface ActionParts {
  readonly store: AppStore;
  readonly rebootCommand: string | undefined;
  readonly restart: () => void;
  readonly reset: () => Promise<void>;
}

export function registerActions({ store, rebootCommand, restart, reset }: ActionParts): void {
  store.onAction('restart', async () => {
    restart();
    return Promise.resolve(undefined);
  });
  store.onAction('reset', async () => {
    await reset();
  });
  store.onAction('systemReboot', async () => {
    if (rebootCommand === undefined)
      throw new ObscuraError('failed', 'systemReboot is not available: OBSCURA_REBOOT_COMMAND is not set');
    await run(rebootCommand);
  });
  store.onAction('changeTagCategory', (change) =>
    changeTagCategory(store, change as Values<AppRegistry>['changeTagCategory']),
  );
}

function run(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new ObscuraError('failed', `The reboot command ended with ${String(code)}`));
    });
  });
}

async function changeTagCategory(
  store: AppStore,
  change: Values<AppRegistry>['changeTagCategory'],
): Promise<{ readonly id: number }> {
  let id = 0;
  const outcome = await store.update(systemActor(), (get) => {
    const categories = get('categories');
    if (change.action === 'create') {
      id = get('categoryCounter');
      const { name, color } = change;
      return { categories: { ...categories, [id]: { id, name, color } }, categoryCounter: id + 1 };
    }
    id = change.id;
    const known = categories[String(id)];
    if (known === undefined)
      throw new ObscuraError('invalid', `There is no tag category ${String(id)}`, {
        key: 'changeTagCategory',
      });
    if (change.action === 'delete')
      return {
        categories: Object.fromEntries(Object.entries(categories).filter(([each]) => each !== String(id))),
      };
    const { name, color } = change;
    return {
      categories: { ...categories, [id]: { id, name: name ?? known.name, color: color ?? known.color } },
    };
  });
  if (!outcome.ok) throw new ObscuraError(outcome.error.code, outcome.error.message, outcome.error);
  return { id };
}
