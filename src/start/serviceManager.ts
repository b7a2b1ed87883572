// Tells the service manager how the server fares: that it is up, what it does, and, as long as it is sound, that it
// need not be ended. A camera that is away or a media process that is being replaced is no reason to end the server.
import type { Check, Viewer } from '../api/services.js';

export interface ServiceManagerParts {
  readonly notify: (state: string) => unknown;
  /** `WATCHDOG_USEC` and `WATCHDOG_PID`, as systemd sets them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readiness: () => readonly Check[];
  readonly viewers: () => readonly Pick<Viewer, 'id' | 'bytes'>[];
  /** What a restart of this process could put right. */
  readonly isSound: () => boolean;
}

const everyMs = 1000;
/** Whoever does not come up fully is up all the same: settings can be looked at and put right. */
const readyWithinMs = 15_000;

/** Returns how to stop. */
export function reportToServiceManager(parts: ServiceManagerParts): () => void {
  const { notify, readiness } = parts;
  const begin = performance.now();
  const traffic = new Traffic();
  let isReady = false;
  let told = '';
  const report = (): void => {
    const failing = readiness().filter(({ ok }) => !ok);
    if (!isReady && (failing.length === 0 || performance.now() - begin > readyWithinMs)) {
      isReady = true;
      notify('READY=1');
    }
    const status = statusOf(
      parts.viewers().length,
      traffic.rate(parts.viewers(), performance.now()),
      failing,
    );
    if (status !== told) notify(`STATUS=${status}`);
    told = status;
  };
  report();
  const timer = setInterval(report, everyMs);
  const watchdog = watchdogInterval(parts.environment);
  const feed = (): void => {
    if (parts.isSound()) notify('WATCHDOG=1');
  };
  if (watchdog !== undefined) feed();
  const feeding = watchdog === undefined ? undefined : setInterval(feed, watchdog);
  return () => {
    clearInterval(timer);
    clearInterval(feeding);
  };
}

/** Half of what is allowed, as systemd advises; undefined where nobody watches over this process. */
export function watchdogInterval({
  WATCHDOG_USEC,
  WATCHDOG_PID,
}: ServiceManagerParts['environment']): number | undefined {
  const allowed = Number(WATCHDOG_USEC);
  if (WATCHDOG_USEC === undefined || !(allowed > 0)) return undefined;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return undefined;
  return Math.max(1, allowed / 2000);
}

export function statusOf(viewers: number, bitsPerSecond: number, failing: readonly Check[]): string {
  const who = `${String(viewers)} ${viewers === 1 ? 'viewer' : 'viewers'}`;
  const traffic = `${who}, ${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`;
  const trouble = failing.map(({ name, reason }) => `${name}: ${reason ?? 'does not work'}`).join('; ');
  // One line, of a length that fits into lists.
  return (trouble === '' ? traffic : `${traffic}; ${trouble}`).replaceAll(/\s+/g, ' ').slice(0, 256);
}

/** What all viewers together are sent. */
class Traffic {
  #bytes = new Map<string, number>();
  #at: number | undefined;

  rate(viewers: readonly Pick<Viewer, 'id' | 'bytes'>[], now: number): number {
    const seconds = this.#at === undefined ? 0 : (now - this.#at) / 1000;
    let sent = 0;
    // Who has just come may have been sent the past of the stream at once.
    for (const { id, bytes } of viewers) sent += Math.max(0, bytes - (this.#bytes.get(id) ?? bytes));
    this.#bytes = new Map(viewers.map(({ id, bytes }) => [id, bytes]));
    this.#at = now;
    return seconds > 0 ? (sent * 8) / seconds : 0;
  }
}
