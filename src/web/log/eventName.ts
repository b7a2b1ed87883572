// What the audit calls an event, in the language of the page.
import { nameInWords } from '../parts/nameInWords.js';
import type { Words } from '../settings/settingWords.svelte.js';
import type { Word } from '../words.svelte.js';

const known: Readonly<Record<string, Word>> = {
  start: 'event.start',
  'log-in': 'event.logIn',
  'log-in refused': 'event.logInRefused',
  'set-up': 'event.setUp',
  'set-up refused': 'event.setUpRefused',
  'token made': 'event.tokenMade',
  'token revoked': 'event.tokenRevoked',
  'certificate replaced': 'event.certificateReplaced',
  'certificate made anew': 'event.certificateMade',
  'bitrate adapted': 'event.bitrateAdapted',
  'action done': 'event.actionDone',
  'action failed': 'event.actionFailed',
  'audit overflow': 'event.overflow',
};

export function eventName(event: string): Words {
  return nameInWords(event, known);
}
