// Words for those who listen to the page instead of looking at it; one place speaks them.
import { untrack } from 'svelte';

class Announcer {
  #words = $state('');

  get words(): string {
    return this.#words;
  }

  /** The same words twice in a row are heard twice. */
  announce(words: string): void {
    // Whoever announces does not want to hear of it.
    untrack(() => {
      this.#words = this.#words === words ? `${words}\u00a0` : words;
    });
  }
}

export const announcer = new Announcer();
