import { say } from '../words.svelte.js';

const builtIn = ['administrator', 'operator', 'viewer', 'guest'] as const;

/** Roles that every server has are called in the language of the page, one's own as they are called. */
export function roleName(name: string): string {
  const known = builtIn.find((each) => each === name);
  return known === undefined ? name : say(`role.${known}`);
}
