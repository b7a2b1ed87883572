import { describe, expect, it } from 'vitest';
import { auto, fixed, reference } from '../../src/adaptive/simulator/controllers.js';
import {
  drainSeconds,
  lowersSeconds,
  measure,
  returnSeconds,
  type Measures,
} from '../../src/adaptive/simulator/measures.js';
import type { Controller, Scenario } from '../../src/adaptive/simulator/scenario.js';
import {
  cameraStep,
  otherViewers,
  tuning,
  variableCapacity,
} from '../../src/adaptive/simulator/scenarios.js';
import { simulate, type Run } from '../../src/adaptive/simulator/simulate.js';

const seeds = [1, 2];

function called(name: string): Scenario {
  const found = [...tuning, ...otherViewers].find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}`);
  return found;
}

function runsOf(scenario: Scenario, controller: Controller = auto): readonly Run[] {
  return seeds.map((seed) => simulate({ ...scenario, seed }, controller));
}

/** What several tests ask about; nothing changes a run afterwards. */
const cameraRuns = new Map<Controller, readonly Run[]>();

function runsOfCamera(controller: Controller = auto): readonly Run[] {
  const runs = cameraRuns.get(controller) ?? runsOf(cameraStep, controller);
  cameraRuns.set(controller, runs);
  return runs;
}

function mean<Of>(all: readonly Of[], value: (one: Of) => number): number {
  return all.reduce((sum, one) => sum + value(one), 0) / all.length;
}

const allMeasures = new WeakMap<Run, Measures>();

function measured(run: Run): Measures {
  const measures = allMeasures.get(run) ?? measure(run);
  allMeasures.set(run, measures);
  return measures;
}

const utilisation = (run: Run): number => measured(run).utilisation;
const queue95 = (run: Run): number => measured(run).queue95Ms;
const unplayable = (run: Run): number => measured(run).unplayable;
const freezeSeconds = (run: Run): number => measured(run).freezeSeconds;

describe('one viewer on a link', () => {
  it('gets most of 8-2-8 Mbit/s, with a short queue', () => {
    const runs = runsOfCamera();
    expect(mean(runs, utilisation)).toBeGreaterThan(0.9);
    expect(mean(runs, queue95)).toBeLessThan(60);
    expect(mean(runs, (run) => drainSeconds(run, 30))).toBeLessThanOrEqual(0.8);
    expect(mean(runs, freezeSeconds)).toBeLessThan(1.1);
    expect(mean(runs, (run) => lowersSeconds(run, 30))).toBeLessThanOrEqual(0.6);
    expect(mean(runs, (run) => returnSeconds(run, 60, 0.9, 30) ?? 99)).toBeLessThanOrEqual(3.3);
  });

  it('is better off than with a fixed bitrate and with the law of the reference', () => {
    const runs = runsOfCamera();
    expect(mean(runs, queue95)).toBeLessThan(mean(runsOfCamera(fixed), queue95));
    expect(mean(runs, utilisation)).toBeGreaterThan(mean(runsOfCamera(reference), utilisation));
    for (const other of [fixed, reference]) {
      const others = runsOfCamera(other);
      expect(mean(runs, (run) => drainSeconds(run, 30))).toBeLessThan(
        mean(others, (run) => drainSeconds(run, 30)),
      );
      expect(mean(runs, unplayable)).toBeLessThan(mean(others, unplayable));
    }
  });

  it('follows the capacity of RFC 8867 5.1', () => {
    const runs = runsOf(variableCapacity);
    expect(mean(runs, utilisation)).toBeGreaterThan(0.86);
    expect(mean(runs, queue95)).toBeLessThan(80);
    expect(mean(runs, (run) => drainSeconds(run, 60))).toBeLessThanOrEqual(1.5);
  });

  it.each([
    { name: 'steady 4 Mbit/s', least: 0.92, queue: 60, reversals: 0.5 },
    { name: 'steady 4 Mbit/s, 30 ms of jitter', least: 0.9, queue: 70, reversals: 3 },
    { name: '1 % random loss', least: 0.91, queue: 65, reversals: 2 },
    { name: '5 % random loss', least: 0.9, queue: 115, reversals: 12 },
    { name: '6 % random loss', least: 0.89, queue: 110, reversals: 12 },
    { name: 'loss in bursts', least: 0.91, queue: 65, reversals: 2 },
    { name: 'a queue of 50 ms', least: 0.9, queue: 45, reversals: 15 },
    { name: 'Wi-Fi, 3 to 9 Mbit/s', least: 0.48, queue: 190, reversals: 25 },
    { name: 'Wi-Fi, bunches of 20 ms, 8-2-8 Mbit/s', least: 0.84, queue: 85, reversals: 9 },
    { name: 'token bucket of 16 kB, 8-2-8 Mbit/s', least: 0.82, queue: 125, reversals: 19 },
    { name: 'token bucket of 64 kB, 8-2-8 Mbit/s', least: 0.82, queue: 105, reversals: 16 },
    { name: 'a fifth of the feedback lost, 8-2-8 Mbit/s', least: 0.85, queue: 70, reversals: 7 },
    { name: 'feedback late by 300 ms at times', least: 0.86, queue: 70, reversals: 4 },
    { name: 'way of 100 ms, 8-2-8 Mbit/s', least: 0.87, queue: 70, reversals: 3 },
    { name: 'RFC 8867 5.7, beside short TCP flows', least: 0.83, queue: 130, reversals: 12 },
    { name: 'begins at 8 Mbit/s on 1 Mbit/s', least: 0.88, queue: 110, reversals: 3 },
  ])('uses $least of the link: $name', ({ name, least, queue, reversals }) => {
    const from = name.startsWith('begins') ? 5 : 0;
    const runs = runsOf(called(name));
    const measures = runs.map((run) => measure(run, undefined, from));
    expect(mean(measures, (each) => each.utilisation)).toBeGreaterThan(least);
    expect(mean(measures, (each) => each.queue95Ms)).toBeLessThan(queue);
    expect(mean(measures, (each) => each.reversalsPerMinute)).toBeLessThanOrEqual(reversals);
  });

  it('shares a link with a TCP flow, and starves neither itself nor that', () => {
    const [run] = runsOf(called('beside a TCP flow, 4 Mbit/s'));
    if (run === undefined) throw new Error('Nothing ran');
    const tcpBps = ((run.competitors[0]?.delivered() ?? 0) * 8) / 80;
    expect(tcpBps).toBeGreaterThan(1_200_000);
    const { target, at } = run.streams.stream1;
    const during: number[] = [];
    for (let step = 0; step < at.length; step += 1)
      if (at.at(step) > 30_000 && at.at(step) < 100_000) during.push(target.at(step));
    expect(during.reduce((sum, value) => sum + value, 0) / during.length).toBeGreaterThan(1_000_000);
  });

  it('does not take a scene in which nothing moves for a narrow link, nor for a wide one', () => {
    const run = simulate(called('nothing moves for 20 s'), auto);
    const { target } = run.streams.stream1;
    const [before, during] = [target.at(199), target.at(395)];
    expect(during).toBeGreaterThan(0.9 * before);
    expect(during).toBeLessThan(1.1 * before);
    expect(measure(run).dropped).toBeLessThan(0.002);
  });

  it('returns soon after a pause', () => {
    const [played, paused] = [runsOfCamera(), runsOf(called('paused for 5 s'))];
    expect(mean(paused, utilisation)).toBeGreaterThan(0.93 * mean(played, utilisation));
  });
});

describe('one viewer of another kind', () => {
  it.each([
    { name: 'reports every second, 8-2-8 Mbit/s', drained: 2, least: 0.6 },
    { name: 'reports as ffmpeg does, 8-2-8 Mbit/s', drained: 7, least: 0.6 },
    { name: 'reports every 5 s, 8-2-8 Mbit/s', drained: 7, least: 0.6 },
  ])('drains its queue within $drained s: $name', ({ name, drained, least }) => {
    const runs = runsOf(called(name));
    expect(mean(runs, (run) => drainSeconds(run, 50))).toBeLessThanOrEqual(drained);
    expect(mean(runs, utilisation)).toBeGreaterThan(least);
    expect(mean(runs, unplayable)).toBeLessThan(0.06);
  });

  it('keeps up over TCP', () => {
    const runs = runsOf(called('over TCP, 8-2-8 Mbit/s'));
    expect(mean(runs, (run) => lowersSeconds(run, 50))).toBeLessThanOrEqual(1.2);
    expect(mean(runs, (run) => returnSeconds(run, 100, 0.8, 50) ?? 99)).toBeLessThanOrEqual(20);
    expect(mean(runs, unplayable)).toBeLessThan(0.03);
    expect(mean(runs, freezeSeconds)).toBeLessThan(2);
  });
});
