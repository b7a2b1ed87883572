// The figures by the rules of Prometheus, and the dashboard and alerts that are made of them.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startWebServer, type WebServer } from '../support/webServer.js';

const deploy = resolve(import.meta.dirname, '../../deploy');
const read = (path: string): string => readFileSync(resolve(deploy, path), 'utf8');

interface Figure {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly string[];
}
let server: WebServer;
let figures: Map<string, Figure>;
/** Every name that a sample may have. */
let names: Set<string>;
beforeAll(async () => {
  server = await startWebServer();
  figures = figuresIn((await server.app.inject({ url: '/metrics' })).body);
  names = new Set(
    [...figures].flatMap(([name, { type }]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  );
});
afterAll(() => server.stop());

function figuresIn(text: string): Map<string, Figure> {
  const found = new Map<string, Figure>();
  for (const block of text.split('\n# HELP ')) {
    const [, name = '', help = ''] = /^(?:# HELP )?(\S+) (.*)/.exec(block) ?? [];
    const type = /^# TYPE \S+ (\S+)$/m.exec(block)?.[1] ?? '';
    // After what it is and of which type.
    const samples = block
      .split('\n')
      .slice(2)
      .filter((line) => line !== '');
    found.set(name, { type, help, samples });
  }
  return found;
}

const ours = (): (readonly [string, Figure])[] =>
  [...figures].filter(([name]) => name.startsWith('obscura_'));

/** Functions, words and labels are no figures: those have a prefix that says whose they are. */
function figuresOf(expression: string): string[] {
  return expression.match(/\b(?:obscura|process|nodejs)_[a-z0-9_]+/g) ?? [];
}

describe('the figures', () => {
  it('are there', () => {
    expect(ours().length).toBeGreaterThan(25);
    expect(ours().flatMap(([, { samples }]) => samples).length).toBeGreaterThan(25);
  });

  it('have names by the rules: one prefix, base units, `_total` for what only grows', () => {
    for (const [name, { type }] of ours()) {
      expect(name).toMatch(/^obscura_[a-z]+(?:_[a-z]+)*$/);
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(?:ms|milliseconds|bits|kilobytes|percent|minutes|count|sum|bucket)(?:_|$)/);
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });

  it('say in a sentence what they are', () => {
    for (const [name, { help }] of ours())
      expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Z0-9].{8,}\.$/)]);
  });

  it('stand in the handbook, each with its meaning, and no others do', () => {
    const text = readFileSync(resolve(deploy, '../docs/operations.md'), 'utf8');
    const described = [...text.matchAll(/^\| `(obscura_\w+)` +\| (\w+) +\| .*? +\| (.*?) +\|$/gm)];
    expect(described.map(([, ...words]) => words).toSorted()).toEqual(
      ours()
        .map(([name, { type, help }]) => [name, type, help])
        .toSorted(),
    );
  });

  it('have few labels, and none that could hold a person, an address or an id', () => {
    for (const [, { samples }] of ours())
      for (const sample of samples) {
        const labels = [...sample.matchAll(/([a-z_]+)="/g)].map(([, label = '']) => label);
        expect(labels.length).toBeLessThanOrEqual(4);
        for (const label of labels)
          expect(label).not.toMatch(/^(?:id|client|session|user|username|name|ip|address|path|url|token)$/);
      }
  });
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

describe('the dashboard', () => {
  const dashboard = JSON.parse(read('grafana/obscura.json')) as { readonly panels: readonly Panel[] };

  it('has its rows in their order, and no panel twice or without a question', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Streams', 'Viewers', 'Network', 'Adaptive bitrate', 'Settings', 'Process']);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, targets = [] } of dashboard.panels)
      expect([title, targets.length > 0]).toEqual([title, type !== 'row']);
  });

  it('asks only for figures that there are', () => {
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    for (const expression of expressions) {
      const asked = figuresOf(expression);
      expect([expression, asked.length > 0]).toEqual([expression, true]);
      expect(asked.filter((name) => !names.has(name))).toEqual([]);
    }
  });
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

describe('the alerts', () => {
  const { groups } = parse(read('prometheus/alerts.yml')) as {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  it('say what is the matter and what to do about it', () => {
    expect(rules.length).toBeGreaterThanOrEqual(6);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations, for: lasting = '0s' } of rules) {
      expect(alert).toMatch(/^Obscura[A-Z]/);
      expect(labels.severity).toMatch(/^(?:warning|critical)$/);
      expect(lasting).toMatch(/^\d+[sm]$/);
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.description).toMatch(/\.$/);
    }
  });

  it('ask only for figures that there are', () => {
    for (const { alert, expr } of rules) {
      const asked = figuresOf(expr);
      if (alert !== 'ObscuraDown') expect([alert, asked.length > 0]).toEqual([alert, true]);
      expect(asked.filter((name) => !names.has(name))).toEqual([]);
    }
  });

  it('are those that the example of a configuration loads, from where figures are', () => {
    const config = parse(read('prometheus/prometheus.yml')) as {
      readonly rule_files: readonly string[];
      readonly scrape_configs: readonly { readonly job_name: string; readonly metrics_path: string }[];
    };
    expect(config.rule_files).toEqual(['alerts.yml']);
    expect(config.scrape_configs).toMatchObject([{ job_name: 'obscura', metrics_path: '/metrics' }]);
  });
});

it('the unit is watched over for long enough that a busy moment does not end the server', () => {
  const unit = read('obscura.service');
  expect(unit).toMatch(/^Type=notify$/m);
  expect(Number(/^WatchdogSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThanOrEqual(20);
});
