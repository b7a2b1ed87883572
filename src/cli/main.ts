#!/usr/bin/env node
// The command line as a process: standard streams, Ctrl-C, exit code.
import { exitCodes } from './exit.js';
import { run } from './program.js';
import { readSecret } from './secret.js';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  interrupt.abort();
});
// Whoever reads the output has heard enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.failed);
});

process.exitCode = await run(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  environment: process.env,
  signal: interrupt.signal,
  readInput: async () => {
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
    return text;
  },
  readSecret: (prompt) => readSecret(prompt, process.stdin, process.stderr, interrupt.signal),
});
