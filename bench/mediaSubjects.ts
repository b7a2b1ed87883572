// The servers that `npm run bench -- media` compares: this one, a bare gst-rtsp-server, and one of your choice.
import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RtspSocket } from '../test/support/RtspSocket.js';

const ticksPerSecond = 100;
const peerStartsWithinMs = 10_000;

/** A server under measurement, and how to play its stream. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly credentials: string;
}

export interface Started extends Subject {
  readonly stop: () => void;
}

export async function startFloor(folder: string, port: number): Promise<Started> {
  const program = join(folder, 'floor');
  const run = promisify(execFile);
  const { stdout } = await run('pkg-config', ['--cflags', '--libs', 'gstreamer-rtsp-server-1.0']);
  const source = new URL('./floor.c', import.meta.url).pathname;
  await run('gcc', ['-O2', '-o', program, source, ...stdout.trim().split(/\s+/)]);
  const launch = [
    '( videotestsrc is-live=true pattern=smpte horizontal-speed=2',
    'video/x-raw,format=NV12,width=1280,height=720,framerate=30/1',
    'x264enc tune=zerolatency speed-preset=superfast key-int-max=60 vbv-buf-capacity=100 bitrate=4000',
    'rtph264pay name=pay0 config-interval=-1 aggregate-mode=zero-latency )',
  ].join(' ! ');
  const child = spawn(program, [String(port), launch], { stdio: 'ignore' });
  const started = {
    ...{ name: 'bare gst-rtsp-server', port, pid: child.pid ?? 0, credentials: '' },
    stop: () => {
      child.kill();
    },
  };
  await untilItPlays(started);
  return started;
}

/**
 * PEER_COMMAND is run by the shell, which it should replace (`exec`): an RTSP server that serves at
 * `rtsp://127.0.0.1:$RTSP_PORT/stream1` what it fetches from `$SOURCE_URL`.
 */
export async function startPeer(port: number, sourcePort: number): Promise<Started | undefined> {
  const command = process.env['PEER_COMMAND'];
  if (command === undefined) return undefined;
  const child = spawn('sh', ['-c', command], {
    stdio: 'ignore',
    env: {
      ...process.env,
      RTSP_PORT: String(port),
      SOURCE_URL: `rtsp://127.0.0.1:${String(sourcePort)}/stream1`,
    },
  });
  const started = {
    ...{ name: process.env['PEER_NAME'] ?? 'peer', port, pid: child.pid ?? 0, credentials: '' },
    stop: () => {
      child.kill();
    },
  };
  await untilItPlays(started);
  return started;
}

async function untilItPlays({ port, name }: Subject): Promise<void> {
  const until = Date.now() + peerStartsWithinMs;
  for (;;) {
    try {
      const viewer = await RtspSocket.play(port, '/stream1', '');
      await viewer.stop();
      return;
    } catch (error) {
      if (Date.now() > until) throw new Error(`${name} does not play: ${String(error)}`, { cause: error });
      await pause(100);
    }
  }
}

/** Seconds of a core that a process has used. */
export function usedSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export function residentMegabytes(pid: number): number {
  return (
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) / 1024
  );
}

export function threadsOf(pid: number): number {
  return readdirSync(`/proc/${String(pid)}/task`).length;
}
