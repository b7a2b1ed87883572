// Opens the store with what was saved: defaults, over them initial values, over them what people chose.
import { messageOf } from '../errors.js';
import type { Rule } from '../observables/define.js';
import { systemActor } from './actor.js';
import type { Registry } from './cell.js';
import { Journal } from './journal.js';
import type { Migration } from './migrations.js';
import { reservedAtOnce, Store } from './store.js';

/** Grows with every change of form that needs a migration. */
export const schemaVersion = 1;
export const migrations: readonly Migration[] = [];

export interface OpenOptions<R extends Registry> {
  readonly registry: R;
  readonly rules: readonly Rule[];
  readonly folder: string;
  readonly sealer: {
    seal(plain: string, context: string): string;
    open(sealed: string, context: string): string | undefined;
  };
  /** From the factory file and the environment: in force until somebody chooses otherwise. */
  readonly initial?: Readonly<Record<string, unknown>>;
  readonly onFault?: (error: Error) => void;
}

export interface Opened<R extends Registry> {
  readonly store: Store<R>;
  readonly journal: Journal;
  /** What was found damaged or could not be used, in words. */
  readonly reports: readonly string[];
  close(): Promise<void>;
  /** Everything back to the beginning, except what its declaration says survives. */
  resetToFactory(): Promise<void>;
}

export async function openStore<R extends Registry>(options: OpenOptions<R>): Promise<Opened<R>> {
  const { registry, rules, folder, sealer, onFault } = options;
  const journal = await Journal.open({
    dir: folder,
    schemaVersion,
    migrations,
    ...(onFault === undefined ? {} : { onFault }),
  });
  const { recovered } = journal;
  const reports = [...recovered.reports];
  const store = new Store<R>({
    registry,
    rules,
    persistence: journal,
    seal: (key, json) => sealer.seal(json, key),
    ...(onFault === undefined ? {} : { onFault }),
  });

  // After a crash somebody may have seen a change that never became durable, or a revision that was not yet reserved:
  // so revisions jump beyond all that can have been used, and every client is sent everything.
  const fresh = recovered.rev === 0 && recovered.cells.size === 0;
  const startAt = recovered.clean || fresh ? recovered.rev : recovered.rev + reservedAtOnce;
  const saved: [string, unknown, number][] = [];
  for (const [key, { value, sealed, rev }] of recovered.cells) {
    const plain = sealed === undefined ? undefined : sealer.open(sealed, key);
    if (sealed !== undefined && plain === undefined)
      reports.push(`The saved value of ${key} was sealed with another device key; the default is used.`);
    else saved.push([key, plain === undefined ? value : JSON.parse(plain), recovered.clean ? rev : startAt]);
  }
  const chosen = new Set(saved.map(([key]) => key));
  const initial = Object.entries(options.initial ?? {}).filter(([key]) => !chosen.has(key));
  const usable = await usableInitial(options, initial, saved, startAt);
  reports.push(...usable.reports, ...store.restore([...usable.accepted, ...saved], startAt));
  store.epoch = journal.epoch;

  return {
    store,
    journal,
    reports,
    async close() {
      await store.close();
      await journal.close(store.revision);
    },
    async resetToFactory() {
      const patch: Record<string, unknown> = {};
      for (const { key, definition } of store.cells)
        if (definition.kind === 'setting' && definition.survivesReset !== true)
          patch[key] = definition.default;
      // Only what can be used, and as whole settings: an initial value may be a view of one that has its default above.
      const usable = await usableInitial(options, Object.entries(options.initial ?? {}), [], 0);
      for (const [key, value] of usable.accepted) patch[key] = value;
      const outcome = await store.submit(systemActor(), patch, { note: 'factory reset' });
      if (!outcome.ok) throw new Error(outcome.error.message);
      await journal.forget((key) => {
        const definition = store.cell(key)?.definition;
        return definition?.kind === 'setting' && definition.survivesReset === true;
      });
      store.epoch = journal.epoch;
    },
  };
}

/** Tries initial values on a store of their own, one by one, so that a bad one is named and does not spoil the others. */
async function usableInitial<R extends Registry>(
  { registry, rules, sealer }: OpenOptions<R>,
  initial: readonly (readonly [string, unknown])[],
  saved: readonly (readonly [string, unknown, number])[],
  startAt: number,
): Promise<{ accepted: [string, unknown, number][]; reports: string[] }> {
  const trial = new Store<R>({ registry, rules, seal: (key, json) => sealer.seal(json, key) });
  trial.restore(saved, startAt);
  const reports: string[] = [];
  const changed = new Set<string>();
  const together = await trial.submit(systemActor(), Object.fromEntries(initial));
  if (together.ok) for (const key of together.changed) changed.add(key);
  else
    for (const [key, value] of initial) {
      const outcome = await trial
        .submit(systemActor(), { [key]: value })
        .catch((error: unknown) => ({ ok: false as const, error: { message: messageOf(error) } }));
      if (outcome.ok) for (const each of outcome.changed) changed.add(each);
      else reports.push(`The initial value of ${key} is not used: ${outcome.error.message}`);
    }
  const accepted = trial.cells
    .filter((cell) => cell.saved && changed.has(cell.key))
    .map((cell): [string, unknown, number] => [cell.key, cell.value, startAt]);
  return { accepted, reports };
}
