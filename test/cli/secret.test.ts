// The command line on a terminal of its own, which `script` provides.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { program, root } from '../support/program.js';
import { adminPassword, runningServer, type TestServer } from '../support/runningServer.js';

let server: TestServer;
let folder = '';
const children: ChildProcess[] = [];
beforeAll(async () => {
  server = await runningServer();
  folder = await mkdtemp(join(tmpdir(), 'obscura-terminal-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Terminal {
  readonly shown: () => string;
  readonly type: (text: string) => void;
  readonly whenShown: (text: string) => Promise<void>;
  readonly exitCode: Promise<number | null>;
}

function terminal(words: string): Terminal {
  const child = spawn(
    'script',
    ['-qec', `${process.execPath} ${program('src/cli/main.ts').join(' ')} ${words}`, '/dev/null'],
    {
      cwd: root,
      env: { ...process.env, XDG_CONFIG_HOME: folder, OBSCURA_URL: server.url, OBSCURA_PASSWORD: undefined },
    },
  );
  children.push(child);
  let shown = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (data: Buffer) => {
    shown += data.toString();
    for (const look of waiting) look();
  });
  const exitCode = new Promise<number | null>((done) => child.once('exit', done));
  return {
    shown: () => shown,
    type: (text) => void child.stdin.write(text),
    whenShown: (text) =>
      new Promise((done, failed) => {
        const look = (): void => {
          if (!shown.includes(text)) return;
          waiting.delete(look);
          done();
        };
        waiting.add(look);
        look();
        void exitCode.then(() => {
          failed(new Error(`ended without showing ${text}: ${shown}`));
        });
      }),
    exitCode,
  };
}

it('a password typed on a terminal is not shown', async () => {
  const { type, whenShown, shown, exitCode } = terminal('login --user admin');
  await whenShown('Password of admin: ');
  type(`${adminPassword}\r`);
  expect(await exitCode).toBe(0);
  expect(shown()).toContain('Logged in');
  expect(shown()).not.toContain(adminPassword);
});

it('Ctrl-C at the question ends the command', async () => {
  const { type, whenShown, exitCode } = terminal('login --user admin');
  await whenShown('Password of admin: ');
  type('\x03');
  expect(await exitCode).toBe(130);
});
