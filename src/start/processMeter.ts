// How much of the processors a process uses, out of how long it has used them in all.
import type { ProcessTimes } from '../system/readings.js';

export class ProcessMeter {
  readonly #processors: number;
  #before: ProcessTimes | undefined;
  #percent = 0;

  constructor(processors: number) {
    this.#processors = processors;
  }

  /** Percent of all processors since the last reading; nothing for a process that has just begun, or that there is not. */
  take(now: ProcessTimes | undefined): number {
    const before = this.#before;
    this.#before = now;
    const isAnother = before === undefined || now === undefined || now.usedMs < before.usedMs;
    if (isAnother) this.#percent = 0;
    // Where nothing newer has been heard, the last one stands.
    else if (now.atMs > before.atMs) {
      const share = (now.usedMs - before.usedMs) / (now.atMs - before.atMs) / this.#processors;
      this.#percent = Math.min(100, Math.round(1000 * share) / 10);
    }
    return this.#percent;
  }
}
