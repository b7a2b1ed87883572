// A virtual encoder: pictures whose sizes vary, keyframes that are larger and are paid back afterwards, and a rate that
// follows its target with the lag of the rate control.
import { chance, type Chance } from './random.js';

export interface EncoderSpec {
  readonly framerate: number;
  /** Seconds between keyframes. */
  readonly keyframeSeconds: number;
  /** How many times the size of a usual picture a keyframe has. */
  readonly keyframeRatio: number;
  readonly lagMs: number;
  /** The most that the picture needs, in bit/s by second: a scene in which nothing moves needs little. */
  readonly content?: (second: number) => number;
}

export interface Picture {
  readonly bytes: number;
  readonly key: boolean;
}

const spread = 0.15;
const keyframeSpread = 0.1;
const paidBackOver = 20;
const smallestBytes = 200;
/** Requests for keyframes are answered so often at most. */
const forcedEveryMs = 500;

export class Encoder {
  readonly spec: EncoderSpec;
  framerate: number;
  readonly #chance: Chance;
  #rate: number;
  #debt = 0;
  #sinceKeyframe = Infinity;
  #wantsKeyframe = false;
  #forcedAt = -Infinity;

  constructor(spec: EncoderSpec, rate: number, seed: number) {
    this.spec = spec;
    this.framerate = spec.framerate;
    this.#rate = rate;
    this.#chance = chance(seed);
  }

  requestKeyframe(): void {
    this.#wantsKeyframe = true;
  }

  next(at: number, target: number): Picture {
    const frameMs = 1000 / this.framerate;
    this.#rate += (target - this.#rate) * (1 - Math.exp(-frameMs / this.spec.lagMs));
    const rate = Math.min(this.#rate, this.spec.content?.(at / 1000) ?? Infinity);
    const forced = this.#wantsKeyframe && at - this.#forcedAt >= forcedEveryMs;
    if (forced) {
      this.#forcedAt = at;
      this.#wantsKeyframe = false;
    }
    const key = forced || this.#sinceKeyframe >= this.spec.keyframeSeconds * 1000 - 1;
    this.#sinceKeyframe = key ? frameMs : this.#sinceKeyframe + frameMs;
    const bytes = Math.max(smallestBytes, (rate / 8 / this.framerate) * this.#size(key));
    return { bytes, key };
  }

  #size(key: boolean): number {
    const ratio = this.spec.keyframeRatio;
    if (key) {
      this.#debt += ratio - 1;
      return ratio * Math.exp(keyframeSpread * this.#chance.normal());
    }
    const usual = Math.exp(spread * this.#chance.normal() - spread ** 2 / 2);
    const pays = Math.min(this.#debt, (ratio - 1) / paidBackOver, 0.5);
    this.#debt -= pays;
    return Math.max(0.2, usual - pays);
  }
}
