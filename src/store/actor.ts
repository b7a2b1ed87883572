// Who does something to the store, and by which way they came.
import { everythingMask, type Mask } from '../observables/permissions.js';

export type Via = 'ws' | 'http' | 'onvif' | 'cli' | 'system' | 'schedule' | 'adaptive' | 'reconciler';

export interface Actor {
  readonly name: string;
  /** Read afresh at every use: a change of rights counts at once, also for those who are connected. */
  readonly mask: Mask;
  readonly via: Via;
  readonly address?: string | undefined;
  /** The server itself: writes statuses, is not held up by permissions and locks. */
  readonly system?: true;
}

export function systemActor(via: Via = 'system', name = 'system'): Actor {
  return { name, mask: everythingMask, via, system: true };
}
