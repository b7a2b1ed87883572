import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Two machines as namespaces of this one, without anything between them so far. */
export class Namespaces {
  readonly serverAddress = '10.77.42.1';
  readonly clientAddress = '10.77.42.2';
  protected readonly names = {
    server: `obs${String(process.pid)}s`,
    client: `obs${String(process.pid)}c`,
  };

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
    for (const name of Object.values(this.names)) {
      await run('ip', ['netns', 'add', name]);
      await this.ip(name, 'link', 'set', 'lo', 'up');
    }
  }

  async close(): Promise<void> {
    for (const name of Object.values(this.names)) await run('ip', ['netns', 'delete', name]);
  }

  /** What a program on one of the machines is begun with. */
  prefix(where: 'server' | 'client'): string[] {
    return ['ip', 'netns', 'exec', this.names[where]];
  }

  /** Starts a program on one of the machines. */
  spawn(
    where: 'server' | 'client',
    command: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const [program = '', ...rest] = this.prefix(where);
    return spawn(program, [...rest, command, ...words], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  protected async ip(name: string, ...words: string[]): Promise<void> {
    await run('ip', ['-netns', name, ...words]);
  }
}
