// The only truth: every observable's value, changed by transactions that hold entirely or not at all.
// Transactions are worked off one after another; those that wait while the disk is busy share the next write.
import { BehaviorSubject, defer, startWith, Subject, type Observable } from 'rxjs';
import { ObscuraError, messageOf } from '../errors.js';
import type { Rule, ValueOf } from '../observables/define.js';
import { systemActor, type Actor } from './actor.js';
import { Batch, type Accepted } from './batch.js';
import {
  buildCells,
  compute,
  durableAfter,
  isComputed,
  shownValue,
  type Cell,
  type Registry,
} from './cell.js';
import { consequenceOf } from './consequences.js';
import type { Entry } from './journalEntry.js';
import type { Done, Outcome, Refusal, Refused, TransactOptions } from './outcome.js';
import { RequestMemory } from './requestMemory.js';
import { commitEntry, originOf, refusedEntry, type Seal } from './record.js';
import { Stager, committed, type Intake, type Sight, type Staged } from './staging.js';
import { StatusBoard, type Status } from './status.js';
import { explainValue } from './validation.js';

/** Where commits become durable. `append` resolves after they have, or rejects and nothing of them remains. */
export interface Persistence {
  append(entries: readonly Entry[]): Promise<void>;
  note(entry: Entry): void;
}

export interface Commit {
  readonly revision: number;
  readonly at: number;
  readonly actor: Actor;
  readonly changed: readonly Cell[];
  readonly note?: string | undefined;
}

export type Values<R extends Registry> = { readonly [K in keyof R]: ValueOf<R[K]> };
export type Patch<R extends Registry> = { readonly [K in keyof R]?: ValueOf<R[K]> };

/** Makes a patch from the state it will be applied to. */
export type Revise<R extends Registry> = (
  get: <K extends keyof R & string>(key: K) => ValueOf<R[K]>,
) => Patch<R>;

/** All values as they stood after one transaction. */
export interface Snapshot<R extends Registry> {
  readonly revision: number;
  readonly values: Values<R>;
}

/** Does the slow part of taking in a value (hashing a password) before the transaction is decided. */
export type PrepareIntake = (value: unknown, actor: Actor) => Promise<Intake>;
export type ActionHandler = (value: unknown, actor: Actor) => Promise<unknown>;

export interface StoreOptions<R extends Registry> {
  readonly registry: R;
  readonly rules: readonly Rule[];
  readonly persistence?: Persistence;
  /** Encrypts what a sealed key holds before it goes to disk. */
  readonly seal?: Seal;
  readonly now?: () => number;
  /** Told of what went wrong without anybody to answer to. */
  readonly onFault?: (error: Error) => void;
}

type Draft = Readonly<Record<string, unknown>> | ((sight: Sight) => Readonly<Record<string, unknown>>);

interface Job {
  readonly actor: Actor;
  readonly draft: Draft;
  readonly intakes: ReadonlyMap<string, Intake>;
  readonly options: TransactOptions;
  readonly depth: number;
  readonly resolve: (outcome: Outcome) => void;
}

/** Revisions are reserved on disk in blocks, so that none is used twice even after a crash. */
export const reservedAtOnce = 4096;
/** More rounds of observers answering each other than this are a loop, not a cascade. */
const deepestCascade = 100;

export class Store<R extends Registry> {
  readonly cells: readonly Cell[];
  readonly statuses: StatusBoard = new StatusBoard();
  readonly commits$: Observable<Commit>;
  /** The present state at once, then one consistent snapshot per transaction. */
  readonly state$: Observable<Snapshot<R>>;
  /** Changes when revisions begin anew (factory reset, restored backup): what clients remember is worth nothing then. */
  epoch = '';

  readonly #byKey: ReadonlyMap<string, Cell>;
  readonly #stager: Stager;
  readonly #persistence: Persistence | undefined;
  readonly #seal: Seal | undefined;
  readonly #now: () => number;
  readonly #onFault: (error: Error) => void;
  readonly #commits = new Subject<Commit>();
  readonly #snapshots = new Subject<Snapshot<R>>();
  readonly #subjects = new Map<Cell, BehaviorSubject<unknown>>();
  readonly #intakes = new Map<string, PrepareIntake>();
  readonly #actions = new Map<string, ActionHandler>();
  readonly #obstacles: ((cell: Cell, actor: Actor) => Refusal | undefined)[] = [];
  readonly #requests = new RequestMemory<Outcome>();
  readonly #system = systemActor();
  #queue: Job[] = [];
  #draining = false;
  #depth = 0;
  #revision = 0;
  #ceiling = 0;
  #closed = false;

  constructor({ registry, rules, persistence, seal, now, onFault }: StoreOptions<R>) {
    this.cells = buildCells(registry);
    this.#byKey = new Map(this.cells.map((cell) => [cell.key, cell]));
    this.#stager = new Stager(this.cells, this.#byKey, rules, {
      refusalOf: (cell, actor) => {
        for (const obstacle of this.#obstacles) {
          const refusal = obstacle(cell, actor);
          if (refusal !== undefined) return refusal;
        }
        return undefined;
      },
    });
    this.#persistence = persistence;
    this.#seal = seal;
    this.#now = now ?? Date.now;
    this.#onFault = onFault ?? throwLater;
    this.commits$ = this.#commits.asObservable();
    this.state$ = defer(() => this.#snapshots.pipe(startWith(this.snapshot())));
  }

  get revision(): number {
    return this.#revision;
  }

  get<K extends keyof R & string>(key: K): ValueOf<R[K]> {
    return this.#known(key).value;
  }

  /** The value now, then every other value it takes. */
  observe<K extends keyof R & string>(key: K): Observable<ValueOf<R[K]>> {
    const cell = this.#known(key);
    let subject = this.#subjects.get(cell);
    if (subject === undefined) {
      subject = new BehaviorSubject(cell.value);
      this.#subjects.set(cell, subject);
    }
    return subject.asObservable();
  }

  snapshot(): Snapshot<R> {
    const values = Object.fromEntries(this.cells.map(({ key, value }) => [key, value]));
    return { revision: this.#revision, values: values as Values<R> };
  }

  cell(key: string): Cell | undefined {
    return this.#byKey.get(key);
  }

  status(key: keyof R & string): Status {
    return this.statuses.of(key, this.#known(key).revision);
  }

  /** The value as this reader may see it; who may not read it gets the error that fits what they may know. */
  read(actor: Actor, key: string): unknown {
    const cell = this.#byKey.get(key);
    const known = cell !== undefined && (actor.mask & (cell.readMask | cell.writeMask)) !== 0;
    if (!known) throw new ObscuraError('unknown', `There is no setting named ${key}`, { key });
    if (!isReadable(cell, actor)) throw new ObscuraError('forbidden', `You may not read ${key}`, { key });
    if (isPerSession(cell)) return actor.name;
    return shownValue(cell, cell.value);
  }

  /** A change from inside, checked by the compiler. */
  transact(actor: Actor, patch: Patch<R>, options: TransactOptions = {}): Promise<Outcome> {
    return this.submit(actor, patch, options);
  }

  /**
   * A change of a part of a value: made from the state as it is when the change is decided, so that what others change
   * at the same time is not lost. What `revise` throws is the answer.
   */
  update(actor: Actor, revise: Revise<R>, options: TransactOptions = {}): Promise<Outcome> {
    const draft = (sight: Sight): Patch<R> => revise((key) => sight.valueOf(this.#known(key)));
    return this.#perform(actor, draft, options);
  }

  /** What the server knows and people may only read. */
  write(patch: Patch<R>, actor: Actor = this.#system): void {
    this.submit(actor, patch).then((outcome) => {
      if (!outcome.ok)
        this.#onFault(new ObscuraError(outcome.error.code, outcome.error.message, outcome.error));
    }, this.#fault);
  }

  /** A change from outside: whatever the patch holds, the answer is an outcome. */
  submit(
    actor: Actor,
    patch: Readonly<Record<string, unknown>>,
    options: TransactOptions = {},
  ): Promise<Outcome> {
    const { requestId } = options;
    if (requestId === undefined || options.dryRun === true) return this.#perform(actor, patch, options);
    return this.#requests.once(actor.name, requestId, () => this.#perform(actor, patch, options));
  }

  /** Resolves when everything asked for so far is decided and durable. */
  async settle(): Promise<void> {
    await this.submit(this.#system, {});
  }

  prepareIntake(key: keyof R & string, prepare: PrepareIntake): void {
    this.#intakes.set(key, prepare);
  }

  onAction(key: keyof R & string, handler: ActionHandler): void {
    this.#actions.set(key, handler);
  }

  /** A reason outside the declarations why a write must be refused now (a lock, a missing backend). */
  addObstacle(obstacle: (cell: Cell, actor: Actor) => Refusal | undefined): void {
    this.#obstacles.push(obstacle);
  }

  /** Puts saved values in place before anybody looks. Returns what could not be used, in words. */
  restore(
    saved: Iterable<readonly [key: string, value: unknown, revision: number]>,
    startAt: number,
  ): string[] {
    const reports: string[] = [];
    for (const cell of this.cells) cell.revision = startAt;
    for (const [key, value, revision] of saved) {
      const cell = this.#byKey.get(key);
      if (cell?.saved !== true) continue;
      if (cell.check.Check(value)) {
        cell.value = value;
        cell.revision = revision;
      } else {
        reports.push(
          `The saved value of ${key} is not valid any more (${explainValue(cell.check, value)}); the default is used.`,
        );
      }
    }
    for (const cell of this.cells)
      if (isComputed(cell))
        cell.value = compute(
          cell.definition,
          cell.sources.map(({ value }) => value),
        );
    for (const [cell, subject] of this.#subjects) subject.next(cell.value);
    this.#revision = startAt;
    this.#ceiling = startAt;
    return reports;
  }

  /** Saves what was only transient, then takes no more changes. */
  async close(): Promise<void> {
    const divergent = this.cells.filter(({ durable }) => durable !== undefined);
    await this.submit(this.#system, Object.fromEntries(divergent.map(({ key, value }) => [key, value])));
    this.#closed = true;
    this.#commits.complete();
    this.#snapshots.complete();
    for (const subject of this.#subjects.values()) subject.complete();
    this.statuses.close();
  }

  async #perform(actor: Actor, draft: Draft, options: TransactOptions): Promise<Outcome> {
    const depth = this.#depth + 1;
    const first = drafted(draft, committed);
    if (first instanceof ObscuraError) return this.#refused([first]);
    const patch = first;
    if (depth > deepestCascade) {
      const message = `Observers do not settle: ${Object.keys(patch).join(', ')} are written in answer to each other without end`;
      this.#onFault(new ObscuraError('failed', message));
      return this.#refused([{ code: 'failed', message }]);
    }
    let intakes: ReadonlyMap<string, Intake> = noIntakes;
    if (options.dryRun !== true && Object.keys(patch).some((key) => this.#intakes.has(key))) {
      const early = this.#stager.stage(
        { patch, intakes: this.#emptyIntakes(patch), actor, options },
        committed,
      );
      if (!early.ok) return this.#refuse(actor, patch, early.errors, options);
      intakes = await this.#prepared(actor, patch);
    } else if (options.dryRun === true) {
      intakes = this.#emptyIntakes(patch);
    }
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#queue.push({ actor, draft, intakes, options, depth, resolve });
      if (!this.#draining) this.#drain().catch(this.#fault);
    });
    if (!outcome.ok || options.wait !== 'applied' || options.dryRun === true) return outcome;
    const failure = await this.statuses.settled(outcome.changed);
    if (failure === undefined) return outcome;
    return this.#refused([
      { code: 'failed', key: failure.key, message: failure.reason ?? 'It could not be applied' },
    ]);
  }

  #emptyIntakes(patch: Readonly<Record<string, unknown>>): Map<string, Intake> {
    return new Map([...this.#intakes.keys()].filter((key) => key in patch).map((key) => [key, () => ({})]));
  }

  async #prepared(actor: Actor, patch: Readonly<Record<string, unknown>>): Promise<Map<string, Intake>> {
    const ready = new Map<string, Intake>();
    for (const [key, prepare] of this.#intakes)
      if (key in patch) ready.set(key, await prepare(patch[key], actor));
    return ready;
  }

  /** Runs synchronously as long as nothing has to reach the disk, so the server's own writes are visible at once. */
  async #drain(): Promise<void> {
    this.#draining = true;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        this.#queue = [];
        const { accepted, entries } = this.#decide(batch);
        if (entries.length > 0 && this.#persistence !== undefined) {
          try {
            await this.#persistence.append(entries);
          } catch (error) {
            this.#abandon(accepted, error);
            continue;
          }
        }
        for (const each of accepted) this.#commit(each);
      }
    } finally {
      this.#draining = false;
    }
  }

  #decide(jobs: readonly Job[]): Batch<Job> {
    const batch = new Batch<Job>(this.#revision);
    for (const job of jobs)
      try {
        this.#judge(job, batch);
      } catch (error) {
        // A fault of the server's own in one transaction is its answer, and touches no other.
        job.resolve(this.#refused([{ code: 'failed', message: messageOf(error) }]));
        this.#fault(error);
      }
    this.#reserve(batch.revision);
    return batch;
  }

  #judge(job: Job, batch: Batch<Job>): void {
    const { actor, options, draft, intakes } = job;
    if (this.#closed) {
      job.resolve(this.#refused([{ code: 'failed', message: 'The server is stopping' }]));
      return;
    }
    const patch = drafted(draft, batch);
    if (patch instanceof ObscuraError) {
      job.resolve(this.#refused([patch]));
      return;
    }
    const result = this.#stager.stage({ patch, intakes, actor, options }, batch);
    if (!result.ok) {
      job.resolve(this.#refuse(actor, patch, result.errors, options));
      return;
    }
    const staged = withoutFlutter(result, actor);
    if (options.dryRun === true) {
      job.resolve(this.#foreseen(staged, batch));
      return;
    }
    const at = this.#now();
    const revision = batch.revision + (staged.values.size > 0 ? 1 : 0);
    const entry =
      options.transient === true
        ? undefined
        : commitEntry({ revision, at, actor, staged, before: batch, options, seal: this.#seal });
    batch.take({ job, staged, revision, at }, entry, options.transient === true);
  }

  /** Not waited for: a start after a crash leaves room for the revisions used in the meantime. */
  #reserve(next: number): void {
    if (next <= this.#ceiling || this.#persistence === undefined) return;
    this.#ceiling = next + reservedAtOnce;
    this.#persistence.append([{ kind: 'reserve', rev: this.#ceiling }]).catch(() => {
      // The next commit tries again, and tells whoever asked for it that the disk takes nothing.
      this.#ceiling = this.#revision;
    });
  }

  #commit({ job, staged, revision, at }: Accepted<Job>): void {
    const { actor, options, resolve, depth } = job;
    for (const cell of staged.settled) cell.durable = undefined;
    for (const [cell, value] of staged.values) {
      cell.durable = durableAfter(cell, value, cell, options.transient === true);
      cell.value = deepFrozen(value);
      cell.revision = revision;
    }
    const changed = [...staged.values.keys()];
    const done: Done = {
      ok: true,
      revision: Math.max(revision, this.#revision),
      changed: changed.map(({ key }) => key),
    };
    if (changed.length > 0) {
      this.#revision = revision;
      this.#publish({ revision, at, actor, changed, note: options.note }, depth);
    }
    const [action] = staged.actions;
    if (action === undefined) resolve(done);
    else this.#act(action, actor, done).then(resolve, this.#fault);
  }

  #publish(commit: Commit, depth: number): void {
    // What observers write in answer belongs to a later commit, one level deeper.
    const outer = this.#depth;
    this.#depth = depth;
    try {
      this.statuses.expect(
        commit.changed.map(({ key }) => key),
        commit.revision,
      );
      for (const cell of commit.changed) this.#subjects.get(cell)?.next(cell.value);
      if (this.#snapshots.observed) this.#snapshots.next(this.snapshot());
      this.#commits.next(commit);
    } finally {
      this.#depth = outer;
    }
  }

  async #act({ cell, value }: Staged['actions'][number], actor: Actor, done: Done): Promise<Outcome> {
    if (value === false) return done;
    const handler = this.#actions.get(cell.key);
    const event = (outcome: string, detail: Record<string, unknown>): void => {
      this.#persistence?.note({
        kind: 'event',
        at: this.#now(),
        ...originOf(actor),
        event: `action ${outcome}`,
        keys: [cell.key],
        detail,
      });
    };
    try {
      if (handler === undefined)
        throw new ObscuraError('failed', `${cell.key} is not available on this server`);
      const result = await handler(value, actor);
      event('done', {});
      return { ...done, ...(result === undefined ? {} : { result }) };
    } catch (error) {
      event('failed', { reason: messageOf(error) });
      const code = error instanceof ObscuraError ? error.code : 'failed';
      return this.#refused([{ code, key: cell.key, message: messageOf(error) }]);
    }
  }

  #foreseen(staged: Staged, sight: Sight): Done {
    const changes = [...staged.values].flatMap(
      ([cell, value]) => consequenceOf(cell.definition, sight.valueOf(cell), value) ?? [],
    );
    const asked = staged.actions.flatMap(
      ({ cell }) => consequenceOf(cell.definition, undefined, undefined) ?? [],
    );
    return {
      ok: true,
      revision: this.#revision,
      changed: [...staged.values.keys()].map(({ key }) => key),
      consequences: [...changes, ...asked],
    };
  }

  /** The disk did not take the batch, so nothing of it happened. */
  #abandon(accepted: readonly Accepted<Job>[], error: unknown): void {
    const message = `The change could not be saved: ${messageOf(error)}`;
    for (const { job } of accepted) job.resolve(this.#refused([{ code: 'failed', message }]));
    this.#onFault(new ObscuraError('failed', message, { cause: error }));
  }

  #refuse(
    actor: Actor,
    patch: Readonly<Record<string, unknown>>,
    errors: readonly [Refusal, ...Refusal[]],
    { dryRun }: TransactOptions,
  ): Refused {
    if (dryRun !== true)
      this.#persistence?.note(refusedEntry(this.#now(), actor, patch, errors, (key) => this.#byKey.get(key)));
    return this.#refused(errors);
  }

  #refused(errors: readonly [Refusal, ...Refusal[]]): Refused {
    return { ok: false, revision: this.#revision, error: errors[0], errors };
  }

  #known(key: string): Cell {
    const cell = this.#byKey.get(key);
    if (cell === undefined) throw new Error(`${key} is not in the registry`);
    return cell;
  }

  readonly #fault = (error: unknown): void => {
    this.#onFault(error instanceof Error ? error : new Error(String(error)));
  };
}

function drafted(draft: Draft, sight: Sight): Readonly<Record<string, unknown>> | ObscuraError {
  if (typeof draft !== 'function') return draft;
  try {
    return draft(sight);
  } catch (error) {
    if (error instanceof ObscuraError) return error;
    return new ObscuraError('failed', messageOf(error), { cause: error });
  }
}

/** Nobody may be kept waiting for an answer by an error that is nobody's to hear. */
function throwLater(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}

const noIntakes: ReadonlyMap<string, Intake> = new Map();

export function isPerSession({ definition }: Cell): boolean {
  return definition.kind === 'setting' && definition.perSession === true;
}

export function isReadable(cell: Cell, { mask }: Pick<Actor, 'mask'>): boolean {
  return (
    (mask & cell.readMask) !== 0 && !(cell.definition.kind === 'setting' && cell.definition.secret === true)
  );
}

/** Leaves out the server's own readings that moved less than their declaration finds worth telling. */
function withoutFlutter(staged: Staged, actor: Actor): Staged {
  if (actor.system !== true) return staged;
  const values = new Map(
    [...staged.values].filter(([cell, value]) => {
      const { definition, value: before } = cell;
      if (definition.kind !== 'setting' || definition.deadband === undefined) return true;
      if (typeof value !== 'number' || typeof before !== 'number') return true;
      return Math.abs(value - before) >= definition.deadband;
    }),
  );
  return values.size === staged.values.size ? staged : { ...staged, values };
}

/** Committed values are shared by everybody, so nobody may write into them. */
function deepFrozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFrozen(member);
  return Object.freeze(value);
}
