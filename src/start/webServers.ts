// Lets the web servers listen where the settings say, and takes a setting back that cannot be carried out.
import type { AppStore } from '../access/accounts.js';
import type { Listeners } from '../api/listeners.js';
import { systemActor } from '../store/actor.js';
import type { Cell } from '../store/cell.js';
import { reconcile, type Reconciler } from '../store/reconcile.js';
import type { Environment } from './environment.js';

const keys = ['httpServerEnabled', 'httpPort', 'httpsServerEnabled', 'httpsPort'] as const;

/** Ports given by the environment stand above the settings, which show them and cannot be changed then. */
export async function runWebServers(
  store: AppStore,
  listeners: Listeners,
  { httpPort, httpsPort, bind }: Pick<Environment, 'httpPort' | 'httpsPort' | 'bind'>,
  onFailure: (reason: string) => void,
): Promise<Reconciler> {
  const pins: Readonly<Record<string, string>> = {
    ...(httpPort === undefined ? {} : { httpPort: 'OBSCURA_HTTP_PORT' }),
    ...(httpsPort === undefined ? {} : { httpsPort: 'OBSCURA_HTTPS_PORT' }),
  };
  store.addObstacle(({ key }: Cell) => {
    const variable = pins[key];
    return variable === undefined
      ? undefined
      : { code: 'failed', key, message: `${key} is fixed by ${variable} and cannot be changed here` };
  });
  const desired = (settings: ReturnType<typeof read>) => ({
    bind,
    httpPort: settings.httpServerEnabled ? (httpPort ?? settings.httpPort) : null,
    httpsPort: settings.httpsServerEnabled ? (httpsPort ?? settings.httpsPort) : null,
  });
  const read = () => ({
    httpServerEnabled: store.get('httpServerEnabled'),
    httpPort: store.get('httpPort'),
    httpsServerEnabled: store.get('httpsServerEnabled'),
    httpsPort: store.get('httpsPort'),
  });
  // The first time there is nothing to go back to: a server that cannot listen must say so and end.
  await listeners.apply(desired(read()));
  const { http, https } = listeners.addresses;
  const shown = {
    ...(httpPort !== undefined && http !== undefined ? { httpPort: http.port } : {}),
    ...(httpsPort !== undefined && https !== undefined ? { httpsPort: https.port } : {}),
  };
  if (Object.keys(shown).length > 0)
    await store.transact(systemActor(), shown, { transient: true, note: 'fixed by the environment' });
  return reconcile({
    store,
    keys,
    desired,
    apply: (spec) => listeners.apply(spec),
    fallback: read(),
    onFailure,
  });
}
