// What the machine says about itself: load, memory, space, temperature, name and addresses.
import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, freemem, hostname, networkInterfaces, platform, release, totalmem } from 'node:os';

export interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

export function readCpuTimes(): CpuTimes {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const total = times.user + times.nice + times.sys + times.idle + times.irq;
    all += total;
    busy += total - times.idle;
  }
  return { busy, all };
}

/** Percent of all processors. */
export function usageBetween(before: CpuTimes, after: CpuTimes): number {
  const all = after.all - before.all;
  return all <= 0 ? 0 : Math.round((1000 * (after.busy - before.busy)) / all) / 10;
}

/** How long a process has used processors, and when that was so on its own clock. */
export interface ProcessTimes {
  readonly usedMs: number;
  readonly atMs: number;
}

/** Of this process, with all its threads. */
export function readProcessTimes(): ProcessTimes {
  const { user, system } = process.cpuUsage();
  return { usedMs: (user + system) / 1000, atMs: performance.now() };
}

export function readMemory(): { used: number; total: number; percent: number } {
  const total = totalmem();
  const used = total - freemem();
  return { used, total, percent: Math.round((1000 * used) / total) / 10 };
}

/** Bytes of the file system that holds a folder. */
export async function readSpace(folder: string): Promise<{ total: number; available: number; used: number }> {
  const { bsize, blocks, bavail, bfree } = await statfs(folder);
  return { total: blocks * bsize, available: bavail * bsize, used: (blocks - bfree) * bsize };
}

/** Bytes that a process has in use; undefined where it is no more. */
export async function readProcessMemory(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Degrees Celsius; 0 where the machine has no sensor, since older clients need a number. */
export async function readTemperature(): Promise<number> {
  try {
    return Number(await readFile('/sys/class/thermal/thermal_zone0/temp', 'utf8')) / 1000;
  } catch {
    return 0;
  }
}

export function machineFacts(): {
  platform: string;
  architecture: string;
  cpuModel: string;
  cpuCount: number;
  nodeVersion: string;
} {
  const processors = cpus();
  return {
    platform: `${platform()} ${release()}`,
    architecture: arch(),
    cpuModel: processors[0]?.model ?? '',
    cpuCount: processors.length,
    nodeVersion: process.version,
  };
}

export function networkFacts(): { hostname: string; ipAddress: string; subnetMask: string } {
  const outward = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return {
    hostname: hostname().split('.')[0]?.slice(0, 63) ?? '',
    ipAddress: outward?.address ?? '',
    subnetMask: outward?.netmask ?? '255.255.255.0',
  };
}
