// Draws a pipeline as SVG: a box for each element, an arrow with the caps for each link. Everything stands in attributes,
// because pages of the server forbid styles within documents, and the text is in a font of even width, so that its size
// is known without a browser.
import { layoutGraph, type Point, type Route, type Size } from './layoutGraph.js';
import type { GraphElement, GraphLink, PipelineGraph } from './messages.js';

const fontSize = 12;
const labelSize = 11;
/** Of a letter, in sizes of the font: 0.6 in the usual ones, and some air. */
const letter = 0.61;
const lineHeight = 16;
const labelLine = 13;
const padding = 8;
const longestLine = 22;
const longestLabel = 17;
const mostProperties = 8;

interface Colours {
  readonly paper: string;
  readonly ink: string;
  readonly faint: string;
  readonly line: string;
  readonly box: string;
  readonly playing: string;
  readonly other: string;
  /** The sides of boxes that stand in the same bin. */
  readonly groups: readonly string[];
}

const themes = {
  light: {
    paper: '#fafbfc',
    ink: '#1c2430',
    faint: '#5b6675',
    line: '#4a5a70',
    box: '#ffffff',
    playing: '#1f9254',
    other: '#c27803',
    groups: ['#3867d6', '#8854d0', '#0f8b8d', '#c44569', '#a05a2c', '#5f7d1e'],
  },
  dark: {
    paper: '#14191e',
    ink: '#eef2f5',
    faint: '#a9b5bf',
    line: '#93a1b0',
    box: '#1e262e',
    playing: '#5fd08f',
    other: '#f3bf6b',
    groups: ['#8fb0ff', '#c7a4f5', '#63cfd0', '#f59ab4', '#dba37c', '#b3d063'],
  },
} as const satisfies Record<string, Colours>;

export function drawGraph(
  { elements, links }: Omit<PipelineGraph, 'dot'>,
  theme: keyof typeof themes = 'light',
): string {
  const colours: Colours = themes[theme];
  const texts = elements.map(linesOf);
  const drawn = links.filter(({ from, to }) => elements[from] !== undefined && elements[to] !== undefined);
  const labels = drawn.map(({ caps }) => labelOf(caps));
  const layout = layoutGraph(
    texts.map(sizeOf),
    drawn.map(({ from, to }, index) => ({ from, to, label: sizeOfLabel(labels[index] ?? []) })),
  );
  const groups = [...new Set(elements.map(({ group }) => group).filter((group) => group !== ''))];
  const [width, height] = [String(Math.ceil(layout.width)), String(Math.ceil(layout.height))];
  const font = `font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${String(fontSize)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${font} fill="${colours.ink}">`,
    `<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="${colours.line}"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="${colours.paper}"/>`,
    ...layout.routes.map((route, index) =>
      drawLink(drawn[index], labels[index] ?? [], route, elements, colours),
    ),
    ...layout.boxes.map((box, index) =>
      drawElement(elements[index], texts[index] ?? [], box, groups, colours),
    ),
    '</svg>',
    '',
  ].join('\n');
}

type Kind = 'group' | 'name' | 'factory' | 'property';
interface Line {
  readonly kind: Kind;
  readonly text: string;
}

function linesOf({ name, factory, group, properties }: GraphElement): Line[] {
  const changed = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  const shown = changed.length > mostProperties ? changed.slice(0, mostProperties - 1) : changed;
  const more = changed.length - shown.length;
  const line = (kind: Kind, text: string): Line => ({ kind, text: cut(text, longestLine) });
  return [
    ...(group === '' ? [] : [line('group', group.slice(group.lastIndexOf('/') + 1))]),
    line('name', name),
    line('factory', factory),
    ...shown.map((text) => line('property', text)),
    ...(more === 0 ? [] : [line('property', `… ${String(more)} more`)]),
  ];
}

function sizeOf(lines: readonly Line[]): Size {
  const widths = lines.map(({ kind, text }) => {
    // The name shares its line with the light of the state.
    if (kind === 'name') return (lengthOf(text) + 2) * fontSize * letter;
    return lengthOf(text) * (kind === 'factory' ? fontSize : labelSize) * letter;
  });
  return {
    width: Math.ceil(Math.max(...widths) + 2 * padding),
    height: lines.length * lineHeight + 2 * padding,
  };
}

function sizeOfLabel(lines: readonly string[]): Size {
  return {
    width: Math.ceil(Math.max(0, ...lines.map(lengthOf)) * labelSize * letter),
    // As much above the arrow as below it, whatever of it is used.
    height: 2 * Math.ceil(lines.length / 2) * labelLine + 8,
  };
}

/** What of the caps says most: the kind of media, the form, the size and the rate. */
export function labelOf(caps: string): string[] {
  const [media = ''] = /^[^,;]*/.exec(caps) ?? [];
  const field = (key: string): string | undefined =>
    new RegExp(`[,\\s]${key}=(?:\\([^)]*\\))?("[^"]*"|[^,;]*)`).exec(caps)?.[1]?.replaceAll('"', '').trim();
  const [width, height] = [field('width'), field('height')];
  return [
    // What is of no common kind is known by its second half alone.
    media.trim().replace(/^application\//, ''),
    field('format') ?? field('encoding-name'),
    width === undefined || height === undefined ? undefined : `${width}x${height}`,
    rateOf(field('framerate'), field('rate') ?? field('clock-rate')),
  ].flatMap((text) => (text === undefined || text === '' ? [] : [cut(text, longestLabel)]));
}

function rateOf(frames: string | undefined, samples: string | undefined): string | undefined {
  if (frames === undefined) return samples === undefined ? undefined : `${samples} Hz`;
  const [count = NaN, per = 1] = frames.split('/').map(Number);
  const rate = count / per;
  return Number.isFinite(rate) ? `${String(Math.round(rate * 100) / 100)} fps` : frames;
}

function drawElement(
  element: GraphElement | undefined,
  lines: readonly Line[],
  { x, y, width, height }: Point & Size,
  groups: readonly string[],
  colours: Colours,
): string {
  if (element === undefined) return '';
  const { name, factory, state, group, properties } = element;
  const whole = [
    ...[group === '' ? name : `${group}/${name}`, factory, state],
    ...Object.entries(properties).map(([key, value]) => `${key}=${value}`),
  ];
  const side = group === '' ? colours.line : colours.groups[groups.indexOf(group) % colours.groups.length];
  const light = state === 'PLAYING' ? colours.playing : colours.other;
  const isNested = group !== '';
  const lightY = y + padding + lineHeight * (isNested ? 1.5 : 0.5);
  const style: Readonly<Record<Kind, string>> = {
    group: ` fill="${side ?? colours.line}" font-size="${String(labelSize)}"`,
    name: ' font-weight="bold"',
    factory: ` fill="${colours.faint}"`,
    property: ` font-size="${String(labelSize)}"`,
  };
  return [
    `<g>${title(whole)}`,
    `<rect class="element" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="4" fill="${colours.box}" stroke="${side ?? colours.line}"/>`,
    `<circle cx="${at(x + width - padding - 4)}" cy="${at(lightY)}" r="4" fill="${light}"/>`,
    ...lines.map(
      ({ kind, text }, index) =>
        `<text x="${at(x + padding)}" y="${at(y + padding + index * lineHeight + fontSize)}"${style[kind]}>${escape(text)}</text>`,
    ),
    '</g>',
  ].join('');
}

function drawLink(
  link: GraphLink | undefined,
  label: readonly string[],
  route: Route,
  elements: readonly GraphElement[],
  colours: Colours,
): string {
  if (link === undefined) return '';
  const end = (index: number, pad: string): string => `${elements[index]?.name ?? ''}.${pad}`;
  const whole = [`${end(link.from, link.fromPad)} → ${end(link.to, link.toPad)}`, link.caps];
  const above = Math.ceil(label.length / 2);
  const { x, y } = route.label;
  return [
    `<g>${title(whole)}`,
    `<path d="${pathOf(route)}" fill="none" stroke="${colours.line}" stroke-width="1.4"${route.isBackward ? ' stroke-dasharray="5 3"' : ''} marker-end="url(#head)"/>`,
    ...label.map((text, index) => {
      const line =
        index < above ? y - 4 - (above - 1 - index) * labelLine : y + 12 + (index - above) * labelLine;
      // The paper round the letters keeps them readable where an arrow passes.
      const halo = `stroke="${colours.paper}" stroke-width="3" paint-order="stroke"`;
      return `<text x="${at(x)}" y="${at(line)}" text-anchor="end" font-size="${String(labelSize)}" ${halo}>${escape(text)}</text>`;
    }),
    '</g>',
  ].join('');
}

/** Backward arrows have corners; the others go over from one height to the next in a curve. */
function pathOf({ points, isBackward }: Route): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let last = first;
  const steps = rest.map((point) => {
    const middle = (last.x + point.x) / 2;
    const step =
      isBackward || point.y === last.y
        ? `L${at(point.x)} ${at(point.y)}`
        : `C${at(middle)} ${at(last.y)} ${at(middle)} ${at(point.y)} ${at(point.x)} ${at(point.y)}`;
    last = point;
    return step;
  });
  return `M${at(first.x)} ${at(first.y)}${steps.join('')}`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function cut(text: string, longest: number): string {
  const letters = Array.from(text);
  return letters.length <= longest ? text : `${letters.slice(0, longest - 1).join('')}…`;
}

function title(lines: readonly string[]): string {
  return `<title>${escape(lines.filter((line) => line !== '').join('\n'))}</title>`;
}

/** Control characters have no place in XML at all, not even escaped. */
function escape(text: string): string {
  return text
    .replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}
