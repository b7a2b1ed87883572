// One chart on a canvas. What it shows, and the moment that is looked at, is told from outside; it takes no events.
import uPlot from 'uplot';
import type { Decision } from './decisions.js';
import { drawMarks } from './marks.js';
import type { Palette } from './palette.js';
import type { Line, Panel } from './panels.js';
import { mannerOf } from './units.js';
import { alongAxis } from './written.js';

export interface Shown {
  readonly data: uPlot.AlignedData;
  readonly since: number;
  readonly until: number;
  readonly decisions: readonly Decision[];
  readonly marked: Decision | undefined;
  readonly palette: Palette;
  readonly time: (at: number) => string;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const font = '12px system-ui, sans-serif';
const events = [
  'mousedown',
  'mouseup',
  'click',
  'dblclick',
  'mousemove',
  'mouseleave',
  'mouseenter',
] as const;
/** Of the highest figure, so that a line does not run along the edge. */
const headroom = 1.1;

export class Plot {
  readonly #chart: uPlot;
  #shown: Shown;
  #pointed: number | undefined;

  constructor(target: HTMLElement, panel: Panel, size: Size, shown: Shown) {
    this.#shown = shown;
    this.#chart = new uPlot(this.#options(panel, size), shown.data, target);
  }

  show(shown: Shown): void {
    this.#shown = shown;
    this.#chart.batch(() => {
      this.#chart.setData(shown.data, false);
      this.#chart.setScale('x', { min: shown.since / 1000, max: shown.until / 1000 });
      // The scale of what is shown may be the same although colours and words are others.
      this.#chart.redraw(true, true);
    });
    this.point(this.#pointed);
  }

  resize(size: Size): void {
    this.#chart.setSize(size);
  }

  /** The moment beneath a place on the screen. */
  timeAt(clientX: number): number {
    return this.#chart.posToVal(clientX - this.#chart.over.getBoundingClientRect().left, 'x') * 1000;
  }

  /** The moment that is looked at, wherever it stands as time goes on. */
  point(at: number | undefined): void {
    this.#pointed = at;
    const hidden = { left: -10, top: -10 };
    this.#chart.setCursor(
      at === undefined ? hidden : { left: this.#chart.valToPos(at / 1000, 'x'), top: 0 },
      false,
    );
  }

  destroy(): void {
    this.#chart.destroy();
  }

  #options({ lines, unit, stream }: Panel, size: Size): uPlot.Options {
    const axis = (): uPlot.Axis => ({
      font,
      stroke: () => this.#shown.palette.quiet,
      grid: { stroke: () => this.#shown.palette.line, width: 1 },
      ticks: { show: false },
    });
    return {
      ...size,
      // Above stand the signs of decisions, to the right half of the last time.
      padding: [stream === undefined ? 8 : 20, 32, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        bind: Object.fromEntries(events.map((name) => [name, () => null])),
        points: { size: 7, width: 2, fill: () => this.#shown.palette.surface },
      },
      scales: {
        x: { range: () => [this.#shown.since / 1000, this.#shown.until / 1000] },
        y: { range: (_chart, _least, most) => [0, Math.max(most * headroom, mannerOf(unit).least)] },
      },
      axes: [
        {
          ...axis(),
          space: 80,
          size: 28,
          values: (_chart, times) => times.map((at) => this.#shown.time(at * 1000)),
        },
        {
          ...axis(),
          space: 28,
          size: 46,
          values: (_chart, values) => values.map((value) => alongAxis(value, unit)),
        },
      ],
      series: [{}, ...lines.map((line) => this.#series(line))],
      hooks: {
        draw: [
          (chart) => {
            drawMarks(chart, this.#shown);
          },
        ],
      },
    };
  }

  #series({ colour, dash, stepped }: Line): uPlot.Series {
    const steps = stepped === true ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    return {
      stroke: () => this.#shown.palette.series[colour - 1] ?? this.#shown.palette.ink,
      width: 2,
      dash: [...dash],
      points: { show: false },
      ...(steps === undefined ? {} : { paths: steps }),
    };
  }
}
