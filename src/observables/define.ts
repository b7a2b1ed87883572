// The shape of one declaration. Everything the product knows about a setting is written here once:
// validation, permissions, persistence, the wire protocols, the documentation and the web control follow from it.
import type { Static, TSchema } from '@sinclair/typebox';
import type { Need } from './permissions.js';

/** What applying a change costs: nothing, a live tweak, new stream parameters in-band, or a replaced pipeline. Viewers stay in every case. */
export type Effect = 'none' | 'live' | 'renegotiate' | 'rebuild';

/** A name that control clients of the reference product use instead of the key, and how a value looks under it. */
export interface Legacy<Value> {
  readonly name: string;
  /** Further spellings that are understood but never sent. */
  readonly also?: readonly string[];
  readonly toWire?: (value: Value) => unknown;
  /** Turns what the client sent into the key's own value; what it cannot read it returns as it came, and the schema refuses it. */
  readonly fromWire?: (wire: unknown, current: Value) => unknown;
}

interface Common<S extends TSchema> {
  readonly schema: S;
  readonly title: string;
  readonly description: string;
  readonly unit?: string;
  /** Holding any one suffices; empty means nobody. */
  readonly read: readonly Need[];
  readonly legacy?: Legacy<Static<S>>;
}

/** What a reader sees in place of the stored value. */
export type Redact<Value> = (value: Value) => unknown;

export interface SettingOptions<S extends TSchema> extends Common<S> {
  readonly default: NoInfer<Static<S>>;
  readonly write: readonly Need[];
  /** Survives a restart. */
  readonly save: boolean;
  readonly effect: Effect;
  /** Where members of an object differ in what they cost. */
  readonly memberEffects?: Readonly<Record<string, Effect>>;
  /** What people notice when it changes, for the answer to a dry run; without it the effect is described in general words. */
  readonly consequence?: string;
  /** Survives a factory reset too. */
  readonly survivesReset?: true;
  /** A wrong value can shut people out, so a change may be made on trial and returns unless it is confirmed. */
  readonly lockout?: true;
  /** Never shown to anybody, sealed on disk. */
  readonly secret?: true;
  /** Partly secret: what to show. Such a value is sealed on disk as well. */
  readonly redact?: Redact<Static<S>>;
  /** What readers see in place of a value of which each may see another part, at an address of its own. No secret. */
  readonly outline?: Redact<Static<S>>;
  /**
   * Brings an accepted value into its one stored form; `previous` supplies write-only members the writer left out.
   * What only the server may write in it is taken from `previous` too, unless it is the server that writes.
   * An issue refuses a step that cannot follow on the value before; a rule sees only what would be.
   */
  readonly normalise?: (value: Static<S>, previous: Static<S>, byServer: boolean) => Static<S> | Issue;
  /** What of it is worth a line in the audit: where the server changes only the rest, it keeps its book. */
  readonly audited?: (value: Static<S>) => unknown;
  /** A number written by the server is only published when it moved at least this far. */
  readonly deadband?: number;
  /** Every session sees its own value; the stored one is never sent. */
  readonly perSession?: true;
}
export interface Setting<K extends string, S extends TSchema> extends SettingOptions<S> {
  readonly kind: 'setting';
  readonly key: K;
}

/** Computed from others by a pure function, read-only for everybody. */
export interface Derived<K extends string, S extends TSchema> extends Common<S> {
  readonly kind: 'derived';
  readonly key: K;
  readonly from: readonly AnyDefinition[];
  readonly compute: (...values: never[]) => unknown;
}

/** A second way to see and write other settings: reading computes, writing turns into a change of the sources. */
export interface View<K extends string, S extends TSchema> extends Common<S> {
  readonly kind: 'view';
  readonly key: K;
  readonly write: readonly Need[];
  readonly from: readonly AnyDefinition[];
  readonly compute: (...values: never[]) => unknown;
  /** The new values of the sources, by key; an `Issue` where the value makes no sense in the present state. */
  readonly assign: (value: never, ...values: never[]) => Record<string, unknown> | Issue;
}

/** A trigger with an outcome; it keeps no value. */
export interface Action<K extends string, S extends TSchema> extends Common<S> {
  readonly kind: 'action';
  readonly key: K;
  readonly write: readonly Need[];
  /** What reading it answers, for clients that ask. */
  readonly default: Static<S>;
  readonly consequence?: string;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- "any definition" must accept functions of every parameter type */
export type AnyDefinition =
  Setting<string, any> | Derived<string, any> | View<string, any> | Action<string, any>;
/* eslint-enable @typescript-eslint/no-explicit-any */
export type ValueOf<D extends AnyDefinition> = Static<D['schema']>;
type ValuesOf<F extends readonly AnyDefinition[]> = { [I in keyof F]: ValueOf<F[I]> };
/** New values for some of the sources of a view. */
export type PatchOf<F extends readonly AnyDefinition[]> = { [D in F[number] as D['key']]?: ValueOf<D> };

export function defineObservable<const K extends string, S extends TSchema>(
  key: K,
  options: SettingOptions<S>,
): Setting<K, S> {
  return { kind: 'setting', key, ...options };
}

export function defineDerived<
  const K extends string,
  S extends TSchema,
  const F extends readonly AnyDefinition[],
>(
  key: K,
  options: Common<S> & {
    readonly from: F;
    readonly compute: (...values: ValuesOf<F>) => NoInfer<Static<S>>;
  },
): Derived<K, S> {
  return { kind: 'derived', key, ...options };
}

export function defineView<
  const K extends string,
  S extends TSchema,
  const F extends readonly AnyDefinition[],
>(
  key: K,
  options: Common<S> & {
    readonly write: readonly Need[];
    readonly from: F;
    readonly compute: (...values: ValuesOf<F>) => NoInfer<Static<S>>;
    // The sources' tuple is only known at the call, so the rule sees an empty patch here.
    // eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type
    readonly assign: (value: Static<S>, ...values: ValuesOf<F>) => PatchOf<F> | Issue;
  },
): View<K, S> {
  return { kind: 'view', key, ...options } as unknown as View<K, S>;
}

export function defineAction<const K extends string, S extends TSchema>(
  key: K,
  options: Omit<Action<K, S>, 'kind' | 'key'>,
): Action<K, S> {
  return { kind: 'action', key, ...options };
}

/** Why a value cannot be: the key to blame and a sentence a person can act on. */
export class Issue {
  readonly key: string;
  readonly message: string;
  constructor(key: string, message: string) {
    this.key = key;
    this.message = message;
  }
}

/** A condition across settings, checked over the state a transaction would lead to. */
export interface Rule {
  readonly on: readonly AnyDefinition[];
  readonly check: (...values: never[]) => Issue | undefined;
}

export function defineRule<const F extends readonly AnyDefinition[]>(
  on: F,
  check: (...values: ValuesOf<F>) => Issue | undefined,
): Rule {
  return { on, check } as unknown as Rule;
}
