// What the journal is told of a commit or a refusal: enough to restore the state and to answer "who changed what".
import { isDeepStrictEqual } from 'node:util';
import type { Actor } from './actor.js';
import { isComputed, type Cell } from './cell.js';
import type { Entry } from './journalEntry.js';
import type { Refusal, TransactOptions } from './outcome.js';
import type { Sight, Staged } from './staging.js';

/** Encrypts the JSON text of a sealed key's value. */
export type Seal = (key: string, json: string) => string;

interface CommitFacts {
  readonly revision: number;
  readonly at: number;
  readonly actor: Actor;
  readonly staged: Staged;
  /** How it was before, those transactions of the same batch included that came first. */
  readonly before: Sight;
  readonly options: TransactOptions;
  readonly seal: Seal | undefined;
}

/** Nothing for what the server writes about itself, unless it changes something that is saved. */
export function commitEntry(facts: CommitFacts): Entry | undefined {
  const { revision, at, actor, staged, before, options, seal } = facts;
  const set: Record<string, unknown> = {};
  const sealed: Record<string, string> = {};
  const unsaved: Record<string, unknown> = {};
  const was: Record<string, unknown> = {};
  const unaudited: string[] = [];
  const views: string[] = [];
  // Also what keeps its value but was only for the moment, and is now meant to stay.
  const settled = staged.settled.map((cell) => [cell, before.valueOf(cell)] as const);
  for (const [cell, value] of [...staged.values, ...settled]) {
    // Nothing of its own, but the name under which people may look for the change.
    if (cell.definition.kind === 'view') views.push(cell.key);
    if (isComputed(cell)) continue;
    if (cell.saved && cell.sealed) {
      if (seal === undefined) throw new Error(`${cell.key} is secret, and there is no key to seal it with`);
      sealed[cell.key] = seal(cell.key, JSON.stringify(value));
    } else if (cell.saved) {
      set[cell.key] = value;
      was[cell.key] = (before.durableOf(cell) ?? { value: before.valueOf(cell) }).value;
      if (actor.system === true && isBookKeeping(cell, was[cell.key], value)) unaudited.push(cell.key);
    } else if (actor.system !== true && !cell.sealed) {
      unsaved[cell.key] = value;
      was[cell.key] = before.valueOf(cell);
    }
  }
  if (Object.keys(set).length + Object.keys(sealed).length + Object.keys(unsaved).length === 0)
    return undefined;
  return {
    kind: 'commit',
    rev: revision,
    at,
    ...originOf(actor),
    ...optional('set', set),
    ...optional('sealed', sealed),
    ...optional('unsaved', unsaved),
    ...optional('was', was),
    ...(unaudited.length === 0 ? {} : { unaudited }),
    ...(views.length === 0 ? {} : { keys: views }),
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(options.requestId === undefined ? {} : { request: options.requestId }),
  };
}

/** Whether all that the audit would tell of is as it was. */
function isBookKeeping({ definition }: Cell, was: unknown, is: unknown): boolean {
  if (definition.kind !== 'setting' || definition.audited === undefined) return false;
  return isDeepStrictEqual(definition.audited(was), definition.audited(is));
}

/** A refused value is worth recording while it is small; a secret or a guess at an unknown key never is. */
const longestTried = 500;

export function refusedEntry(
  at: number,
  actor: Actor,
  patch: Readonly<Record<string, unknown>>,
  errors: readonly [Refusal, ...Refusal[]],
  cellOf: (key: string) => Cell | undefined,
): Entry {
  const tried: Record<string, unknown> = {};
  for (const { key } of errors) {
    const cell = key === undefined ? undefined : cellOf(key);
    if (key === undefined || cell === undefined || cell.sealed || !(key in patch)) continue;
    if (JSON.stringify(patch[key]).length <= longestTried) tried[key] = patch[key];
  }
  const [{ code, message }] = errors;
  return {
    kind: 'refused',
    at,
    ...originOf(actor),
    keys: [...new Set(errors.flatMap(({ key }) => (key === undefined ? [] : [key.slice(0, 64)])))].slice(
      0,
      20,
    ),
    code,
    message: message.slice(0, longestTried),
    ...optional('tried', tried),
  };
}

export function originOf({ name, via, address }: Actor): { by: string; via: string; from?: string } {
  return { by: name, via, ...(address === undefined ? {} : { from: address }) };
}

function optional<K extends string, V extends object>(name: K, value: V): { [N in K]?: V } {
  return Object.keys(value).length === 0 ? {} : ({ [name]: value } as { [N in K]?: V });
}
