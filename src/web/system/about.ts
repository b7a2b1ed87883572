// What `/api/about`, `/readyz` and `/api/certificate` tell.

export interface Process {
  readonly name: 'server' | 'media';
  readonly pid: number;
  readonly cpuSeconds: number;
  readonly memory: number;
}

export interface About {
  readonly version: string;
  readonly license: string;
  readonly node: string;
  readonly gstreamer?: string;
  readonly hostname: string;
  readonly platform: string;
  readonly architecture: string;
  readonly startedAt: number;
  readonly at: number;
  readonly addresses: readonly string[];
  readonly processes: readonly Process[];
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}

export interface Certificate {
  readonly fingerprint: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly selfSigned: boolean;
}

/** Percent of one processor between two looks; undefined where they are of two processes. */
export function loadOf(process: Process, before: About | undefined, now: About): number | undefined {
  const then = before?.processes.find(({ pid }) => pid === process.pid);
  if (before === undefined || then === undefined || now.at <= before.at) return undefined;
  return (100_000 * (process.cpuSeconds - then.cpuSeconds)) / (now.at - before.at);
}
