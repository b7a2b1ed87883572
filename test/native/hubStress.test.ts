// The hub's C++ under the sanitizers of addresses and of threads.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../support/mediaServer.js';
import { root } from '../support/program.js';

const parts = ['channel', 'hubsink', 'hubsrc', 'pipelines', 'graph', 'rtptimes', 'rtp_reports', 'tap'];
/** With the sanitizers, on a machine that does other things as well. */
const compilesWithinMs = 120_000;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-hub-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function build(sanitizer: string): Promise<string> {
  const program = join(folder, sanitizer.replaceAll(',', '-'));
  const libraries = ['', '-base', '-video', '-rtp'].map((part) => `gstreamer${part}-1.0`);
  const { stdout } = await promisify(execFile)('pkg-config', ['--cflags', '--libs', ...libraries]);
  const sources = parts.map((part) => join(root, 'native/media', `${part}.cc`));
  const words = [
    ...['-std=c++17', '-O1', '-g', `-fsanitize=${sanitizer}`, '-o', program],
    ...[join(root, 'test/native/hubStress.cc'), ...sources, ...stdout.trim().split(/\s+/), '-lpthread'],
  ];
  const { code, err } = await run('g++', words, compilesWithinMs);
  expect([code, err]).toEqual([0, '']);
  return program;
}

it('breaks no promise and touches no memory that is not its own', { timeout: 150_000 }, async () => {
  const program = await build('address,undefined');
  // What GLib and GStreamer keep until the end is theirs.
  const { code, err } = await run('env', ['ASAN_OPTIONS=detect_leaks=0', program, 'elements']);
  expect([code, err]).toEqual([0, '']);
});

it('has no races', { timeout: 150_000 }, async () => {
  const program = await build('thread');
  const suppressions = join(root, 'test/native/tsan.supp');
  // Where memory is laid out too freely the sanitizer cannot work.
  const { code, err } = await run('setarch', [
    ...['-R', 'env', `TSAN_OPTIONS=halt_on_error=1:suppressions=${suppressions}`, program],
  ]);
  expect([code, err]).toEqual([0, '']);
});
