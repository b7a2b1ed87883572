// What viewers cost: CPU and memory of the process that serves 720p30 at 4 Mbit/s over RTSP/TCP, beside a bare
// gst-rtsp-server that does the same, both in one run; and how soon a newcomer has its first bytes.
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemActor } from '../src/store/actor.js';
import { freePorts } from '../test/support/ports.js';
import { RtspSocket } from '../test/support/RtspSocket.js';
import { benchPassword, median, openLab, tell } from './lab.js';

const counts = [1, 10, 50, 100] as const;
const secondsEach = 8;
const newcomers = 20;
const ticksPerSecond = 100;

interface Cost {
  /** Per cent of one core. */
  readonly cpu: number;
  readonly megabytes: number;
}

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly credentials: string;
}

export async function benchMedia(): Promise<void> {
  const [rtspPort = 0, floorPort = 0] = await freePorts(2);
  const lab = await openLab({ media: true, rtspPort });
  const floor = await startFloor(lab.folder, floorPort);
  try {
    const outcome = await lab.server.store.transact(
      systemActor(),
      {
        streamResolution: '1280x720',
        streamFramerate: 30,
        streamBitrate: 4_000_000,
        stream2: { ...lab.server.store.get('stream2'), enabled: false },
      },
      { wait: 'applied' },
    );
    if (!outcome.ok) throw new Error(outcome.error.message);
    const heads = lab.server.store.get('cameraHeadSettings');
    const primary = { ...heads.primary, resolution: '1280x720', fps: 30 };
    await lab.server.store.transact(
      systemActor(),
      { cameraHeadSettings: { ...heads, primary } },
      { wait: 'applied' },
    );
    const state = lab.server.media?.report().state;
    if (state?.phase !== 'running') throw new Error('There is no video on this machine');
    const subjects: Subject[] = [
      { name: 'bare gst-rtsp-server', port: floorPort, pid: floor.pid, credentials: '' },
      { name: 'obscura', port: rtspPort, pid: state.pid, credentials: `admin:${benchPassword}` },
    ];
    for (const subject of subjects) {
      const costs = await costsOf(subject);
      for (const [index, { cpu, megabytes }] of costs.entries())
        tell(
          `${subject.name}, ${String(counts[index])} viewers over TCP: ${cpu.toFixed(1)} % of a core, ${megabytes.toFixed(0)} MB`,
        );
      const [one, ...more] = costs;
      const last = more.at(-1);
      if (one !== undefined && last !== undefined)
        tell(`${subject.name}, each viewer more: ${((last.cpu - one.cpu) / 99).toFixed(3)} % of a core`);
      const times = await firstBytes(subject);
      tell(
        `${subject.name}, connection to the first packet of a picture, warm: p50 ${median(times).toFixed(0)} ms`,
      );
    }
  } finally {
    floor.stop();
    await lab.close();
  }
}

async function costsOf({ port, pid, credentials }: Subject): Promise<Cost[]> {
  const viewers: RtspSocket[] = [];
  const costs: Cost[] = [];
  for (const count of counts) {
    while (viewers.length < count) viewers.push(await RtspSocket.play(port, '/stream1', credentials));
    await Promise.all(viewers.map((viewer) => viewer.until(({ packets }) => packets > 10)));
    const before = ticks(pid);
    const began = performance.now();
    await pause(secondsEach * 1000);
    const spent = (ticks(pid) - before) / ticksPerSecond;
    costs.push({
      cpu: (spent / ((performance.now() - began) / 1000)) * 100,
      megabytes: residentMegabytes(pid),
    });
  }
  await Promise.all(viewers.map((viewer) => viewer.stop()));
  return costs;
}

async function firstBytes({ port, credentials }: Subject): Promise<number[]> {
  const stays = await RtspSocket.play(port, '/stream1', credentials);
  await stays.until(({ packets }) => packets > 50);
  const times: number[] = [];
  for (let count = 0; count < newcomers; count += 1) {
    const began = performance.now();
    const viewer = await RtspSocket.play(port, '/stream1', credentials);
    await viewer.until(({ packets }) => packets > 0);
    times.push(performance.now() - began);
    await viewer.stop();
  }
  await stays.stop();
  return times;
}

async function startFloor(
  folder: string,
  port: number,
): Promise<{ readonly pid: number; readonly stop: () => void }> {
  const program = join(folder, 'floor');
  const run = promisify(execFile);
  const { stdout } = await run('pkg-config', ['--cflags', '--libs', 'gstreamer-rtsp-server-1.0']);
  const source = new URL('./floor.c', import.meta.url).pathname;
  await run('gcc', ['-O2', '-o', program, source, ...stdout.trim().split(/\s+/)]);
  const launch =
    '( videotestsrc is-live=true pattern=smpte horizontal-speed=2 ! video/x-raw,format=NV12,width=1280,height=720,framerate=30/1 ! x264enc tune=zerolatency speed-preset=superfast key-int-max=60 vbv-buf-capacity=100 bitrate=4000 ! rtph264pay name=pay0 config-interval=-1 aggregate-mode=zero-latency )';
  const child = spawn(program, [String(port), launch], { stdio: 'ignore' });
  await pause(500);
  return {
    pid: child.pid ?? 0,
    stop: () => {
      child.kill();
    },
  };
}

function ticks(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function residentMegabytes(pid: number): number {
  return (
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) / 1024
  );
}
