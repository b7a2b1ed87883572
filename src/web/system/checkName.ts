// What a check of `/readyz` is called, in the language of the page.
import { nameInWords } from '../parts/nameInWords.js';
import type { Words } from '../settings/settingWords.svelte.js';
import type { Word } from '../words.svelte.js';

const known: Readonly<Record<string, Word>> = {
  store: 'check.store',
  space: 'check.space',
  'web server': 'check.webServer',
  media: 'check.media',
  rtsp: 'check.rtsp',
  'camera/primary': 'check.primary',
  'camera/secondary': 'check.secondary',
  pipelines: 'check.pipelines',
  'pictures/stream1': 'check.stream1',
  'pictures/stream2': 'check.stream2',
};

export function checkName(name: string): Words {
  return nameInWords(name, known);
}
