import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Two machines on a network of their own, as namespaces of this one: what they send stays between them. */
export class Network {
  readonly serverAddress = '10.77.42.1';
  readonly clientAddress = '10.77.42.2';
  readonly #names = { server: `obs${String(process.pid)}s`, client: `obs${String(process.pid)}c` };

  /** Whether this process may make networks. */
  static async isPossible(): Promise<boolean> {
    const name = `obs${String(process.pid)}t`;
    try {
      await run('ip', ['netns', 'add', name]);
    } catch {
      return false;
    }
    try {
      // Where it may be made, it still may not be entered.
      await run('ip', ['netns', 'exec', name, 'true']);
      return true;
    } catch {
      return false;
    } finally {
      await run('ip', ['netns', 'delete', name]);
    }
  }

  async open(): Promise<void> {
    const { server, client } = this.#names;
    for (const name of [server, client]) {
      await run('ip', ['netns', 'add', name]);
      await this.#ip(name, 'link', 'set', 'lo', 'up');
    }
    await this.#ip(server, 'link', 'add', 'net0', 'type', 'veth', 'peer', 'name', 'net0', 'netns', client);
    for (const [name, address] of [
      [server, this.serverAddress],
      [client, this.clientAddress],
    ] as const) {
      await this.#ip(name, 'address', 'add', `${address}/24`, 'dev', 'net0');
      await this.#ip(name, 'link', 'set', 'net0', 'up');
      await this.#ip(name, 'route', 'add', '224.0.0.0/4', 'dev', 'net0');
    }
  }

  async close(): Promise<void> {
    for (const name of Object.values(this.#names)) await run('ip', ['netns', 'delete', name]);
  }

  /** Starts a program on one of the machines. */
  spawn(
    where: 'server' | 'client',
    command: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.#names[where], command, ...words], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  #ip(name: string, ...words: string[]): Promise<unknown> {
    return run('ip', ['-netns', name, ...words]);
  }
}
