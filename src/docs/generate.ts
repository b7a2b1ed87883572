// Writes the documents that are made from declarations: `npm run docs`.
import { writeFileSync } from 'node:fs';
import { settingsReference } from './settingsReference.js';

writeFileSync(new URL('../../docs/settings.md', import.meta.url), settingsReference());
