// What was learnt of the ways to the viewers, from everybody who learns something, ten times a second.
import type { PathSample } from '../adaptive/samples.js';

const collectEveryMs = 100;

/** Milliseconds on the clock by which packets are sent. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Asks each source for what has come since the last time, and tells it where there is anything. */
export function collectPathSamples(
  sources: readonly ((at: number) => readonly PathSample[])[],
  onSamples: (at: number, samples: readonly PathSample[]) => void,
): void {
  setInterval(() => {
    const at = monotonicMs();
    const samples = sources.flatMap((source) => source(at));
    if (samples.length > 0) onSamples(at, samples);
  }, collectEveryMs);
}

/** As the addon writes them: empty where there are none. */
export function parseSamples(json: string): readonly PathSample[] {
  return json === '' ? [] : (JSON.parse(json) as PathSample[]);
}
