// Which figures there are, in which chart each stands, and how it is drawn: colours for those who tell them apart, and
// dashes for those who do not.
import type { Word } from '../words.svelte.js';
import type { Unit } from './units.js';

export interface Line {
  /** As the column of the history is called. */
  readonly figure: string;
  readonly title: Word;
  /** The colours are `--series-1` to `--series-3` of tokens.css. */
  readonly colour: 1 | 2 | 3;
  readonly dash: readonly number[];
  /** What stays as it is until it is changed. */
  readonly stepped?: true;
}

export interface Panel {
  readonly name: string;
  readonly title: Word;
  readonly unit: Unit;
  /** Whose decisions are marked. */
  readonly stream?: 'stream1' | 'stream2';
  readonly lines: readonly Line[];
  /** Whoever holds none of these may not know it. */
  readonly needs?: readonly string[];
}

const solid: readonly number[] = [];
const dashed = [8, 4] as const;
const dotted = [2, 3] as const;

const target = { title: 'chart.target', colour: 1, dash: dashed, stepped: true } as const;
const actual = { title: 'chart.actual', colour: 2, dash: solid } as const;
const main = { title: 'live.stream1', colour: 2, dash: solid } as const;
const second = { title: 'live.stream2', colour: 1, dash: dashed } as const;

export const panels: readonly Panel[] = [
  {
    ...{ name: 'stream1', title: 'chart.stream1', unit: 'bitrate', stream: 'stream1' },
    lines: [
      { figure: 'stream1.target', ...target },
      { figure: 'stream1.bitrate', ...actual },
      { figure: 'available', title: 'chart.available', colour: 3, dash: dotted },
    ],
  },
  {
    ...{ name: 'stream2', title: 'chart.stream2', unit: 'bitrate', stream: 'stream2' },
    lines: [
      { figure: 'stream2.target', ...target },
      { figure: 'stream2.bitrate', ...actual },
    ],
  },
  {
    ...{ name: 'loss', title: 'figure.loss', unit: 'share' },
    lines: [{ figure: 'loss', title: 'figure.loss', colour: 2, dash: solid }],
  },
  {
    ...{ name: 'delay', title: 'chart.delay', unit: 'milliseconds' },
    lines: [
      { figure: 'rtt', title: 'figure.rtt', colour: 2, dash: solid },
      { figure: 'jitter', title: 'chart.jitter', colour: 3, dash: dotted },
    ],
  },
  {
    ...{ name: 'fps', title: 'figure.fps', unit: 'framerate' },
    lines: [
      { figure: 'stream1.fps', ...main },
      { figure: 'stream2.fps', ...second },
    ],
  },
  {
    ...{ name: 'drops', title: 'chart.drops', unit: 'count' },
    lines: [{ figure: 'drops', title: 'chart.drops', colour: 2, dash: solid }],
  },
  {
    ...{ name: 'viewers', title: 'facts.viewers', unit: 'count' },
    lines: [
      { figure: 'stream1.viewers', ...main, stepped: true },
      { figure: 'stream2.viewers', ...second, stepped: true },
    ],
  },
  {
    ...{ name: 'cpu', title: 'chart.cpu', unit: 'percent', needs: ['System_r', 'System_rw'] },
    lines: [
      { figure: 'cpu.video', title: 'chart.cpuVideo', colour: 2, dash: solid },
      { figure: 'cpu.server', title: 'chart.cpuServer', colour: 1, dash: dashed },
    ],
  },
];
