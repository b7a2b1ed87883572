// The kinds of figures: how they stand along an axis, and as which unit programs are told.

export type Unit = 'bitrate' | 'share' | 'milliseconds' | 'framerate' | 'count' | 'percent';

interface Manner {
  /** What the figures of an axis are divided by, and what stands beside its title. */
  readonly scale: number;
  readonly sign: string;
  /** An axis reaches so far at least: noise must not look like trouble. */
  readonly least: number;
  /** As the server counts, which files keep. */
  readonly raw: string;
}

const manners: Readonly<Record<Unit, Manner>> = {
  bitrate: { scale: 1e6, sign: 'Mbit/s', least: 200_000, raw: 'bit/s' },
  share: { scale: 0.01, sign: '%', least: 0.01, raw: '0..1' },
  milliseconds: { scale: 1, sign: 'ms', least: 10, raw: 'ms' },
  framerate: { scale: 1, sign: 'fps', least: 10, raw: 'fps' },
  count: { scale: 1, sign: '', least: 4, raw: '' },
  percent: { scale: 1, sign: '%', least: 10, raw: '%' },
};

export function mannerOf(unit: Unit): Manner {
  return manners[unit];
}
