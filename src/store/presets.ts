// Presets: values of several settings under a name, put in force together in one transaction.
import { isDeepStrictEqual } from 'node:util';
import { ObscuraError } from '../errors.js';
import type { AppRegistry } from '../observables/registry.js';
import { systemActor, type Actor } from './actor.js';
import { isStorable, savedValue, type Cell } from './cell.js';
import type { Outcome, TransactOptions } from './outcome.js';
import { isReadable, type Store, type Values } from './store.js';

type AllPresets = Values<AppRegistry>['presets'];
type Preset = Values<AppRegistry>['presets'][string];

export interface Difference {
  readonly key: string;
  readonly now: unknown;
  readonly preset: unknown;
}

export class Presets {
  readonly #store: Store<AppRegistry>;
  readonly #now: () => number;

  constructor(store: Store<AppRegistry>, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** What the asker may read all of: a preset must not show what its reader may not see. */
  list(actor: Actor): Readonly<Record<string, Preset>> {
    const all = Object.entries(this.#store.get('presets'));
    return Object.fromEntries(
      all.map(([name, preset]) => [
        name,
        { ...preset, values: Object.fromEntries(this.#readable(actor, preset.values)) },
      ]),
    );
  }

  async save(actor: Actor, name: string, keys: readonly string[]): Promise<void> {
    // A second name of a setting (brightness) stands for the setting itself (imageSettings).
    const cells = keys.flatMap((key) => {
      const cell = this.#store.cell(key);
      return cell?.definition.kind === 'view' ? cell.sources.map((source) => source.key) : [key];
    });
    const values = Object.fromEntries(cells.map((key) => [key, savedValue(this.#storable(actor, key))]));
    this.#assertMayReplace(actor, name);
    await this.#put(actor, (presets) => ({
      ...presets,
      [name]: { values, created: this.#now(), by: actor.name },
    }));
  }

  difference(actor: Actor, name: string): Difference[] {
    return this.#readable(actor, this.#get(name).values)
      .map(([key, preset]) => ({ key, now: this.#store.read(actor, key), preset }))
      .filter(({ now, preset }) => !isDeepStrictEqual(now, preset));
  }

  apply(actor: Actor, name: string, options: TransactOptions = {}): Promise<Outcome> {
    return this.#store.submit(actor, this.#get(name).values, { note: `preset ${name}`, ...options });
  }

  async remove(actor: Actor, name: string): Promise<void> {
    this.#get(name);
    this.#assertMayReplace(actor, name);
    await this.#put(actor, (presets) =>
      Object.fromEntries(Object.entries(presets).filter(([each]) => each !== name)),
    );
  }

  /** Everything of it stays as it was, but for the name. */
  async rename(actor: Actor, name: string, to: string): Promise<void> {
    this.#get(name);
    this.#assertMayReplace(actor, name);
    await this.#put(actor, (presets) => {
      if (Object.hasOwn(presets, to)) throw new ObscuraError('conflict', `There is a preset ${to} already`);
      return Object.fromEntries(
        Object.entries(presets).map(([each, preset]) => [each === name ? to : each, preset]),
      );
    });
  }

  #get(name: string): Preset {
    const all = this.#store.get('presets');
    const preset = Object.hasOwn(all, name) ? all[name] : undefined;
    if (preset === undefined) throw new ObscuraError('unknown', `There is no preset ${name}`);
    return preset;
  }

  #readable(actor: Actor, values: Preset['values']): [string, unknown][] {
    return Object.entries(values).filter(([key]) => {
      const cell = this.#store.cell(key);
      return cell !== undefined && isReadable(cell, actor);
    });
  }

  #storable(actor: Actor, key: string): Cell {
    this.#store.read(actor, key);
    const cell = this.#store.cell(key);
    if (cell === undefined || !isStorable(cell))
      throw new ObscuraError('invalid', `${key} cannot be part of a preset`, { key });
    if ((actor.mask & cell.writeMask) === 0)
      throw new ObscuraError('forbidden', `You may not change ${key}`, { key });
    return cell;
  }

  /** Whoever could not have made a preset must not destroy it. */
  #assertMayReplace(actor: Actor, name: string): void {
    const all = this.#store.get('presets');
    const { values } = (Object.hasOwn(all, name) ? all[name] : undefined) ?? { values: {} };
    for (const key of Object.keys(values)) {
      const cell = this.#store.cell(key);
      if (cell !== undefined && (actor.mask & cell.writeMask) === 0)
        throw new ObscuraError('forbidden', `The preset ${name} holds settings that you may not change`);
    }
  }

  /** Written in the server's name, since the key is not written directly, with the asker in the audit. */
  async #put(actor: Actor, revise: (presets: AllPresets) => AllPresets): Promise<void> {
    const server = { ...systemActor(actor.via, actor.name), address: actor.address };
    const outcome = await this.#store.update(server, (get) => ({ presets: revise(get('presets')) }));
    if (!outcome.ok) throw new ObscuraError(outcome.error.code, outcome.error.message, outcome.error);
  }
}
