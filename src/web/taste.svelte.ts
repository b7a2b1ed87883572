// How a person wants the page: light or dark, and whether single keys do things.
import { keep, recall } from './kept.js';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

class Taste {
  #theme = $state<Theme>(themes.find((theme) => theme === recall('theme')) ?? 'system');
  #shortcuts = $state(recall('shortcuts') !== 'off');
  #figures = $state(recall('figures') === 'on');

  constructor() {
    this.#show();
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    keep('theme', theme);
    this.#show();
  }

  get shortcuts(): boolean {
    return this.#shortcuts;
  }

  set shortcuts(on: boolean) {
    this.#shortcuts = on;
    keep('shortcuts', on ? 'on' : 'off');
  }

  /** Whether the figures of the stream lie over the picture. */
  get figures(): boolean {
    return this.#figures;
  }

  set figures(on: boolean) {
    this.#figures = on;
    keep('figures', on ? 'on' : 'off');
  }

  #show(): void {
    const root = document.documentElement;
    if (this.#theme === 'system') delete root.dataset['theme'];
    else root.dataset['theme'] = this.#theme;
  }
}

export const taste = new Taste();
