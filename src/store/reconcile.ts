// Carries out what some settings ask for: one apply at a time, always of the newest wish.
// What can never be goes back to the last settings that ran; anything else is tried again.
import { isDeepStrictEqual } from 'node:util';
import { filter, NEVER, type Observable } from 'rxjs';
import { messageOf } from '../errors.js';
import { systemActor } from './actor.js';
import type { Registry } from './cell.js';
import type { Store, Values } from './store.js';

/** This can never be done with these settings (port taken, caps refused), so trying again makes no sense. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

export interface Unit<R extends Registry, K extends keyof R & string, Spec> {
  readonly store: Store<R>;
  /** The settings that decide. */
  readonly keys: readonly K[];
  /** What they ask for; a pure function. */
  readonly desired: (settings: Pick<Values<R>, K>) => Spec;
  /** Brings about `next`; leaves `current` running where it throws. */
  readonly apply: (next: Spec, current: Spec | undefined) => Promise<void>;
  /** What to go back to before anything has run: the defaults. */
  readonly fallback: Pick<Values<R>, K>;
  readonly retryMs?: number;
  /** Speaks when what failed may work now, and need not wait for its turn. */
  readonly again$?: Observable<unknown>;
  readonly onFailure?: (reason: string) => void;
}

export interface Reconciler {
  /** Resolves when nothing is under way and nothing is wanted that is not tried. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const isUnsupported = (error: unknown): boolean => error instanceof Unsupported;

const longestRetryMs = 60_000;

export function reconcile<R extends Registry, K extends keyof R & string, Spec>(
  unit: Unit<R, K, Spec>,
): Reconciler {
  const { store, keys } = unit;
  const actor = systemActor('reconciler', 'reconciler');
  let good: { readonly settings: Pick<Values<R>, K>; readonly spec: Spec } | undefined;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let stale = true;
  let delay = unit.retryMs ?? 1000;

  const read = (): Pick<Values<R>, K> =>
    Object.fromEntries(keys.map((key) => [key, store.get(key)])) as Pick<Values<R>, K>;
  /** The newest change of a key that matters here; statuses and others move the store's own revision on. */
  const revisionOf = (): number => Math.max(...keys.map((key) => store.cell(key)?.revision ?? 0));
  const overtaken = (settings: Pick<Values<R>, K>): boolean => !isDeepStrictEqual(read(), settings);

  /** Which settings are not as in `back`; all of them where it is something else that has changed. */
  const apart = (
    settings: Pick<Values<R>, K>,
    back: Partial<Pick<Values<R>, K>>,
  ): { readonly touched: readonly K[]; readonly others: readonly K[] } => {
    const touched = keys.filter((key) => !isDeepStrictEqual(settings[key], back[key]));
    if (touched.length === 0) return { touched: keys, others: [] };
    return { touched, others: keys.filter((key) => !touched.includes(key)) };
  };

  async function settle(): Promise<void> {
    while (stale && !stopped) {
      stale = false;
      const settings = read();
      const revision = revisionOf();
      const spec = unit.desired(settings);
      if (good !== undefined && isDeepStrictEqual(spec, good.spec)) {
        good = { settings, spec };
        store.statuses.report(keys, { status: 'applied', revision });
        continue;
      }
      try {
        await unit.apply(spec, good?.spec);
        good = { settings, spec };
        delay = unit.retryMs ?? 1000;
        stale = true;
      } catch (error) {
        const reason = messageOf(error);
        if (overtaken(settings)) {
          stale = true;
          continue;
        }
        // Settings and spec are kept as one pair: what returns is what produced the running spec, never a mixture.
        const back = good?.settings ?? unit.fallback;
        const { touched, others } = apart(settings, good === undefined && !isUnsupported(error) ? {} : back);
        store.statuses.report(touched, { status: 'failed', revision, reason });
        // What runs has these already, whatever becomes of the rest.
        if (good !== undefined) store.statuses.report(others, { status: 'applied', revision });
        unit.onFailure?.(reason);
        if (isUnsupported(error)) {
          if (!isDeepStrictEqual(back, settings)) {
            await store.submit(actor, back, { note: reason });
            continue;
          }
        }
        timer = setTimeout(start, delay);
        delay = Math.min(delay * 2, longestRetryMs);
        return;
      }
    }
  }

  function start(): void {
    stale = true;
    clearTimeout(timer);
    timer = undefined;
    // Never inside the commit that woke us: reporting writes, and would wake us again.
    running ??= Promise.resolve()
      .then(settle)
      .finally(() => {
        running = undefined;
        if (stale && !stopped) start();
      });
  }

  store.statuses.own(keys);
  const mine = new Set<string>(keys);
  const subscription = store.commits$
    .pipe(filter(({ changed }) => changed.some(({ key }) => mine.has(key))))
    .subscribe(start);
  subscription.add(
    (unit.again$ ?? NEVER).subscribe(() => {
      delay = unit.retryMs ?? 1000;
      if (timer !== undefined) start();
    }),
  );
  start();

  return {
    async settled() {
      while (running !== undefined) await running;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      subscription.unsubscribe();
      await running;
      store.statuses.disown(keys);
    },
  };
}
