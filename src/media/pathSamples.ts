// Gathers what is learnt of the ways to the viewers, from whoever learns something, and tells it ten times a second.
import type { PathSample } from '../adaptive/samples.js';

const everyMs = 100;

/** Milliseconds on the clock of all samples, which is the same for all processes of the machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Those since the last time. */
export type SampleSource = () => readonly PathSample[];

export class PathSamples {
  readonly #sources: readonly SampleSource[];
  readonly #tell: (samples: readonly PathSample[]) => void;
  readonly #timer: NodeJS.Timeout;

  /** Nothing is told where there is nothing. */
  constructor(sources: readonly SampleSource[], tell: (samples: readonly PathSample[]) => void) {
    this.#sources = sources;
    this.#tell = tell;
    this.#timer = setInterval(() => {
      this.#gather();
    }, everyMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #gather(): void {
    const samples = this.#sources.flatMap((source) => source());
    if (samples.length > 0) this.#tell(samples);
  }
}

/** As the addon writes them: empty where there are none. */
export function parseSamples(json: string): readonly PathSample[] {
  return json === '' ? [] : (JSON.parse(json) as PathSample[]);
}
