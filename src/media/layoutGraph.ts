// Where the boxes of a directed graph go and how its arrows run: layers from left to right by the longest path, each
// arrow with room for its label in front of where it ends.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An arrow between two boxes, by their index. */
export interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly label: Size;
}

export interface Route {
  /** Straight stretches; every second one joins two of them. */
  readonly points: readonly Point[];
  /** Goes against the direction of all others, round the outside. */
  readonly isBackward: boolean;
  /** Middle of the right side of the label. */
  readonly label: Point;
}

export interface Layout extends Size {
  readonly boxes: readonly (Point & Size)[];
  /** In the order of the arrows. */
  readonly routes: readonly Route[];
}

const margin = 20;
/** Between boxes that stand above each other. */
const spacing = 22;
/** Where arrows may bend, between two layers. */
const bend = 20;
/** From the label to the box, for the head of the arrow. */
const head = 14;
const portSpacing = 16;
const laneSpacing = 12;
const sweeps = 6;

/** A box, or the place where a long arrow passes a layer. */
interface Cell {
  readonly size: Size;
  readonly ins: Hop[];
  readonly outs: Hop[];
  layer: number;
  rank: number;
  height: number;
  y: number;
}

/** A stretch of an arrow from one layer to the next. */
interface Hop {
  readonly from: Cell;
  readonly to: Cell;
  readonly label: Size;
}

interface Column {
  readonly x: number;
  readonly right: number;
}

const none: Size = { width: 0, height: 0 };

export function layoutGraph(sizes: readonly Size[], arrows: readonly Arrow[]): Layout {
  const cells = sizes.map((size) => newCell(size, 0));
  const known = arrows.map(({ from, to, label }): Hop => {
    const [start, end] = [cells[from], cells[to]];
    if (start === undefined || end === undefined)
      throw new RangeError('An arrow joins boxes that are not there');
    return { from: start, to: end, label };
  });
  const { order, backward } = orderAlong(cells, known);
  assignLayers(
    order,
    known.filter((arrow) => !backward.has(arrow)),
  );

  const layers: Cell[][] = [];
  for (const cell of order) (layers[cell.layer] ??= []).push(cell);
  const chains = new Map(
    known.filter((arrow) => !backward.has(arrow)).map((arrow) => [arrow, chainOf(arrow, layers)]),
  );
  sortLayers(layers);
  placeRows(layers, backward.size > 0 ? portSpacing : 0);
  const columns = placeColumns(layers, backward.size > 0);

  const columnOf = (cell: Cell): Column => columns[cell.layer] ?? { x: 0, right: 0 };
  const bottom = Math.max(0, ...layers.flat().map(({ y, height }) => y + height));
  let lanesEnd = bottom;
  const routes = known.map((arrow): Route => {
    const chain = chains.get(arrow);
    if (chain !== undefined) return forwardRoute(chain, columnOf);
    const lane = lanesEnd + laneSpacing + arrow.label.height / 2;
    lanesEnd = lane + arrow.label.height / 2;
    return backwardRoute(arrow, lane, columnOf);
  });
  const right = Math.max(0, ...columns.map((column) => column.right));
  return {
    width: right + margin,
    height: lanesEnd + margin,
    boxes: cells.map((cell) => ({
      x: columnOf(cell).x,
      y: cell.y,
      width: cell.size.width,
      height: cell.height,
    })),
    routes,
  };
}

function newCell(size: Size, layer: number): Cell {
  return { size, layer, rank: 0, ins: [], outs: [], height: size.height, y: 0 };
}

/** Every box after those that lead to it, apart from the arrows that close a loop. */
function orderAlong(cells: readonly Cell[], arrows: readonly Hop[]): { order: Cell[]; backward: Set<Hop> } {
  const order: Cell[] = [];
  const backward = new Set<Hop>();
  const open = new Set<Cell>();
  const seen = new Set<Cell>();
  const visit = (cell: Cell): void => {
    seen.add(cell);
    open.add(cell);
    for (const arrow of arrows.filter(({ from }) => from === cell))
      if (open.has(arrow.to)) backward.add(arrow);
      else if (!seen.has(arrow.to)) visit(arrow.to);
    open.delete(cell);
    order.unshift(cell);
  };
  const entered = new Set(arrows.map(({ to }) => to));
  // From the sources first, so that a loop is cut where it returns and not in its middle.
  for (const cell of [...cells.filter((each) => !entered.has(each)), ...cells])
    if (!seen.has(cell)) visit(cell);
  return { order, backward };
}

function assignLayers(order: readonly Cell[], arrows: readonly Hop[]): void {
  for (const cell of order)
    for (const { to } of arrows.filter(({ from }) => from === cell))
      to.layer = Math.max(to.layer, cell.layer + 1);
  const entered = new Set(arrows.map(({ to }) => to));
  // A source stands next to what it feeds, not at the far left.
  for (const cell of order) {
    const fed = arrows.filter(({ from }) => from === cell).map(({ to }) => to.layer);
    if (!entered.has(cell) && fed.length > 0) cell.layer = Math.min(...fed) - 1;
  }
}

/** The stretches of an arrow, with a place in every layer that it passes. */
function chainOf({ from, to, label }: Hop, layers: Cell[][]): Hop[] {
  const passed: Cell[] = [];
  for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
    const cell = newCell({ width: 0, height: portSpacing }, layer);
    (layers[layer] ??= []).push(cell);
    passed.push(cell);
  }
  let last = from;
  return [...passed, to].map((next) => {
    const hop = { from: last, to: next, label: next === to ? label : none };
    last.outs.push(hop);
    next.ins.push(hop);
    last = next;
    return hop;
  });
}

/** Each box near the middle of its neighbours, so that few arrows cross. */
function sortLayers(layers: readonly Cell[][]): void {
  const number = (layer: readonly Cell[]): void => {
    for (const [rank, cell] of layer.entries()) cell.rank = rank;
  };
  const middle = (cell: Cell, neighbours: readonly Cell[]): number =>
    neighbours.length === 0
      ? cell.rank
      : neighbours.reduce((sum, { rank }) => sum + rank, 0) / neighbours.length;
  layers.forEach(number);
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const isForward = sweep % 2 === 0;
    for (const layer of isForward ? layers : layers.toReversed()) {
      const wish = new Map(
        layer.map((cell) => [
          cell,
          middle(cell, isForward ? cell.ins.map(({ from }) => from) : cell.outs.map(({ to }) => to)),
        ]),
      );
      layer.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
      number(layer);
    }
  }
  for (const cell of layers.flat()) {
    cell.ins.sort((a, b) => a.from.rank - b.from.rank);
    cell.outs.sort((a, b) => a.to.rank - b.to.rank);
  }
}

function placeRows(layers: readonly Cell[][], reserve: number): void {
  let top = Infinity;
  for (const layer of layers) {
    let free = -Infinity;
    for (const cell of layer) {
      const labels = Math.max(0, ...cell.ins.map(({ label }) => label.height));
      // One arrow may have its label stick out, several need a place each.
      const entries = cell.ins.length > 1 ? cell.ins.length * Math.max(labels, portSpacing) : 0;
      cell.height = Math.max(cell.size.height, entries, cell.outs.length * portSpacing + reserve);
      const sources = cell.ins.map((hop) => portOf(hop.from, hop.from.outs, hop));
      const wish = sources.reduce((sum, y) => sum + y, 0) / sources.length - cell.height / 2;
      const overhang = Math.max(0, (labels - cell.height) / 2);
      cell.y = Math.max(free + overhang, sources.length === 0 ? 0 : Math.round(wish));
      free = cell.y + cell.height + overhang + spacing;
      top = Math.min(top, cell.y - overhang);
    }
  }
  for (const cell of layers.flat()) cell.y += margin - top;
}

function placeColumns(layers: readonly Cell[][], hasLanes: boolean): Column[] {
  const columns: Column[] = [];
  let right = hasLanes ? bend - margin : 0;
  for (const layer of layers) {
    const labels = Math.max(0, ...layer.flatMap(({ ins }) => ins.map(({ label }) => label.width)));
    const x = right + (columns.length === 0 ? margin : bend + labels + head);
    right = x + Math.max(...layer.map(({ size }) => size.width));
    columns.push({ x, right });
  }
  return columns;
}

function portOf(cell: Cell, hops: readonly Hop[], hop: Hop): number {
  return cell.y + (cell.height * (hops.indexOf(hop) + 0.5)) / hops.length;
}

function forwardRoute(chain: readonly Hop[], columnOf: (cell: Cell) => Column): Route {
  const points: Point[] = [];
  let label: Point = { x: 0, y: 0 };
  for (const hop of chain) {
    const [start, end] = [columnOf(hop.from), columnOf(hop.to)];
    const leave = portOf(hop.from, hop.from.outs, hop);
    const arrive = portOf(hop.to, hop.to.ins, hop);
    if (points.length === 0) points.push({ x: start.x + hop.from.size.width, y: leave });
    points.push({ x: start.right, y: leave }, { x: start.right + bend, y: arrive });
    label = { x: end.x - head, y: arrive };
  }
  const last = chain.at(-1);
  if (last !== undefined) points.push({ x: columnOf(last.to).x, y: label.y });
  return { points, isBackward: false, label };
}

function backwardRoute({ from, to }: Hop, lane: number, columnOf: (cell: Cell) => Column): Route {
  const [start, end] = [columnOf(from), columnOf(to)];
  const [leave, arrive] = [from.y + from.height - 6, to.y + to.height - 6];
  const [out, back] = [start.right + 8, end.x - head / 2 - 2];
  return {
    points: [
      { x: start.x + from.size.width, y: leave },
      { x: out, y: leave },
      { x: out, y: lane },
      { x: back, y: lane },
      { x: back, y: arrive },
      { x: end.x, y: arrive },
    ],
    isBackward: true,
    label: { x: out - 8, y: lane },
  };
}
