// How fast counters grow, from looks at them now and then.

interface Look {
  readonly at: number;
  readonly total: number;
}

/** Long enough for a keyframe to be among the pictures, and short enough to be now. */
const windowMs = 2000;

export class Rates {
  readonly #looks = new Map<string, Look[]>();

  /** By how much a second this counter has grown lately; 0 at the first look. */
  of(name: string, total: number, at: number): number {
    const { growth, seconds } = this.#look(name, total, at);
    return seconds === 0 ? 0 : growth / seconds;
  }

  /** By how much it has grown lately. */
  growth(name: string, total: number, at: number): number {
    return this.#look(name, total, at).growth;
  }

  /** Forgets those that nobody has looked at for as long as it looks back. */
  tidy(at: number): void {
    for (const [name, looks] of this.#looks)
      if ((looks.at(-1)?.at ?? 0) < at - windowMs) this.#looks.delete(name);
  }

  #look(name: string, total: number, at: number): { readonly growth: number; readonly seconds: number } {
    const before = this.#looks.get(name) ?? [];
    // A counter that has begun anew has no past.
    const looks = (before.at(-1)?.total ?? 0) > total ? [] : before;
    looks.push({ at, total });
    while ((looks[1]?.at ?? at) <= at - windowMs) looks.shift();
    this.#looks.set(name, looks);
    const { at: since, total: then } = looks[0] ?? { at, total };
    return { growth: total - then, seconds: (at - since) / 1000 };
  }
}
