import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settingsReference } from '../../src/docs/settingsReference.js';
import { registry } from '../../src/observables/registry.js';

it('the committed settings reference is the one that the declarations give', () => {
  const committed = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
  expect(committed, 'run `npm run docs` and commit docs/settings.md').toBe(settingsReference());
});

it('the settings reference names every observable', () => {
  const text = settingsReference();
  for (const key of Object.keys(registry)) expect(text).toContain(`### \`${key}\``);
});
