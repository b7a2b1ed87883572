// What settings are called, in the language of whoever reads. The server's declarations carry English; what it is in
// another language is fetched once somebody reads in it. A test finds what is missing there.
import { speech, type Language } from '../words.svelte.js';
import type { Description } from './description.js';
import type { Group } from './groups.js';
import { titleOfMember } from './shape.js';

interface Catalogue {
  readonly groups: Readonly<Record<string, string>>;
  /** Of values that are made of several. */
  readonly members: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, { readonly title: string; readonly help: string }>>;
}

export interface Words {
  readonly text: string;
  /** Where it is not the language of the page. */
  readonly lang: 'en' | undefined;
}

const others: Readonly<Partial<Record<Language, () => Promise<{ readonly default: Catalogue }>>>> = {
  de: () => import('./words/de.json'),
};

class SettingWords {
  #known = $state.raw<Readonly<Partial<Record<Language, Catalogue>>>>({});

  /** To be called while settings are shown, again with every language. Until it is done they are in English. */
  async load(language: Language): Promise<void> {
    const fetched = await others[language]?.();
    if (fetched !== undefined) this.#known = { ...this.#known, [language]: fetched.default };
  }

  title(key: string, { title }: Description): Words {
    return this.#or(title, this.#catalogue?.settings[key]?.title);
  }

  help(key: string, { description }: Description): Words {
    return this.#or(description, this.#catalogue?.settings[key]?.help);
  }

  group({ name, title }: Pick<Group, 'name' | 'title'>): Words {
    return this.#or(title, this.#catalogue?.groups[name]);
  }

  member(name: string): Words {
    return this.#or(titleOfMember(name), this.#catalogue?.members[name]);
  }

  /** Everything by which somebody may look for a setting: many know the English names as well. */
  all(key: string, description: Description): readonly string[] {
    const texts = [this.title(key, description).text, this.help(key, description).text];
    return [description.title, description.description, ...texts];
  }

  get #catalogue(): Catalogue | undefined {
    return this.#known[speech.language];
  }

  #or(english: string, translated: string | undefined): Words {
    if (translated !== undefined) return { text: translated, lang: undefined };
    return { text: english, lang: speech.language === 'en' ? undefined : 'en' };
  }
}

export const settingWords = new SettingWords();

/** For a component that shows settings: fetches what they are called, and again with every language. */
export function fetchSettingWords(): void {
  $effect(() => void settingWords.load(speech.language).catch(() => undefined));
}
