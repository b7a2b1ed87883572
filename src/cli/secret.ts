// Asks for a password: on a terminal without showing what is typed, otherwise all of the standard input.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';

export async function readSecret(
  prompt: string,
  input: NodeJS.ReadStream | ReadStream,
  screen: { write(text: string): unknown },
  signal: AbortSignal,
): Promise<string> {
  if (!input.isTTY) {
    let text = '';
    for await (const chunk of input.setEncoding('utf8')) text += String(chunk);
    return text.replace(/\r?\n$/, '');
  }
  const nowhere = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  const interrupted = new AbortController();
  // In its raw mode a terminal hands Ctrl-C and Ctrl-D over as keys.
  lines.on('SIGINT', () => {
    interrupted.abort();
    process.emit('SIGINT');
  });
  lines.on('close', () => {
    interrupted.abort();
  });
  screen.write(prompt);
  try {
    return await lines.question('', { signal: AbortSignal.any([signal, interrupted.signal]) });
  } finally {
    lines.close();
    screen.write('\n');
  }
}
