import { run } from '../../src/cli/program.js';

export interface CliResult {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Called with everything written so far, whenever more is. */
  readonly onOutput?: (out: string) => void;
}

/** The command line in this process, with streams of its own. */
export async function cli(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  { input = '', signal, onOutput }: CliOptions = {},
): Promise<CliResult> {
  let out = '';
  let err = '';
  const exitCode = await run(words, {
    out: {
      write: (text) => {
        out += text;
        onOutput?.(out);
      },
    },
    err: { write: (text) => (err += text) },
    environment,
    signal: signal ?? new AbortController().signal,
    readInput: () => Promise.resolve(input),
    readSecret: () => Promise.resolve(input.replace(/\r?\n$/, '')),
  });
  return { exitCode, out, err };
}
