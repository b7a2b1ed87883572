// Which right something takes, for whoever lacks it.
import { say } from '../words.svelte.js';

/** Of several permissions any one is enough; where there is none, nobody has it but the server. */
export function needsInWords(permissions: readonly string[]): string {
  const [permission] = permissions;
  if (permission === undefined) return say('locked.nobody');
  return permissions.length === 1
    ? say('locked.needs', { permission })
    : say('locked.needsOne', { permissions: permissions.join(', ') });
}
