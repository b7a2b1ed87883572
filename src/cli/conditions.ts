// Conditions to wait for, such as `streamStats.clientCount>=1`.
import { usage } from './exit.js';

export interface Condition {
  readonly key: string;
  readonly holds: (value: unknown) => boolean;
}

const operators: Readonly<Record<string, (actual: unknown, wanted: unknown) => boolean>> = {
  '=': (actual, wanted) => actual === wanted,
  '!=': (actual, wanted) => actual !== wanted,
  '>=': (actual, wanted) => Number(actual) >= Number(wanted),
  '<=': (actual, wanted) => Number(actual) <= Number(wanted),
  '>': (actual, wanted) => Number(actual) > Number(wanted),
  '<': (actual, wanted) => Number(actual) < Number(wanted),
};

export function readCondition(text: string): Condition {
  const [, path, operator, right] = /^([A-Za-z][\w.-]*)(?:(>=|<=|!=|=|>|<)(.*))?$/s.exec(text) ?? [];
  if (path === undefined) throw usage(`"${text}" is not a condition such as streamBitrate=4000000`);
  const [key = '', ...members] = path.split('.');
  const test = operator === undefined ? undefined : operators[operator];
  const wanted = right === undefined ? undefined : literal(right);
  return {
    key,
    holds: (value) => {
      const actual = members.reduce<unknown>(memberOf, value);
      return test === undefined ? Boolean(actual) : test(actual, wanted);
    },
  };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function literal(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
