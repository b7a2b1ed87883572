// Wanted and real, told apart: for every key that something else must carry out, whether it has done so.
import { filter, firstValueFrom, map, startWith, Subject, takeUntil, type Observable } from 'rxjs';

export type Standing = 'applied' | 'pending' | 'failed';

export interface Status {
  readonly status: Standing;
  /** The revision this speaks of. */
  readonly revision: number;
  /** Why it failed; or, where it is in force, what else there is to say of it. */
  readonly reason?: string;
}

export interface StatusChange extends Status {
  readonly key: string;
}

export class StatusBoard {
  readonly #owned = new Map<string, Status>();
  readonly #remarks = new Map<string, string>();
  readonly #changes = new Subject<StatusChange>();
  readonly #closed = new Subject<void>();
  readonly changes$: Observable<StatusChange> = this.#changes.asObservable();

  /** From now on somebody answers for these keys. */
  own(keys: Iterable<string>): void {
    for (const key of keys) this.#owned.set(key, { status: 'applied', revision: 0 });
  }

  disown(keys: Iterable<string>): void {
    for (const key of keys) this.#owned.delete(key);
  }

  /** What nobody has to carry out is applied as soon as it is committed. */
  of(key: string, committedAt: number): Status {
    return this.#owned.get(key) ?? { status: 'applied', revision: committedAt };
  }

  /** Everything that is not simply in force. */
  unsettled(): StatusChange[] {
    return [...this.#owned]
      .filter(([, { status, reason }]) => status !== 'applied' || reason !== undefined)
      .map(([key, status]) => ({ key, ...status }));
  }

  expect(keys: Iterable<string>, revision: number): void {
    for (const key of keys) if (this.#owned.has(key)) this.#set(key, { status: 'pending', revision });
  }

  /** The owner's word on all it was asked up to a revision; what has been asked since stays pending. */
  report(keys: Iterable<string>, outcome: Status): void {
    for (const key of keys) {
      const now = this.#owned.get(key);
      if (now === undefined || now.revision > outcome.revision) continue;
      if (now.status === 'applied' && outcome.status === 'applied') continue;
      const remark = outcome.status === 'applied' ? this.#remarks.get(key) : undefined;
      this.#set(key, {
        ...outcome,
        ...(remark === undefined ? {} : { reason: remark }),
        revision: now.revision,
      });
    }
  }

  /** Says, until it is taken back, in what way something is in force differently from what one would think. */
  remark(key: string, text: string | undefined): void {
    if (text === undefined) this.#remarks.delete(key);
    else this.#remarks.set(key, text);
    const now = this.#owned.get(key);
    if (now?.status !== 'applied' || now.reason === text) return;
    const { status, revision } = now;
    this.#set(key, { status, revision, ...(text === undefined ? {} : { reason: text }) });
  }

  /** Resolves once none of the keys is pending; with the first failure where there is one. */
  settled(keys: readonly string[]): Promise<StatusChange | undefined> {
    const verdict = (): { readonly failure?: StatusChange } | undefined => {
      const known = keys.flatMap((key) => {
        const status = this.#owned.get(key);
        return status === undefined ? [] : [{ key, ...status }];
      });
      if (known.some(({ status }) => status === 'pending')) return undefined;
      const failure = known.find(({ status }) => status === 'failed');
      return failure === undefined ? {} : { failure };
    };
    return firstValueFrom(
      this.#changes.pipe(
        startWith(undefined),
        map(verdict),
        filter((answer) => answer !== undefined),
        map(({ failure }) => failure),
        takeUntil(this.#closed),
      ),
      { defaultValue: undefined },
    );
  }

  close(): void {
    this.#closed.next();
    this.#closed.complete();
    this.#changes.complete();
  }

  #set(key: string, status: Status): void {
    this.#owned.set(key, status);
    this.#changes.next({ key, ...status });
  }
}
