import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import type { Services } from '../../src/api/services.js';
import type { Environment } from '../../src/start/environment.js';
import { builtFolder } from './program.js';
import type { LogMemory } from '../../src/system/logMemory.js';
import { startServer, type RunningServer } from '../../src/start/server.js';

export const adminPassword = 'Correct-horse-1';
export const peoplePassword = 'Battery-staple-2';

export interface TestServer extends RunningServer {
  readonly url: string;
  readonly socketUrl: string;
  readonly folder: string;
}

export interface TestServerOptions {
  readonly folder?: string;
  readonly environment?: Partial<Environment>;
  readonly limits?: Services['limits'];
  /** Accounts operator, viewer and guest beside admin. */
  readonly people?: boolean;
  /** What the log is to have said. */
  readonly recentLog?: LogMemory;
  /** Instead of nothing at all when the action `restart` is asked for. */
  readonly onRestart?: () => void;
}

/** The whole server, on free ports and in a folder of its own. */
export async function runningServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'obscura-test-')));
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
      adminPassword,
      media: false,
      // None: what is plugged into the machine that runs the tests is none of their business.
      deviceFolder: join(folder, 'devices'),
      ...(builtFolder === undefined
        ? {}
        : { mediaProgram: pathToFileURL(join(builtFolder, 'src/media/process.js')) }),
      rebootCommand: undefined,
      ...options.environment,
    },
    version: '0.0.0-test',
    log: pino({ level: 'silent' }),
    onRestart: options.onRestart ?? (() => undefined),
    ...(options.recentLog === undefined ? {} : { recentLog: options.recentLog }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  // The log level is a setting like any other, and the tests' output is for failures.
  server.store.write({ logLevel: 'fatal' });
  const url = `http://127.0.0.1:${String(server.httpPort)}`;
  const running: TestServer = {
    ...server,
    url,
    socketUrl: url.replace('http', 'ws'),
    folder,
    stop: async () => {
      await server.stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.people === true) await addPeople(running);
  return running;
}

async function addPeople({ url }: TestServer): Promise<void> {
  for (const role of ['operator', 'viewer', 'guest']) {
    const response = await fetch(`${url}/api/users`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: basic('admin', adminPassword) },
      body: JSON.stringify({ username: role, password: peoplePassword, role }),
    });
    if (!response.ok) throw new Error(`no account ${role}: ${await response.text()}`);
  }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export function passwordOf(username: string): string {
  return username === 'admin' ? adminPassword : peoplePassword;
}
