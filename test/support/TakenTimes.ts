/** Finds out from reports of the sender when the pictures of a stream were taken, as RFC 3550 has it. */
export class TakenTimes {
  readonly #stamps: number[] = [];
  #report: { readonly at: number; readonly stamp: number } | undefined;

  picture(stamp: number): void {
    this.#stamps.push(stamp);
  }

  /** The time is in NTP's form: seconds since 1900, and parts of one of which 2 ** 32 are a second. */
  told(seconds: number, fraction: number, stamp: number): void {
    const secondsBefore1970 = 2_208_988_800;
    this.#report = { at: (seconds - secondsBefore1970 + fraction / 2 ** 32) * 1000, stamp };
  }

  /** Milliseconds since 1970; nothing before the first report. */
  taken(): number[] {
    const report = this.#report;
    if (report === undefined) return [];
    return this.#stamps.map((stamp) => report.at + ((stamp - report.stamp) | 0) / 90);
  }
}
