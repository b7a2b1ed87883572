// Whether the page is dark now, by choice or as the system is, for what cannot be coloured by style alone.
import { taste } from './taste.svelte.js';

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

class Appearance {
  #systemIsDark = $state(systemIsDark.matches);

  constructor() {
    systemIsDark.addEventListener('change', ({ matches }) => (this.#systemIsDark = matches));
  }

  get isDark(): boolean {
    return taste.theme === 'system' ? this.#systemIsDark : taste.theme === 'dark';
  }
}

export const appearance = new Appearance();
