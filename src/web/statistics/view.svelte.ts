// What all charts show together: how far back, whether they stand still, and the moment that is looked at.
import type { Decision } from './decisions.js';
import { closest, type Second } from './seconds.js';

export const spans = [1, 3, 10] as const;
export type Span = (typeof spans)[number];

/** How often charts move on for those who would rather see nothing move. */
const calmMs = 10_000;
/** Of the span: a decision so close to the moment is meant. */
const nearby = 0.012;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class View {
  span = $state<Span>(10);
  isPaused = $state(false);
  #inspected = $state<number | undefined>();
  #seconds = $state.raw<readonly Second[]>([]);

  /** The newest seconds, which are shown as far as nobody wants the charts to stand still. */
  follow(seconds: readonly Second[]): void {
    const last = this.#seconds.at(-1)?.at ?? -Infinity;
    const isCalm = calm.matches && Math.abs((seconds.at(-1)?.at ?? 0) - last) < calmMs;
    if (!this.isPaused && !isCalm) this.#seconds = seconds;
  }

  readonly until = $derived(this.#seconds.at(-1)?.at ?? 0);
  readonly since = $derived(this.until - this.span * 60_000);
  readonly seconds = $derived(this.#seconds.filter(({ at }) => at >= this.since));
  /** The second that is looked at; nothing while it is the newest that counts. */
  readonly inspected = $derived(
    this.#inspected === undefined ? undefined : closest(this.seconds, this.#inspected),
  );

  inspect(at: number): void {
    this.#inspected = Math.min(this.until, Math.max(this.since, at));
  }

  /** Some seconds on or back from the moment that is looked at. */
  step(seconds: number): void {
    this.inspect((this.inspected?.at ?? this.until) + seconds * 1000);
  }

  release(): void {
    this.#inspected = undefined;
  }

  among(decisions: readonly Decision[]): readonly Decision[] {
    return decisions.filter(({ at }) => at >= this.since && at <= this.until);
  }

  /** The decision that was made at the moment that is looked at, or hardly before or after. */
  decisionAt(decisions: readonly Decision[]): Decision | undefined {
    const moment = this.#inspected;
    if (moment === undefined) return undefined;
    const distance = ({ at }: Decision): number => Math.abs(at - moment);
    const best = [...decisions].sort((a, b) => distance(a) - distance(b))[0];
    const isNear = best !== undefined && distance(best) <= Math.max(1000, this.span * 60_000 * nearby);
    return isNear ? best : undefined;
  }
}
