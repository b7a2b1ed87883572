// The adaptive loop on virtual links, beside the law of the reference product, a fixed bitrate and the congestion control of
// browsers, in the same simulator. TRAJECTORIES names a file that gets the courses of some scenarios for
// scripts/plotAdaptive.mjs. Everything is in link time, so it says the same on every machine.
import { writeFile } from 'node:fs/promises';
import type { AdaptiveSettings } from '../src/adaptive/decisions.js';
import { auto, controllers, reference } from '../src/adaptive/simulator/controllers.js';
import { capacityAt } from '../src/adaptive/simulator/link.js';
import {
  deliveredBits,
  drainSeconds,
  lowersSeconds,
  measure,
  returnSeconds,
  type Measures,
} from '../src/adaptive/simulator/measures.js';
import type { Controller, Scenario } from '../src/adaptive/simulator/scenario.js';
import {
  cameraStep,
  crowds,
  fiveAlone,
  heldOut,
  otherViewers,
  practice,
  tuning,
  variableCapacity,
} from '../src/adaptive/simulator/scenarios.js';
import { simulate, type Run } from '../src/adaptive/simulator/simulate.js';
import { tell } from './lab.js';

const seeds = [1, 2, 3, 4, 5];
const policies: readonly AdaptiveSettings['policy'][] = ['worst', 'majority', 'percentile'];
const plotted = [
  cameraStep,
  variableCapacity,
  ...tuning.filter(({ name }) => name.includes('token bucket of 16')),
];

export async function benchAdaptive(): Promise<void> {
  const columns = [
    'controller',
    'utilisation',
    'queue p50/p95',
    'dropped',
    'freeze',
    'reversals/min',
    'steps',
  ];
  tell(`| scenario | ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length + 1)}`);
  for (const scenario of tuning) for (const controller of controllers) tellOne(scenario, controller);
  for (const scenario of otherViewers)
    for (const controller of [auto, reference]) tellOne(scenario, controller);
  for (const [name, scenarios] of [
    ['20 random links, used for tuning', practice],
    ['20 random links, held out', heldOut],
  ] as const)
    for (const controller of controllers) {
      const runs = scenarios.map((scenario) => simulate(scenario, controller));
      tellRow(name, controller, runs, '');
    }
  tellCrowds();
  const file = process.env['TRAJECTORIES'];
  if (file !== undefined) await writeFile(file, JSON.stringify(plotted.map(trajectory)));
}

function tellOne(scenario: Scenario, controller: Controller): void {
  const runs = seeds.map((seed) => simulate({ ...scenario, seed }, controller));
  tellRow(scenario.name, controller, runs, steps(scenario, runs));
}

function tellRow(name: string, controller: Controller, runs: readonly Run[], about: string): void {
  const measured = runs.map((run) => measure(run));
  const mean = (key: keyof Measures): number =>
    measured.reduce((sum, measures) => sum + measures[key], 0) / measured.length;
  const cells = [
    `${(mean('utilisation') * 100).toFixed(1)} %`,
    `${mean('queueMedianMs').toFixed(0)}/${mean('queue95Ms').toFixed(0)} ms`,
    `${(mean('dropped') * 100).toFixed(2)} %`,
    `${mean('freezeSeconds').toFixed(1)} s`,
    mean('reversalsPerMinute').toFixed(1),
    about,
  ];
  tell(`| ${name} | ${controller.name} | ${cells.join(' | ')} |`);
}

/** How soon the target follows each change of a capacity that changes a few times. */
function steps({ links, viewers }: Scenario, runs: readonly Run[]): string {
  const capacity = links[0]?.capacity ?? [];
  if (capacity.length > 5 || viewers[0]?.feedback.kind === 'socket') return '';
  return capacity
    .slice(1)
    .map(([second, bps], index) => {
      const drops = bps < (capacity[index]?.[1] ?? 0);
      const words = drops
        ? `drained ${median(runs.map((run) => drainSeconds(run, second)))}, below it ${median(runs.map((run) => lowersSeconds(run, second)))}`
        : `90 % ${median(runs.map((run) => returnSeconds(run, second, 0.9, 60) ?? Infinity))}`;
      return `at ${String(second)} s: ${words}`;
    })
    .join('; ');
}

function median(values: readonly number[]): string {
  const value = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;
  return Number.isFinite(value) ? `${value.toFixed(1)} s` : 'never';
}

function tellCrowds(): void {
  tell(
    '\n| viewers | policy | Mbit/s of each | % unplayable of each | moves |\n| --- | --- | --- | --- | --- |',
  );
  for (const scenario of [fiveAlone, ...crowds])
    for (const policy of policies) {
      const settings = { ...scenario.settings, policy };
      const run = simulate({ ...scenario, settings }, auto);
      const { seconds } = scenario;
      const rates = run.viewers.map((viewer) => deliveredBits(viewer, 0, seconds * 1000) / seconds / 1e6);
      const unplayable = run.viewers.map((viewer) => measure(run, viewer).unplayable * 100);
      const moves = run.viewers.reduce((sum, viewer) => sum + viewer.moves.length, 0);
      const cells = [rates.map((rate) => rate.toFixed(2)), unplayable.map((share) => share.toFixed(0))];
      tell(
        `| ${scenario.name} | ${policy} | ${cells.map((cell) => cell.join(' ')).join(' | ')} | ${String(moves)} |`,
      );
    }
}

interface Trajectory {
  readonly name: string;
  readonly second: readonly number[];
  readonly capacity: readonly number[];
  readonly controllers: readonly {
    readonly name: string;
    readonly target: readonly number[];
    readonly queueMs: readonly number[];
  }[];
}

function trajectory(scenario: Scenario): Trajectory {
  const runs = controllers.map((controller) => ({ controller, run: simulate(scenario, controller) }));
  const { at } = runs[0]?.run.streams.stream1 ?? { at: { length: 0, at: () => 0 } };
  const times = Array.from({ length: at.length }, (_, step) => at.at(step));
  return {
    name: scenario.name,
    second: times.map((time) => time / 1000),
    capacity: times.map((time) => capacityAt(scenario.links[0]?.capacity ?? [], time)),
    controllers: runs.map(({ controller, run }) => ({
      name: controller.name,
      target: times.map((_, step) => run.streams.stream1.target.at(step)),
      queueMs: standingQueue(run, times),
    })),
  };
}

/** The least wait of what was sent in each step; where nothing was, that of the step before. */
function standingQueue(run: Run, times: readonly number[]): readonly number[] {
  const least = times.map(() => Infinity);
  const flow = run.viewers[0]?.flow;
  const step = (times[1] ?? 100) - (times[0] ?? 0);
  for (let packet = 0; flow !== undefined && packet < flow.sentAt.length; packet += 1) {
    const place = Math.floor(flow.sentAt.at(packet) / step);
    const wait = flow.waited.at(packet);
    if (!Number.isNaN(wait) && place < least.length) least[place] = Math.min(least[place] ?? Infinity, wait);
  }
  let last = 0;
  return least.map((wait) => {
    if (Number.isFinite(wait)) last = wait;
    return Math.round(last);
  });
}
