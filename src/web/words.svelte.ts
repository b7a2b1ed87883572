// What the page says, in the language of whoever reads it. The catalogues are words/<language>.json.
import { keep, recall } from './kept.js';
import de from './words/de.json' with { type: 'json' };
import en from './words/en.json' with { type: 'json' };

export type Word = keyof typeof en;
export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

const catalogues: Readonly<Record<Language, Readonly<Record<Word, string>>>> = { en, de };

function isLanguage(name: string | undefined): name is Language {
  return name !== undefined && Object.hasOwn(languages, name);
}

/** The first of the browser's languages that there is; it sends the same list as Accept-Language. */
export function preferredLanguage(wanted: readonly string[]): Language {
  return wanted.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en';
}

function remembered(): Language | undefined {
  const name = recall('language');
  return isLanguage(name) ? name : undefined;
}

class Speech {
  #language = $state<Language>(remembered() ?? preferredLanguage(navigator.languages));

  constructor() {
    document.documentElement.lang = this.#language;
  }

  get language(): Language {
    return this.#language;
  }

  set language(language: Language) {
    this.#language = language;
    keep('language', language);
    document.documentElement.lang = language;
  }
}

export const speech = new Speech();

/** The words for a key; `{name}` in them is replaced by the fact of that name. */
export function say(word: Word, facts: Readonly<Record<string, string | number>> = {}): string {
  return catalogues[speech.language][word].replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
    String(facts[name] ?? ''),
  );
}

/** Words that have others for one. */
type Counted = { [W in Word]: `${W}One` extends Word ? W : never }[Word];

/** The words for a count, which is the fact `count` in them: those for one are under the same key with `One`. */
export function sayCount(
  word: Counted,
  count: number,
  facts: Readonly<Record<string, string | number>> = {},
): string {
  const isOne = new Intl.PluralRules(speech.language).select(count) === 'one';
  return say(isOne ? `${word}One` : word, { ...facts, count: number(count) });
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(speech.language, { maximumFractionDigits: digits }).format(value);
}

/** A time of today, or with its date where it is older. */
export function moment(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(speech.language, {
    timeStyle: 'medium',
    ...(isToday ? {} : { dateStyle: 'medium' }),
  }).format(at);
}

export function day(at: number): string {
  return new Intl.DateTimeFormat(speech.language, { dateStyle: 'medium' }).format(at);
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Bytes as people say them. */
export function size(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return new Intl.NumberFormat(speech.language, {
    style: 'unit',
    unit: units[power] ?? 'byte',
    maximumSignificantDigits: 3,
  }).format(bytes / 1000 ** power);
}

/** A time that has passed, in its two largest parts. */
export function duration(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  const parts = [
    { unit: 'day', count: Math.floor(minutes / 1440) },
    { unit: 'hour', count: Math.floor(minutes / 60) % 24 },
    { unit: 'minute', count: minutes % 60 },
  ] as const;
  const first = parts.findIndex(({ count }) => count > 0);
  return parts
    .slice(first === -1 ? -1 : first)
    .slice(0, 2)
    .map(({ unit, count }) =>
      new Intl.NumberFormat(speech.language, { style: 'unit', unit, unitDisplay: 'long' }).format(count),
    )
    .join(' ');
}

/** bit/s as people say it. */
export function bitrate(bps: number): string {
  return bps >= 1_000_000 ? `${number(bps / 1e6, 1)} Mbit/s` : `${number(bps / 1000)} kbit/s`;
}
