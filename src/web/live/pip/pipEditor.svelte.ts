// The layout under somebody's hand: what is dragged is seen at once by all who watch, and kept as one change when it is let
// go of. A change by somebody else in between wins, and is told.
import { ClientError } from '../../../client/index.js';
import { desk } from '../../desk.svelte.js';
import { LiveChange } from '../../liveChange.js';
import { messageOf } from '../../messageOf.js';
import type { Limits, PipLayout } from './place.js';

const key = 'pipLayout';
/** After the last key, a person has arrived where they wanted to be. */
const settledAfterMs = 800;

type Note =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'overtaken' };

interface Gesture {
  readonly live: LiveChange<PipLayout>;
  readonly before: PipLayout;
}

export class PipEditor {
  #draft = $state.raw<PipLayout | undefined>();
  #note = $state.raw<Note>({ kind: 'none' });
  #gesture: Gesture | undefined;
  /** What stood before the editing, for as long as nobody else has changed it. */
  #original = $state.raw<PipLayout | undefined>();
  /** Of the newest change made here. */
  #own = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  /** As it is seen: under the hand, or as the server has it. */
  get layout(): PipLayout | undefined {
    return this.#draft ?? this.#saved;
  }

  get note(): Note {
    return this.#note;
  }

  get isOn(): boolean {
    return desk.values.get('pipEnabled') === true;
  }

  get needs(): readonly string[] {
    return desk.schema?.properties[key]?.['x-write'] ?? [];
  }

  get isLocked(): boolean {
    return desk.schema?.properties[key]?.readOnly !== false;
  }

  get isUsable(): boolean {
    return !this.isLocked && desk.isCurrent;
  }

  limitsOf(member: 'pipScale' | 'borderWidth'): Limits {
    const { minimum: lowest = 0, maximum: highest = 1 } =
      desk.schema?.properties[key]?.properties?.[member] ?? {};
    return { lowest, highest };
  }

  /** Whether there is something to return to. */
  get isChanged(): boolean {
    return this.#original !== undefined && !isSame(this.#original, this.layout);
  }

  get #saved(): PipLayout | undefined {
    return desk.values.get(key) as PipLayout | undefined;
  }

  /** A hand takes hold. What is changed from here on is one change, and none where somebody else comes first. */
  begin(): void {
    const before = this.#saved;
    if (this.#gesture !== undefined || before === undefined || !this.isUsable) return;
    this.#original ??= before;
    // The answer to a change may be here before the news of it.
    const live = this.#change(Math.max(desk.revision ?? 0, this.#own));
    this.#gesture = { live, before };
  }

  /** Seen by everybody, and not kept so far. */
  show(layout: PipLayout): void {
    if (this.#gesture === undefined) return;
    this.#draft = layout;
    this.#gesture.live.show(layout);
  }

  /** For a hand that does not let go of anything: what is shown is kept after a while. */
  showAWhile(layout: PipLayout): void {
    this.begin();
    this.show(layout);
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.letGo(), settledAfterMs);
  }

  async keep(layout: PipLayout): Promise<void> {
    this.begin();
    if (this.#gesture === undefined) return;
    this.#draft = layout;
    await this.letGo();
  }

  /** Keeps what is under the hand. */
  async letGo(): Promise<void> {
    const gesture = this.#gesture;
    const draft = this.#draft;
    clearTimeout(this.#settling);
    this.#gesture = undefined;
    if (gesture === undefined || draft === undefined) return;
    await this.#finish(isSame(draft, gesture.before) ? gesture.live.forget(draft) : gesture.live.keep(draft));
  }

  /** Back to what stood before this movement. */
  async cancel(): Promise<void> {
    const gesture = this.#gesture;
    if (gesture === undefined) return;
    clearTimeout(this.#settling);
    this.#gesture = undefined;
    this.#draft = gesture.before;
    await this.#finish(gesture.live.forget(gesture.before));
  }

  /** Back to what stood before this movement or, after it, before the editing. */
  async revert(): Promise<void> {
    if (this.#gesture !== undefined) await this.cancel();
    else if (this.#original !== undefined && this.isChanged && this.isUsable) {
      // Newer than what was changed here is what somebody else has changed.
      const live = this.#change(this.#own);
      this.#draft = this.#original;
      await this.#finish(live.keep(this.#original));
    }
  }

  /** The hand has gone: what it held stays where it is. */
  close(): void {
    void this.letGo();
    this.#original = undefined;
    this.#note = { kind: 'none' };
  }

  #change(revision: number): LiveChange<PipLayout> {
    this.#note = { kind: 'none' };
    return new LiveChange(
      revision,
      async (layout, { ifRevision, transient }) =>
        (this.#own = await desk.change(key, layout, ifRevision, transient ? true : undefined)),
      (error) => {
        this.#fail(error);
      },
    );
  }

  async #finish(end: Promise<unknown>): Promise<void> {
    const draft = this.#draft;
    try {
      await end;
      // Another movement may have begun in the meantime.
      if (this.#draft === draft && this.#gesture === undefined) this.#draft = undefined;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    clearTimeout(this.#settling);
    this.#gesture = undefined;
    this.#draft = undefined;
    if (error instanceof ClientError && error.code === 'conflict') {
      this.#original = undefined;
      this.#note = { kind: 'overtaken' };
    } else this.#note = { kind: 'refused', reason: messageOf(error) };
  }
}

function isSame(a: PipLayout, b: PipLayout | undefined): boolean {
  const sorted = (layout: PipLayout | undefined): string =>
    JSON.stringify(Object.entries(layout ?? {}).toSorted(([one], [other]) => one.localeCompare(other)));
  return sorted(a) === sorted(b);
}
