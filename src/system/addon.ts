// The addon of the process that keeps the state.
import { createRequire } from 'node:module';

export interface SystemAddon {
  notify(state: string): boolean;
  /** Nothing where the descriptor is no TCP connection. */
  tcpConnection(descriptor: number): { readonly queuedBytes: number; readonly rttMs: number } | undefined;
}

const addonPath = '../../native/build/Release/obscura_system.node';
let loaded: SystemAddon | undefined | 'missing';

/** Nothing where the server was built without a compiler: it runs without. */
export function systemAddon(): SystemAddon | undefined {
  try {
    loaded ??= createRequire(import.meta.url)(addonPath) as SystemAddon;
  } catch {
    loaded = 'missing';
  }
  return loaded === 'missing' ? undefined : loaded;
}
