// The server as a process of its own, in a folder of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program, root } from './program.js';

export const processPassword = 'Correct-horse-1';
const children: ChildProcess[] = [];
const folders: string[] = [];

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  exit(): Promise<number | string | null>;
}

export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'obscura-process-'));
  folders.push(folder);
  return folder;
}

/** Resolves when it listens; without video unless the environment says otherwise. */
export async function startProcess(
  folder: string,
  environment: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, program('src/main.ts'), {
    cwd: root,
    env: {
      ...process.env,
      OBSCURA_DATA: folder,
      OBSCURA_HTTP_PORT: '0',
      OBSCURA_HTTPS_PORT: '0',
      OBSCURA_BIND: '127.0.0.1',
      OBSCURA_ADMIN_PASSWORD: processPassword,
      OBSCURA_MEDIA: 'off',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  const exited = new Promise<number | string | null>((done) => {
    child.once('exit', (code, signal) => {
      done(code ?? signal);
    });
  });
  const port = await new Promise<string>((found, failed) => {
    const hear = (data: Buffer): void => {
      output += data.toString();
      const port = /"httpPort":(\d+)/.exec(output)?.[1];
      if (port !== undefined) found(port);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => {
      failed(new Error(`ended before it listened: ${output}`));
    });
  });
  return { child, url: `http://127.0.0.1:${port}`, output: () => output, exit: () => exited };
}

/** All that were started here, and their folders. */
export async function endProcesses(): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
}
