// Brings every change to every reader who may see it. Commits of one tick travel together; each message makes what
// the reader holds equal to the server's state at one revision, also for those who skip some.
import { maskOf, type Mask } from '../../observables/permissions.js';
import type { Cell, Registry } from '../../store/cell.js';
import type { StatusChange } from '../../store/status.js';
import { isPerSession, isReadable, type Commit, type Store } from '../../store/store.js';
import type { Dialect } from './dialect.js';
import { Reader, type Cohort, type Transport } from './reader.js';

export interface JoinOptions {
  readonly transport: Transport;
  readonly dialect: Dialect;
  readonly mask: Mask;
  readonly watches: (key: string) => boolean;
  /** What changed after this revision is owed to the reader; without it, only what changes from now on. */
  readonly since?: number;
  /** Called when there is no hope that the reader catches up. */
  readonly onHopeless?: () => void;
}

/** A reader that has been behind for this long will not catch up; a new connection serves it better. */
const hopelessMs = 30_000;
const hopelessCheckMs = 5000;

const seesActorsMask = maskOf(['User_r', 'User_rw']);

export class Sync {
  readonly #store: Pick<Store<Registry>, 'cells' | 'revision' | 'commits$' | 'statuses'>;
  readonly #cohorts = new Map<string, Cohort>();
  readonly #hopeless = new Map<Reader, () => void>();
  readonly #pending = new Set<Cell>();
  readonly #pendingStatuses = new Map<string, StatusChange>();
  readonly #own = new Set<Reader>();
  readonly #timer: NodeJS.Timeout;
  #by: string | undefined;
  #byMany = false;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(store: Pick<Store<Registry>, 'cells' | 'revision' | 'commits$' | 'statuses'>) {
    this.#store = store;
    store.commits$.subscribe((commit) => {
      this.#onCommit(commit);
    });
    store.statuses.changes$.subscribe((change) => {
      this.#pendingStatuses.set(change.key, change);
      this.#schedule();
    });
    this.#timer = setInterval(() => {
      this.#dropHopeless();
    }, hopelessCheckMs).unref();
  }

  get size(): number {
    let readers = 0;
    for (const { members } of this.#cohorts.values()) readers += members.size;
    return readers;
  }

  /** Readers that are behind now. */
  get behind(): number {
    let count = 0;
    for (const { members } of this.#cohorts.values())
      for (const { behindSince } of members) if (behindSince !== undefined) count += 1;
    return count;
  }

  /** What has been committed is on its way before the new reader's own picture is taken: no gap, nothing twice. */
  join({ transport, dialect, mask, watches, since, onHopeless }: JoinOptions): Reader {
    this.flush();
    const cohort = this.#cohortFor(dialect, mask, watches);
    const reader = new Reader(transport, cohort);
    cohort.members.add(reader);
    if (onHopeless !== undefined) this.#hopeless.set(reader, onHopeless);
    if (since !== undefined) {
      for (const cell of this.visible(reader, since)) reader.dirty.add(cell);
      this.#own.add(reader);
      this.#schedule();
    }
    return reader;
  }

  leave(reader: Reader): void {
    reader.cohort.members.delete(reader);
    if (reader.cohort.members.size === 0) this.#cohorts.delete(reader.cohort.id);
    this.#own.delete(reader);
    this.#hopeless.delete(reader);
  }

  /** After a change of rights: withdraws what may not be seen any more and sends what may be seen from now on. */
  move(
    reader: Reader,
    mask: Mask,
    watches: (key: string) => boolean,
    manner: 'announcing' | 'quietly' = 'announcing',
  ): void {
    const before = reader.cohort;
    const after = this.#cohortFor(before.dialect, mask, watches);
    if (after === before) return;
    this.flush();
    before.members.delete(reader);
    if (before.members.size === 0) this.#cohorts.delete(before.id);
    this.#cohorts.set(after.id, after);
    after.members.add(reader);
    reader.cohort = after;
    for (const cell of this.#store.cells) {
      const saw = before.visible[cell.index] === 1;
      const sees = after.visible[cell.index] === 1;
      if (saw && !sees) {
        reader.gone.add(cell.key);
        reader.dirty.delete(cell);
        reader.statuses.delete(cell.key);
      } else if (!saw && sees) {
        // Who has not yet been told that it was gone may hold an older value of it.
        if (manner === 'announcing' || reader.gone.has(cell.key)) reader.dirty.add(cell);
        reader.gone.delete(cell.key);
      }
    }
    this.#own.add(reader);
    this.#schedule();
  }

  /** The cells of a reader that changed after a revision; all of them for one that has nothing yet. */
  visible(reader: Reader, since = -1): Cell[] {
    return this.#store.cells.filter(
      (cell) => reader.cohort.visible[cell.index] === 1 && cell.revision > since,
    );
  }

  /** To be called at every pong. */
  arrived(reader: Reader, mark: string): void {
    if (!reader.arrived(mark) || reader.behindSince === undefined) return;
    // Its message will carry the newest revision, so it must carry all of it, and no later one may repeat it.
    this.flush();
    this.#catchUp(reader);
  }

  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const changed = [...this.#pending];
    const statuses = [...this.#pendingStatuses.values()];
    this.#pending.clear();
    this.#pendingStatuses.clear();
    const by = this.#byMany ? undefined : this.#by;
    this.#by = undefined;
    this.#byMany = false;

    for (const cohort of this.#cohorts.values()) {
      const mine = changed.filter(({ index }) => cohort.visible[index] === 1);
      const told = statuses.filter(({ key }) => this.#isVisible(cohort, key));
      if (mine.length > 0 || told.length > 0) this.#toCohort(cohort, mine, told, by);
    }
    for (const reader of this.#own) {
      this.#own.delete(reader);
      if (reader.behindSince === undefined) this.#catchUp(reader);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#scheduled);
  }

  #toCohort(
    cohort: Cohort,
    mine: readonly Cell[],
    told: readonly StatusChange[],
    by: string | undefined,
  ): void {
    let shared: readonly Buffer[] | undefined;
    for (const reader of cohort.members) {
      if (reader.behindSince === undefined && reader.isFull) {
        reader.behindSince = Date.now();
        reader.prove();
      }
      if (reader.behindSince !== undefined || !reader.owesNothing) {
        for (const cell of mine) reader.dirty.add(cell);
        for (const status of told) reader.statuses.set(status.key, status);
        if (reader.behindSince === undefined) this.#catchUp(reader);
        continue;
      }
      shared ??= this.#messages(cohort, mine, told, by);
      for (const message of shared) reader.send(message);
    }
  }

  #messages(
    cohort: Cohort,
    mine: readonly Cell[],
    told: readonly StatusChange[],
    by: string | undefined,
  ): Buffer[] {
    const { dialect, seesActors } = cohort;
    const facts = {
      cells: mine,
      revision: this.#store.revision,
      by: seesActors ? by : undefined,
      gone: [],
    };
    return [
      ...(mine.length === 0 ? [] : dialect.changes(facts)),
      ...told.flatMap((status) => dialect.status?.(status) ?? []),
    ];
  }

  /** The newest values of all it missed, at once. */
  #catchUp(reader: Reader): void {
    if (reader.isFull) {
      reader.behindSince ??= Date.now();
      return;
    }
    reader.behindSince = undefined;
    const { dialect } = reader.cohort;
    if (!reader.owesNothing) {
      const cells = [...reader.dirty];
      const gone = [...reader.gone];
      reader.dirty.clear();
      reader.gone.clear();
      const facts = { cells, revision: this.#store.revision, by: undefined, gone };
      for (const message of dialect.changes(facts)) reader.send(message);
    }
    for (const status of reader.statuses.values())
      for (const message of dialect.status?.(status) ?? []) reader.send(message);
    reader.statuses.clear();
  }

  #onCommit({ changed, actor }: Commit): void {
    for (const cell of changed) this.#pending.add(cell);
    if (this.#by !== undefined && this.#by !== actor.name) this.#byMany = true;
    this.#by = actor.name;
    this.#schedule();
  }

  #schedule(): void {
    this.#scheduled ??= setImmediate(() => {
      this.flush();
    });
  }

  #cohortFor(dialect: Dialect, mask: Mask, watches: (key: string) => boolean): Cohort {
    const visible = Uint8Array.from(this.#store.cells, (cell) =>
      isReadable(cell, { mask }) && !isPerSession(cell) && watches(cell.key) ? 1 : 0,
    );
    const seesActors = (mask & seesActorsMask) !== 0;
    const id = `${dialect.name} ${seesActors ? 'a' : '-'} ${visible.join('')}`;
    const known = this.#cohorts.get(id);
    if (known !== undefined) return known;
    const cohort: Cohort = { id, dialect, visible, seesActors, members: new Set() };
    this.#cohorts.set(id, cohort);
    return cohort;
  }

  #isVisible(cohort: Cohort, key: string): boolean {
    const index = this.#indexOf.get(key);
    return index !== undefined && cohort.visible[index] === 1;
  }

  get #indexOf(): ReadonlyMap<string, number> {
    this.#indices ??= new Map(this.#store.cells.map(({ key, index }) => [key, index]));
    return this.#indices;
  }
  #indices: ReadonlyMap<string, number> | undefined;

  #dropHopeless(): void {
    const now = Date.now();
    for (const [reader, drop] of this.#hopeless)
      if (reader.behindSince !== undefined && now - reader.behindSince > hopelessMs) drop();
  }
}
