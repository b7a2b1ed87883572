// The composition root: reads the surroundings, starts the server, and stops it in order when told to.
import { readFileSync } from 'node:fs';
import { destination, pino } from 'pino';
import { messageOf, ObscuraError } from './errors.js';
import { readEnvironment } from './start/environment.js';
import { startServer, type RunningServer } from './start/server.js';
import { openLog } from './system/log.js';
import { notifyServiceManager } from './system/notify.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const stopWithinMs = 5000;

const { logger: log, recent: recentLog } = openLog(
  process.stdout.isTTY
    ? pino.transport({
        target: 'pino-pretty',
        options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname' },
      })
    : destination({ sync: true }),
);

let server: RunningServer | undefined;
/** `stopping` ends the process, `restarting` only this server. */
const phase = { stopping: false, restarting: false };

async function start(): Promise<void> {
  const environment = readEnvironment(process.env);
  server = await startServer({ environment, version, log, recentLog, onRestart: () => void restart() });
  log.info(
    { httpPort: server.httpPort, httpsPort: server.httpsPort, dataFolder: environment.dataFolder },
    `Obscura ${version} listens`,
  );
}

async function restart(): Promise<void> {
  if (phase.stopping || phase.restarting) return;
  phase.restarting = true;
  log.info('Restarting');
  // In place of STOPPING, after which the service manager would wait for the end of this process.
  notifyServiceManager(`RELOADING=1\nMONOTONIC_USEC=${String(process.hrtime.bigint() / 1000n)}`);
  await server?.stop();
  phase.restarting = false;
  // Somebody may have asked for the end while this was under way.
  if (!isStopping()) await start().catch(giveUp);
}

function isStopping(): boolean {
  return phase.stopping;
}

async function stop(signal: string): Promise<void> {
  if (phase.stopping) return;
  phase.stopping = true;
  log.info(`Stopping after ${signal}`);
  notifyServiceManager('STOPPING=1');
  // Whatever hangs must not keep the machine from shutting down; the journal is durable at every moment.
  setTimeout(() => process.exit(1), stopWithinMs).unref();
  await server?.stop();
  process.exit(0);
}

function giveUp(error: unknown): never {
  // An error with a code is meant for people; anything else is a fault whose trace is wanted.
  if (error instanceof ObscuraError) log.fatal(error.message);
  else log.fatal({ err: error }, messageOf(error));
  process.exit(1);
}

process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));
await start().catch(giveUp);
