// The pages there are, in the order of the navigation. A new page is one more entry here.
import type { Component } from 'svelte';
import type { Desk } from './desk.svelte.js';
import Live from './live/Live.svelte';
import type { Word } from './words.svelte.js';

export interface Page {
  /** As it stands in the address. */
  readonly name: string;
  readonly title: Word;
  /** Whoever may see nothing of it does not find it in the navigation. */
  readonly isFor: (desk: Desk) => boolean;
  /** What is one's own stands in the menu of one's name. */
  readonly isOwn?: true;
  /** Those that are not seen first are fetched when somebody goes there. */
  readonly load: () => Component | Promise<Component>;
}

export const pages: readonly Page[] = [
  {
    name: 'live',
    title: 'page.live',
    isFor: (desk) => desk.may(['Media_r', 'Media_rw']),
    load: () => Live,
  },
  {
    name: 'gallery',
    title: 'page.gallery',
    isFor: (desk) => desk.may(['Media_r', 'Media_rw', 'Storage_r', 'Storage_rw']),
    load: async () => (await import('./gallery/Gallery.svelte')).default,
  },
  {
    name: 'settings',
    title: 'page.settings',
    isFor: () => true,
    load: async () => (await import('./settings/Settings.svelte')).default,
  },
  {
    name: 'streams',
    title: 'page.streams',
    isFor: (desk) => desk.may(['Media_r', 'Media_rw']),
    load: async () => (await import('./streams/Streams.svelte')).default,
  },
  {
    name: 'statistics',
    title: 'page.statistics',
    isFor: (desk) => desk.may(['Media_r', 'Media_rw']),
    load: async () => (await import('./statistics/Statistics.svelte')).default,
  },
  {
    name: 'pipelines',
    title: 'page.pipelines',
    isFor: (desk) => desk.may(['Media_r', 'Media_rw', 'System_r', 'System_rw']),
    load: async () => (await import('./pipeline/PipelinesPage.svelte')).default,
  },
  {
    name: 'presets',
    title: 'page.presets',
    isFor: (desk) => desk.may(['Media_r', 'Media_rw', 'Device_r', 'Device_rw', 'System_r', 'System_rw']),
    load: async () => (await import('./presets/Presets.svelte')).default,
  },
  {
    name: 'log',
    title: 'page.log',
    isFor: (desk) => desk.may(['System_r', 'System_rw']),
    load: async () => (await import('./log/Log.svelte')).default,
  },
  {
    name: 'system',
    title: 'page.system',
    isFor: (desk) => desk.may(['System_r', 'System_rw', 'Network_r', 'Network_rw']),
    load: async () => (await import('./system/System.svelte')).default,
  },
  {
    name: 'users',
    title: 'page.users',
    isFor: (desk) => desk.may(['User_r', 'User_rw']),
    load: async () => (await import('./people/Users.svelte')).default,
  },
  {
    name: 'account',
    title: 'page.account',
    isFor: (desk) => desk.may(['Authenticated']),
    isOwn: true,
    load: async () => (await import('./people/MyAccount.svelte')).default,
  },
];
