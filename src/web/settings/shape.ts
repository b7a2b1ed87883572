// Which control suits a value, decided by its schema alone.
import type { ValueSchema } from './description.js';

export type Shape =
  | { readonly kind: 'switch' }
  | { readonly kind: 'choice'; readonly values: readonly (string | number)[] }
  | {
      readonly kind: 'number';
      readonly whole: boolean;
      readonly lowest: number | undefined;
      readonly highest: number | undefined;
      /** Undefined where a slider would be no help. */
      readonly slide: number | undefined;
    }
  | { readonly kind: 'text'; readonly longest: number | undefined }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, ValueSchema])[] }
  | { readonly kind: 'json' };

/** Objects within objects are written as JSON from this depth on. */
const deepest = 2;
/** Ports and the like: nobody finds a number among so many with a slider. */
const mostUnmeasured = 1000;
/** Positions that a slider has at most; the number beside it takes every value. */
const mostSteps = 200;

export function shapeOf(schema: ValueSchema, unit: string | undefined, depth = 0): Shape {
  if (schema.enum !== undefined) return { kind: 'choice', values: schema.enum };
  const constants = (schema.anyOf ?? []).map((each) => each.const);
  if (constants.length > 0 && constants.every((each) => typeof each === 'string' || typeof each === 'number'))
    return { kind: 'choice', values: constants };
  switch (schema.type) {
    case 'boolean':
      return { kind: 'switch' };
    case 'integer':
    case 'number':
      return numberShape(schema, unit);
    case 'string':
      return { kind: 'text', longest: schema.maxLength };
    case 'object':
      return schema.properties === undefined || depth >= deepest
        ? { kind: 'json' }
        : { kind: 'object', members: Object.entries(schema.properties) };
    default:
      return { kind: 'json' };
  }
}

function numberShape({ type, minimum, maximum }: ValueSchema, unit: string | undefined): Shape {
  const whole = type === 'integer';
  const span = minimum === undefined || maximum === undefined ? undefined : maximum - minimum;
  const isMeasured = span !== undefined && (unit !== undefined || span <= mostUnmeasured);
  return {
    kind: 'number',
    whole,
    lowest: minimum,
    highest: maximum,
    slide: isMeasured ? stepOf(span, whole) : undefined,
  };
}

/** The smallest of 1, 2, 5, 10, ... that does not make more positions than a hand can tell apart. */
function stepOf(span: number, whole: boolean): number {
  const least = span / mostSteps;
  const magnitude = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((each) => each * magnitude).find((each) => each >= least) ?? least;
  return whole ? Math.max(1, Math.round(step)) : step;
}

/** What may be written, in words for people; empty where everything may. */
export function rangeOf(schema: ValueSchema): {
  readonly lowest?: number;
  readonly highest?: number;
  readonly words?: string;
} {
  return {
    ...(schema.minimum === undefined ? {} : { lowest: schema.minimum }),
    ...(schema.maximum === undefined ? {} : { highest: schema.maximum }),
    ...(schema.patternText === undefined ? {} : { words: schema.patternText }),
  };
}

/** `timestampOverlay` for people: "Timestamp overlay". */
export function titleOfMember(name: string): string {
  const words = name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
