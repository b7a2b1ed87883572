import { execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { launchBrowser } from './browser.js';
import type { Namespaces } from './Namespaces.js';
import { program } from './program.js';
import { adminPassword } from './runningServer.js';

const run = promisify(execFile);
const readyWithinMs = 30_000;

/** The whole server on one of two machines, and browsers on the other. */
export class LinkedServer {
  readonly account = `admin:${adminPassword}`;
  readonly url: string;
  readonly #machines: Namespaces;
  readonly #folder: string;
  readonly #server: ChildProcess;
  readonly #browsers: Browser[] = [];

  private constructor(machines: Namespaces, folder: string) {
    this.#machines = machines;
    this.#folder = folder;
    this.url = `http://${machines.serverAddress}:8080`;
    this.#server = machines.spawn('server', process.execPath, program('src/main.ts'), {
      OBSCURA_DATA: join(folder, 'data'),
      OBSCURA_FACTORY: join(folder, 'factory.json'),
      OBSCURA_BIND: machines.serverAddress,
      OBSCURA_ADMIN_PASSWORD: adminPassword,
    });
  }

  static async start(machines: Namespaces, settings: object): Promise<LinkedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'obscura-linked-'));
    await writeFile(join(folder, 'factory.json'), JSON.stringify({ settings }));
    const server = new LinkedServer(machines, folder);
    const until = Date.now() + readyWithinMs;
    for (;;)
      try {
        await server.request('/livez');
        return server;
      } catch (error) {
        if (Date.now() > until || server.#server.exitCode !== null) throw error;
        await pause(200);
      }
  }

  rtspUrl(path: string): string {
    return `rtsp://${this.account}@${this.#machines.serverAddress}:8554${path}`;
  }

  async get<Value>(key: string): Promise<Value> {
    const { value } = JSON.parse(await this.request(`/api/settings/${key}`)) as { value: Value };
    return value;
  }

  async set(patch: object): Promise<void> {
    const body = ['-H', 'content-type: application/json', '-d', JSON.stringify(patch)];
    await this.request('/api/settings', ...body);
  }

  /** From the server's own machine, past the link. */
  async request(path: string, ...words: string[]): Promise<string> {
    const [program = '', ...prefix] = this.#machines.prefix('server');
    const asked = ['curl', '-sSf', '-u', this.account, ...words, `${this.url}${path}`];
    return (await run(program, [...prefix, ...asked], { maxBuffer: 1e8 })).stdout;
  }

  /** On the other machine. */
  async browser(): Promise<Browser> {
    const program = join(this.#folder, 'browser');
    await writeFile(
      program,
      `#!/bin/sh\nexec ${this.#machines.prefix('client').join(' ')} /usr/bin/chromium "$@"\n`,
    );
    await chmod(program, 0o755);
    const browser = await launchBrowser(program);
    this.#browsers.push(browser);
    return browser;
  }

  async stop(): Promise<void> {
    for (const browser of this.#browsers) await browser.close();
    if (this.#server.exitCode === null) {
      const ended = once(this.#server, 'exit');
      this.#server.kill();
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
