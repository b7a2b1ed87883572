// Slows down guessing: log-in attempts per account and per address, and a bucket for everything that comes in numbers.

export interface LimiterOptions {
  readonly failures?: number;
  readonly windowMs?: number;
  readonly banMs?: number;
  readonly now?: () => number;
}

interface Attempts {
  failures: number;
  since: number;
  bannedUntil: number;
}

/** More than this many names or addresses are not remembered: a flood of made-up ones must not fill the memory. */
const remembered = 10_000;

export class LoginLimiter {
  readonly #failures: number;
  readonly #windowMs: number;
  readonly #banMs: number;
  readonly #now: () => number;
  readonly #records = new Map<string, Attempts>();

  constructor({ failures = 5, windowMs = 300_000, banMs = 300_000, now = Date.now }: LimiterOptions = {}) {
    this.#failures = failures;
    this.#windowMs = windowMs;
    this.#banMs = banMs;
    this.#now = now;
  }

  /** Seconds to wait; 0 where an attempt may be made. */
  waitFor(username: string, address: string | undefined): number {
    const waits = subjects(username, address).map((subject) => {
      const record = this.#records.get(subject);
      return record === undefined ? 0 : record.bannedUntil - this.#now();
    });
    return Math.ceil(Math.max(0, ...waits) / 1000);
  }

  failed(username: string, address: string | undefined): void {
    const now = this.#now();
    for (const subject of subjects(username, address)) {
      const known = this.#records.get(subject);
      const fresh = known === undefined || now - known.since > this.#windowMs;
      const record = fresh ? { failures: 0, since: now, bannedUntil: 0 } : known;
      record.failures += 1;
      if (record.failures >= this.#failures) record.bannedUntil = now + this.#banMs;
      this.#records.delete(subject);
      this.#records.set(subject, record);
    }
    if (this.#records.size > remembered) this.#forget(now);
  }

  /** Forgives the failures at this account; those at others of the same address stay, or an account would buy guesses. */
  succeeded(username: string, address: string | undefined): void {
    const [account = '', place = ''] = subjects(username, address);
    const forgiven = this.#records.get(account)?.failures ?? 0;
    this.#records.delete(account);
    const record = this.#records.get(place);
    if (record !== undefined) record.failures = Math.max(0, record.failures - forgiven);
  }

  /** The oldest first, but nobody who is being kept out as long as there is anybody else. */
  #forget(now: number): void {
    const harmless = [...this.#records].filter(([, { bannedUntil }]) => bannedUntil <= now);
    const order = [...harmless.map(([subject]) => subject), ...this.#records.keys()];
    // Some more than needed, so that a flood does not make every failure search again.
    for (const subject of order) {
      if (this.#records.size <= remembered * 0.9) break;
      this.#records.delete(subject);
    }
  }
}

/** An account is counted per address as well, so that a stranger's guesses do not lock its owner out. */
function subjects(username: string, address: string | undefined): string[] {
  const place = networkOf(address ?? '');
  return [`account ${username} ${place}`, `address ${place}`];
}

/** One household has a whole /64 of IPv6 addresses. */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest]
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

/** An IPv4 address also where it came in the form of IPv6, which sockets for both give it. */
function plainAddress(address: string): string {
  const lower = address.toLowerCase();
  const mapped = /^(?:0{0,4}:){0,5}:?ffff:(.+)$/.exec(lower)?.[1];
  if (mapped === undefined) return lower;
  if (mapped.includes('.')) return mapped;
  const [high = 0, low = 0, ...more] = mapped.split(':').map((group) => Number.parseInt(group, 16));
  return more.length > 0 ? lower : [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filled: number;

  constructor(ratePerSecond: number, burst: number, now: () => number = Date.now) {
    this.#rate = ratePerSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filled = now();
  }

  /** Whether there was one left. */
  take(): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filled) / 1000) * this.#rate);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Seconds until there is one. */
  get wait(): number {
    return Math.max(0, (1 - this.#tokens) / this.#rate);
  }
}
