// What is drawn into the picture, as properties of the element that draws it.
import type { MediaSettings } from './settings.js';

/** Of the names that web pages know, those that people use for text. */
const colours: Readonly<Record<string, number>> = {
  white: 0xff_ff_ff,
  silver: 0xc0_c0_c0,
  gray: 0x80_80_80,
  grey: 0x80_80_80,
  black: 0x00_00_00,
  red: 0xff_00_00,
  maroon: 0x80_00_00,
  orange: 0xff_a5_00,
  yellow: 0xff_ff_00,
  olive: 0x80_80_00,
  lime: 0x00_ff_00,
  green: 0x00_80_00,
  cyan: 0x00_ff_ff,
  aqua: 0x00_ff_ff,
  teal: 0x00_80_80,
  blue: 0x00_00_ff,
  navy: 0x00_00_80,
  magenta: 0xff_00_ff,
  fuchsia: 0xff_00_ff,
  purple: 0x80_00_80,
};

/** The whole row, with its margins, is not wider than the picture. */
const cellsAcross = 80;

export function overlayProperties(
  {
    timestampOverlay,
    timeBlock,
    timezone,
  }: Pick<MediaSettings, 'timestampOverlay' | 'timeBlock' | 'timezone'>,
  width: number,
): Record<string, string> {
  const { enabled, position, format, fontSize, color, background } = timestampOverlay;
  const rgb = color.startsWith('#') ? Number.parseInt(color.slice(1), 16) : (colours[color] ?? 0xff_ff_ff);
  return {
    'time.text': String(enabled),
    'time.position': position,
    // What cannot be drawn is left empty; quotes and backslashes would also end the text in a launch line.
    'time.format': format.replaceAll(/[^\w\-:.+/,()' ]/g, ' '),
    'time.size': String(fontSize),
    'time.colour': String(rgb),
    'time.background': background,
    'time.time-zone': timezone,
    'time.block': String(timeBlock ? timeBlockCell(width) : 0),
  };
}

/** Pixels of a cell in a picture of this width. */
export function timeBlockCell(width: number): number {
  return Math.max(2, Math.floor(width / cellsAcross / 2) * 2);
}
