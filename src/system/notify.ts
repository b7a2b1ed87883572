// Tells systemd how the server is doing, where it is systemd that started it.
import { systemAddon } from './addon.js';

/** Does nothing and returns false where there is no service manager or no addon to reach it with. */
export function notifyServiceManager(state: string): boolean {
  if (process.env['NOTIFY_SOCKET'] === undefined) return false;
  return systemAddon()?.notify(state) ?? false;
}
