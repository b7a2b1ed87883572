// Draws docs/images/adaptive-*.svg from the courses that `TRAJECTORIES=file npm run bench -- adaptive` writes:
// node scripts/plotAdaptive.mjs file
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Say which file: node scripts/plotAdaptive.mjs trajectories.json\n');
  process.exit(2);
}

const size = { width: 900, left: 60, right: 20 };
const rates = { top: 50, height: 220 };
const queues = { top: 320, height: 120 };
const total = 480;
/** Told apart in light and dark, and by the kind of line for those who see no colours. */
const looks = {
  auto: 'stroke="#2a7de1" stroke-width="2.5"',
  rotoclear: 'stroke="#c2570c" stroke-width="1.5" stroke-dasharray="7 3"',
  fixed: 'stroke="#7f8790" stroke-width="1.5" stroke-dasharray="2 3"',
  gcc: 'stroke="#2b9a4b" stroke-width="1.5" stroke-dasharray="10 3 2 3"',
};

const folder = new URL('../docs/images/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const course of JSON.parse(readFileSync(file, 'utf8'))) {
  const name = `adaptive-${course.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.svg`;
  writeFileSync(new URL(name, folder), draw(course));
  process.stdout.write(`docs/images/${name}\n`);
}

function draw({ name, second, capacity, controllers }) {
  const end = second.at(-1);
  const most = Math.max(...capacity, ...controllers.flatMap(({ target }) => target)) * 1.05;
  const longest = Math.max(100, ...controllers.flatMap(({ queueMs }) => queueMs)) * 1.05;
  const x = (at) => size.left + (at / end) * (size.width - size.left - size.right);
  const y = (area, value, top) => area.top + area.height * (1 - value / top);
  const line = (area, values, top, look) =>
    `<path d="${path(second, values, x, (value) => y(area, value, top))}" ${look}/>`;
  const parts = [
    axis(rates, 'Mbit/s', most / 1e6, 4, (value) => y(rates, value, most / 1e6)),
    axis(queues, 'queue, ms', longest, 3, (value) => y(queues, value, longest)),
    times(end, x),
    line(rates, capacity, most, 'class="capacity"'),
    ...[...controllers]
      .reverse()
      .flatMap((one) => [
        line(rates, one.target, most, looks[one.name]),
        line(queues, one.queueMs, longest, looks[one.name]),
      ]),
    legend(controllers.map((one) => one.name)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${total}" role="img" aria-label="${name}">
<style>
  text { font: 13px sans-serif; fill: #1f2328 }
  path { fill: none; stroke-linejoin: round }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .capacity { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .capacity { stroke: #e6edf3 }
  }
</style>
<text x="${size.left}" y="20">${name}</text>
${parts.join('\n')}
</svg>
`;
}

/** Only where the value changes: what stays the same needs no points. */
function path(times, values, x, y) {
  const points = [];
  for (const [index, value] of values.entries()) {
    if (index > 0 && index < values.length - 1 && value === values[index - 1] && value === values[index + 1])
      continue;
    points.push(`${x(times[index]).toFixed(1)} ${y(value).toFixed(1)}`);
  }
  return `M${points.join('L')}`;
}

function axis(area, unit, top, parts, y) {
  const rough = top / parts;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * scale).find((candidate) => candidate >= rough);
  const marks = Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
  return [
    `<text x="${size.left}" y="${area.top - 8}">${unit}</text>`,
    ...marks.map(
      (mark) =>
        `<path class="grid" d="M${size.left} ${y(mark).toFixed(1)}H${size.width - size.right}"/><text x="${size.left - 8}" y="${(y(mark) + 4).toFixed(1)}" text-anchor="end">${Number(mark.toFixed(2))}</text>`,
    ),
  ].join('\n');
}

function times(end, x) {
  const bottom = queues.top + queues.height + 20;
  return Array.from({ length: Math.floor(end / 10) + 1 }, (_, index) => index * 10)
    .map(
      (second) => `<text x="${x(second).toFixed(1)}" y="${bottom}" text-anchor="middle">${second} s</text>`,
    )
    .join('\n');
}

function legend(names) {
  const entries = [{ name: 'capacity', look: 'class="capacity"' }];
  for (const name of names) entries.push({ name, look: looks[name] });
  return entries
    .map(({ name, look }, index) => {
      const left = 420 + index * 95;
      return `<path d="M${left} 16H${left + 24}" ${look}/><text x="${left + 30}" y="20">${name}</text>`;
    })
    .join('\n');
}
