// Says before a change what people would notice of it; every declaration carries what that depends on.
import { isDeepStrictEqual } from 'node:util';
import type { AnyDefinition, Effect } from '../observables/define.js';
import type { Consequence } from './outcome.js';

const inGeneral: Readonly<Record<Effect, string>> = {
  none: 'Nothing that runs is touched.',
  live: 'Takes effect at once, without a gap.',
  renegotiate: 'Viewers stay connected; the stream changes its parameters in-band.',
  rebuild: 'A pipeline is replaced; viewers stay connected and may see a gap of a few frames.',
};

export function consequenceOf(
  definition: AnyDefinition,
  before: unknown,
  after: unknown,
): Consequence | undefined {
  if (definition.kind === 'action')
    return {
      key: definition.key,
      effect: 'action',
      message: definition.consequence ?? definition.description,
    };
  if (definition.kind !== 'setting') return undefined;
  const effect = effectOf(definition.effect, definition.memberEffects, before, after);
  return { key: definition.key, effect, message: definition.consequence ?? inGeneral[effect] };
}

const byCost: readonly Effect[] = ['none', 'live', 'renegotiate', 'rebuild'];

/** Of an object's changed members, the costliest decides. */
function effectOf(
  whole: Effect,
  members: Readonly<Record<string, Effect>> | undefined,
  before: unknown,
  after: unknown,
): Effect {
  if (members === undefined || !isRecord(before) || !isRecord(after)) return whole;
  const changed = Object.keys(after).filter((name) => !isDeepStrictEqual(before[name], after[name]));
  const costs = changed.map((name) => byCost.indexOf(members[name] ?? whole));
  return byCost[Math.max(0, ...costs)] ?? whole;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
