// The drawing of pipelines, as far as it can be judged without eyes.
import { describe, expect, it } from 'vitest';
import { drawGraph, labelOf } from '../../src/media/drawGraph.js';
import type { GraphElement, GraphLink } from '../../src/media/messages.js';

const raw = 'video/x-raw, format=(string)NV12, width=(int)1280, height=(int)720, framerate=(fraction)30/1';

function element(name: string, more: Partial<GraphElement> = {}): GraphElement {
  return { name, factory: 'identity', state: 'PLAYING', group: '', properties: {}, ...more };
}

function link(from: number, to: number, caps = raw): GraphLink {
  return { from, to, fromPad: 'src', toPad: 'sink', caps };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boxesOf(svg: string): Box[] {
  const boxes = svg.matchAll(
    /<rect class="element" x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"/g,
  );
  return [...boxes].map(([, ...numbers]) => {
    const [x = NaN, y = NaN, width = NaN, height = NaN] = numbers.map(Number);
    return { x, y, width, height };
  });
}

function overlaps(boxes: readonly Box[]): [Box, Box][] {
  return boxes.flatMap((a, index) =>
    boxes
      .slice(index + 1)
      .filter(
        (b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
      )
      .map((b): [Box, Box] => [a, b]),
  );
}

function expectWellPlaced(svg: string, count: number): Box[] {
  const boxes = boxesOf(svg);
  expect(boxes).toHaveLength(count);
  expect(overlaps(boxes)).toEqual([]);
  const [, width = NaN, height = NaN] = (/<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg) ?? []).map(
    Number,
  );
  for (const box of boxes) {
    expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(box.y + box.height).toBeLessThanOrEqual(height);
  }
  expect(svg).not.toContain('NaN');
  return boxes;
}

describe('the drawing of a pipeline', () => {
  it('goes from left to right, with what flows on the arrows', () => {
    const names = ['src', 'convert', 'scale', 'filter', 'enc', 'parse', 'queue', 'sink'];
    const svg = drawGraph({
      elements: names.map((name) => element(name)),
      links: names.slice(1).map((_name, index) => link(index, index + 1)),
    });
    const boxes = expectWellPlaced(svg, 8);
    expect(boxes.map(({ x }) => x)).toEqual(boxes.map(({ x }) => x).toSorted((a, b) => a - b));
    expect(new Set(boxes.map(({ y }) => y)).size).toBe(1);
    for (const text of ['video/x-raw', 'NV12', '1280x720', '30 fps'])
      expect(svg).toContain(`>${text}</text>`);
    expect(svg).toContain('<title>src.src → convert.sink\nvideo/x-raw, ');
  });

  it('escapes whatever stands in names, properties and caps', () => {
    const svg = drawGraph({
      elements: [element('<script>', { properties: { text: `a & "b" 'c'\u0000` } }), element('x')],
      links: [link(0, 1, 'x/<y>&"z"')],
    });
    expect(svg).not.toMatch(/<script|<y>|&(?!(amp|lt|gt|quot|apos);)/);
    expect(svg).not.toContain('\u0000');
    expect(svg).toContain('&lt;script&gt;');
    expect(svg).toContain('text=a &amp; &quot;b&quot; &apos;c&apos;\ufffd');
  });

  it('cuts long texts and long lists, and has the whole in the title', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`property-${String(index)}`, 'long '.repeat(20)]),
    );
    const svg = drawGraph({ elements: [element('x', { properties })], links: [] });
    expect(svg).toContain('… 5 more</text>');
    expect(svg).toMatch(/property-0=long [^<]*…<\/text>/);
    expect(/<title>([^<]*)/.exec(svg)?.[1]).toContain(`property-11=${'long '.repeat(20)}`);
    expect(expectWellPlaced(svg, 1)[0]?.width).toBeLessThan(220);
  });

  it('parts at a branch, passes what it skips and joins again', () => {
    const svg = drawGraph({
      elements: ['src', 'tee', 'a', 'b', 'mix', 'clock'].map((name) => element(name)),
      links: [link(0, 1), link(1, 2), link(1, 3), link(2, 3), link(3, 4), link(1, 4), link(5, 4)],
    });
    const boxes = expectWellPlaced(svg, 6);
    // The longest way decides, and a source stands next to what it feeds.
    expect(boxes[4]?.x).toBeGreaterThan(boxes[3]?.x ?? NaN);
    expect(boxes[5]?.x).toBe(boxes[3]?.x);
  });

  it.each([
    ['a loop', [link(0, 1), link(1, 2), link(2, 1)], 1],
    ['a loop without a beginning', [link(0, 1), link(1, 2), link(2, 0)], 1],
    ['an element joined to itself', [link(0, 1), link(1, 1), link(1, 2)], 1],
  ])('leads back where there is %s', (_what, links, backward) => {
    const svg = drawGraph({ elements: ['a', 'b', 'c'].map((name) => element(name)), links });
    expectWellPlaced(svg, 3);
    expect(svg.match(/stroke-dasharray/g)).toHaveLength(backward);
    expect(svg.match(/marker-end/g)).toHaveLength(links.length);
  });

  it('keeps forty elements in nested bins apart', () => {
    const elements = Array.from({ length: 40 }, (_, index) =>
      element(`element${String(index)}`, {
        group: index % 3 === 0 ? '' : `webrtcbin/rtpbin${String(index % 3)}`,
        properties: Object.fromEntries(
          Array.from({ length: index % 7 }, (_none, at) => [`p${String(at)}`, '1']),
        ),
      }),
    );
    const links = elements
      .slice(1)
      .flatMap((_element, index) => [
        link(index >> 1, index + 1, 'application/x-rtp, media=(string)video, encoding-name=(string)H264'),
        ...(index % 5 === 0 ? [link(index, Math.min(39, index + 9), '')] : []),
        ...(index % 11 === 10 ? [link(index, index - 8)] : []),
      ]);
    expectWellPlaced(drawGraph({ elements, links }), 40);
  });

  it('is empty paper where nothing is in the pipeline', () => {
    expectWellPlaced(drawGraph({ elements: [], links: [link(0, 1)] }), 0);
  });
});

it('caps are told in short', () => {
  expect(labelOf(raw)).toEqual(['video/x-raw', 'NV12', '1280x720', '30 fps']);
  expect(labelOf('video/x-raw(memory:DMABuf), format=I420, framerate=(fraction)30000/1001')).toEqual([
    'video/x-raw(memo…',
    'I420',
    '29.97 fps',
  ]);
  expect(labelOf('application/x-rtp, encoding-name=(string)H264, clock-rate=(int)90000')).toEqual([
    'x-rtp',
    'H264',
    '90000 Hz',
  ]);
  expect(labelOf('')).toEqual([]);
});
