// How figures of each kind are written: for people, along an axis, and as the unit that programs are told.
import { bitrate, number } from '../words.svelte.js';

export type Unit = 'bitrate' | 'share' | 'milliseconds' | 'framerate' | 'count' | 'percent';

interface Manner {
  readonly write: (value: number) => string;
  /** What the figures of an axis are divided by, and what stands beside its title. */
  readonly scale: number;
  readonly sign: string;
  /** An axis reaches so far at least: noise must not look like trouble. */
  readonly least: number;
  /** As the server counts, which files keep. */
  readonly raw: string;
}

const manners: Readonly<Record<Unit, Manner>> = {
  bitrate: { write: bitrate, scale: 1e6, sign: 'Mbit/s', least: 200_000, raw: 'bit/s' },
  share: {
    write: (value) => `${number(value * 100, 1)} %`,
    scale: 0.01,
    sign: '%',
    least: 0.01,
    raw: '0..1',
  },
  milliseconds: { write: (value) => `${number(value, 1)} ms`, scale: 1, sign: 'ms', least: 10, raw: 'ms' },
  framerate: { write: (value) => `${number(value, 1)} fps`, scale: 1, sign: 'fps', least: 10, raw: 'fps' },
  count: { write: (value) => number(value, 1), scale: 1, sign: '', least: 4, raw: '' },
  percent: { write: (value) => `${number(value, 1)} %`, scale: 1, sign: '%', least: 10, raw: '%' },
};

export function written(value: number | null | undefined, unit: Unit): string {
  return value === null || value === undefined ? '–' : manners[unit].write(value);
}

export function alongAxis(value: number, unit: Unit): string {
  return number(value / manners[unit].scale, 2);
}

export function mannerOf(unit: Unit): Omit<Manner, 'write'> {
  return manners[unit];
}
