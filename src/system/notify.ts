// Tells systemd how the server is doing, where it is systemd that started it.
import { createRequire } from 'node:module';

interface Addon {
  notify(state: string): boolean;
}

const addonPath = '../../native/build/Release/obscura_system.node';

/** Does nothing and returns false where there is no service manager or no addon to reach it with. */
export function notifyServiceManager(state: string): boolean {
  if (process.env['NOTIFY_SOCKET'] === undefined) return false;
  try {
    const addon = createRequire(import.meta.url)(addonPath) as Addon;
    return addon.notify(state);
  } catch {
    // Built without a compiler: the server runs, only the service manager hears nothing.
    return false;
  }
}
