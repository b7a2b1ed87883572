// What comes of the RTCP of viewers, in C++ under the sanitizers.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../support/mediaServer.js';
import { root } from '../support/program.js';

const parts = ['rtcp', 'rtcp_desk', 'rtsp_path', 'h264packets', 'packet_trains'];
/** With the sanitizers, on a machine that does other things as well. */
const compilesWithinMs = 120_000;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-desk-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('is for the viewer alone whom it is from', { timeout: 150_000 }, async () => {
  const program = join(folder, 'desk');
  const libraries = ['gstreamer-rtsp-server-1.0', 'gstreamer-net-1.0', 'gstreamer-video-1.0', 'gio-2.0'];
  const { stdout } = await promisify(execFile)('pkg-config', ['--cflags', '--libs', ...libraries]);
  const words = [
    ...['-std=c++17', '-g', '-fsanitize=address,undefined', '-o', program],
    ...[join(root, 'test/native/rtcpDesk.cc'), ...parts.map((part) => join(root, `native/media/${part}.cc`))],
    ...[...stdout.trim().split(/\s+/), '-lpthread'],
  ];
  const built = await run('g++', words, compilesWithinMs);
  expect([built.code, built.err]).toEqual([0, '']);
  // What GLib and GStreamer keep until the end is theirs.
  const { code, err } = await run('env', ['ASAN_OPTIONS=detect_leaks=0', program]);
  expect([code, err]).toEqual([0, '']);
});
