// What the benchmarks share: a server of their own, a process full of clients, and sums.
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Environment } from '../src/start/environment.js';
import { startServer, type RunningServer } from '../src/start/server.js';
import type { AppRegistry } from '../src/observables/registry.js';
import { systemActor } from '../src/store/actor.js';
import type { Patch } from '../src/store/store.js';
import type { CrowdOrder, CrowdReport } from './crowd.js';

export const benchPassword = 'Bench-password-1';

export class Crowd {
  readonly #child: ChildProcess = fork(new URL('./crowd.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
  });

  ask<K extends CrowdReport['kind']>(order: CrowdOrder, kind: K): Promise<Extract<CrowdReport, { kind: K }>> {
    const answer = this.hear(kind);
    this.#child.send(order);
    return answer;
  }

  hear<K extends CrowdReport['kind']>(kind: K): Promise<Extract<CrowdReport, { kind: K }>> {
    return new Promise((resolve) => {
      const listen = (report: CrowdReport): void => {
        if (report.kind !== kind) return;
        this.#child.off('message', listen);
        resolve(report as Extract<CrowdReport, { kind: K }>);
      };
      this.#child.on('message', listen);
    });
  }

  end(): void {
    this.#child.kill();
  }
}

export interface Lab {
  readonly server: RunningServer;
  readonly folder: string;
  readonly close: () => Promise<void>;
}

/** The whole server, in a folder of its own, with room for a crowd. */
export async function openLab(environment: Partial<Environment> = {}): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'obscura-bench-'));
  const server = await startServer({
    environment: {
      dataFolder: folder,
      httpPort: 0,
      httpsPort: 0,
      bind: '127.0.0.1',
      rtspPort: undefined,
      camera: {},
      photoInterval: undefined,
      factoryFile: undefined,
      adminPassword: benchPassword,
      media: false,
      deviceFolder: '/dev',
      rebootCommand: undefined,
      ...environment,
    },
    version: 'bench',
    log: pino({ level: 'silent' }),
    onRestart: () => undefined,
    limits: { perAddress: 5000, perUser: 5000, total: 5000 },
  });
  server.store.write({ logLevel: 'fatal' });
  return {
    server,
    folder,
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Changes settings and waits until they are so. */
export async function change({ server }: Lab, patch: Patch<AppRegistry>): Promise<void> {
  const outcome = await server.store.transact(systemActor(), patch, { wait: 'applied' });
  if (!outcome.ok) throw new Error(outcome.error.message);
}

/** The process that encodes and serves video. */
export function mediaPid({ server }: Lab): number {
  const state = server.media?.report().state;
  if (state?.phase !== 'running') throw new Error('There is no video on this machine');
  return state.pid;
}

export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function hello(server: RunningServer, keys: readonly string[]): { url: string; hello: string[] } {
  return {
    url: `ws://127.0.0.1:${String(server.httpPort)}/api/v2`,
    hello: [
      JSON.stringify({ id: 1, op: 'auth', username: 'admin', password: benchPassword }),
      JSON.stringify({ id: 2, op: 'watch', keys }),
    ],
  };
}
