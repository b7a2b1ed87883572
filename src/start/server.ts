// Builds every part of the server, ties them together, and takes them down again in the right order.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { Accounts, type AppStore } from '../access/accounts.js';
import {
  loadCertificate,
  renewCertificate,
  replaceCertificate,
  type Certificate,
} from '../access/certificate.js';
import { loadDeviceKey } from '../access/deviceKey.js';
import { LoginLimiter } from '../access/limiter.js';
import { Sealer } from '../access/seal.js';
import { Sessions } from '../access/sessions.js';
import { Setup } from '../access/setup.js';
import { Listeners } from '../api/listeners.js';
import { buildApp } from '../api/server.js';
import type { Media, Services } from '../api/services.js';
import { Sync } from '../api/sync/sync.js';
import { messageOf, ObscuraError } from '../errors.js';
import { Places } from '../library/places.js';
import { photoFolder, PhotoStore, type Retention } from '../library/photoStore.js';
import { Thumbnails } from '../library/thumbnails.js';
import { ownedByTheSystem } from '../observables/network.js';
import { registry, rules, type AppRegistry } from '../observables/registry.js';
import { LogMemory } from '../system/logMemory.js';
import { notifyServiceManager } from '../system/notify.js';
import { History } from '../store/history.js';
import { Locks } from '../store/locks.js';
import { openStore } from '../store/openStore.js';
import { Presets } from '../store/presets.js';
import { Unsupported } from '../store/reconcile.js';
import type { Values } from '../store/store.js';
import { Drags } from '../store/drags.js';
import { Trials } from '../store/trials.js';
import { registerActions } from './actions.js';
import type { Environment } from './environment.js';
import { makeDataFolder } from './dataFolder.js';
import { readFactory } from './factory.js';
import { ensureAdministrator } from './firstAdministrator.js';
import { runMedia } from './media.js';
import { Photographer } from './photos.js';
import { publishReadings } from './publishReadings.js';
import { runSchedules } from './schedules.js';
import { reportToServiceManager } from './serviceManager.js';
import { machineAddresses, webAddresses } from './webAddresses.js';
import { runWebhooks } from './webhooks.js';
import { runWebServers } from './webServers.js';

export interface RunningServer {
  readonly store: AppStore;
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  /** With which the first administrator is made, where nobody can log in. */
  readonly setupCode: string | undefined;
  /** Undefined on a server that does without video. */
  readonly media: Media | undefined;
  /** Stops everything; nothing that was acknowledged is lost. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly environment: Environment;
  readonly version: string;
  readonly log: Logger;
  /** What `log` has written last. */
  readonly recentLog?: LogMemory;
  /** Asked for by the action `restart`. */
  readonly onRestart: () => void;
  readonly limits?: Services['limits'];
}

const defaultLimits = { perAddress: 20, perUser: 200, total: 1000 } as const;
const noticeBeforeRestartMs = 200;
/** The same from the sources and from what is built of them. */
const pageFolder = resolve(import.meta.dirname, '../../dist/web');
const leastSpace = 16 * 1024 * 1024;

export async function startServer({
  environment,
  version,
  log,
  recentLog = new LogMemory(),
  onRestart,
  limits,
}: StartOptions): Promise<RunningServer> {
  const { dataFolder } = environment;
  // What has been built is taken down in the opposite order, also when a later part cannot be built.
  const undo: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop())
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, 'a part did not stop cleanly');
      }
  };

  try {
    await makeDataFolder(dataFolder);
    const factory = await readFactory(environment.factoryFile);
    const deviceKey = await loadDeviceKey(dataFolder);
    const sealer = new Sealer(deviceKey.key);
    const opened = await openStore({
      registry,
      rules,
      folder: join(dataFolder, 'settings'),
      sealer,
      initial: {
        ...factory.settings,
        ...(environment.rtspPort === undefined ? {} : { rtspPort: environment.rtspPort }),
        ...withCamera(factory.settings?.['cameraHeadSettings'], environment),
        ...(environment.photoInterval === undefined ? {} : { photoInterval: environment.photoInterval }),
      },
      onFault: (error) => {
        log.error({ err: error }, 'the store reports a fault');
      },
    });
    const { store, journal } = opened;
    undo.push(() => opened.close());
    for (const report of [...deviceKey.reports, ...opened.reports]) log.warn(report);

    const sessions = await Sessions.open({
      folder: dataFolder,
      idleMs: () => store.get('sessionIdleMinutes') * 60_000,
      onFault: (message) => {
        log.warn(message);
      },
    });
    undo.push(() => sessions.close());
    const audit = journal.note.bind(journal);
    const limiter = new LoginLimiter();
    const accounts = new Accounts({ store, sessions, sealer, limiter, audit });
    const setup = new Setup({ store, limiter, audit });
    const makeAdministrator = () =>
      ensureAdministrator({
        ...{ store, accounts, setup },
        factoryAccounts: factory.accounts ?? [],
        givenPassword: environment.adminPassword,
      });
    const setupCode = await makeAdministrator();

    const locks = new Locks({
      publish: (held) => {
        store.write({ locks: held });
      },
    });
    undo.push(() => {
      locks.close();
    });
    store.addObstacle(locks.obstacle);
    const system = new Set<string>(ownedByTheSystem.map(({ key }) => key));
    store.addObstacle(({ key }) =>
      system.has(key)
        ? { code: 'failed', key, message: `${key} is not available: no network backend is configured` }
        : undefined,
    );
    const trials = new Trials(store, (message) => {
      log.error(message);
    });
    undo.push(() => trials.close());
    const drags = new Drags(store, (message) => {
      log.error(message);
    });
    undo.push(() => drags.close());

    let certificate: Certificate = await loadCertificate(dataFolder, Date.now(), (report) => {
      log.warn(report);
    });
    const showCertificate = (): void => {
      const { fingerprint, subject, notAfter, selfSigned } = certificate;
      store.write({ tlsCertificate: { fingerprint, subject, notAfter, selfSigned } });
    };
    showCertificate();
    const serve = (next: Certificate): Certificate => {
      certificate = next;
      listeners.setCertificate(certificate);
      showCertificate();
      return certificate;
    };

    const sync = new Sync(store);
    undo.push(() => {
      sync.close();
    });
    const media = environment.media
      ? runMedia({
          ...{ store, accounts, audit, log },
          bind: environment.bind,
          deviceFolder: environment.deviceFolder,
          program: environment.mediaProgram,
          certificate: () => certificate,
        })
      : undefined;
    undo.push(() => media?.stop());
    const photos = media === undefined ? undefined : await openPhotos(store, media, dataFolder, log);
    undo.push(() => photos?.close());
    const webhooks = runWebhooks({ store, media, log });
    undo.push(() => {
      webhooks.close();
    });
    const services: Services = {
      media,
      photos,
      places: new Places(dataFolder, [photoFolder]),
      thumbnails: new Thumbnails(),
      pageFolder,
      store,
      journal,
      accounts,
      setup,
      sync,
      presets: new Presets(store),
      history: new History(store, journal),
      drags,
      locks,
      trials,
      log,
      version,
      startedAt: Date.now(),
      limits: limits ?? defaultLimits,
      certificate: () => certificate,
      replaceCertificate: async (cert, key) => serve(await replaceCertificate(dataFolder, cert, key)),
      renewCertificate: async () => serve(await renewCertificate(dataFolder)),
      webAddresses: () => webAddresses(listeners.addresses, machineAddresses(), hostname()),
      readiness: () => [
        { name: 'store', ok: true },
        spaceCheck(store.get('storageSpace')),
        {
          name: 'web server',
          ok: listeners.addresses.http !== undefined || listeners.addresses.https !== undefined,
        },
        ...(media?.checks() ?? []),
      ],
      webhooks,
      recentLog,
    };
    const listeners = new Listeners(certificate);
    const app = await buildApp(services, listeners);
    undo.push(() => listeners.close());
    // First: it says goodbye on the WebSockets, without which the listeners would wait for them.
    undo.push(() => app.close());

    const logLevel = store.observe('logLevel').subscribe((level) => {
      log.level = level;
    });
    undo.push(() => {
      logLevel.unsubscribe();
    });
    undo.push(publishReadings(store, { version, dataFolder }));
    undo.push(runSchedules(store, log));
    registerActions({
      store,
      rebootCommand: environment.rebootCommand,
      restart: () => {
        setTimeout(onRestart, noticeBeforeRestartMs);
      },
      reset: async () => {
        await sessions.revoke(() => true);
        await opened.resetToFactory();
        announce(log, await makeAdministrator());
      },
    });
    const webServers = await runWebServers(store, listeners, environment, (reason) => {
      log.error(`The web servers cannot be changed: ${reason}`);
    });
    undo.push(() => webServers.stop());
    journal.note({
      kind: 'event',
      at: Date.now(),
      by: 'system',
      via: 'system',
      event: 'start',
      detail: { version },
    });
    const { http, https } = listeners.addresses;
    announce(log, setupCode);
    undo.push(
      reportToServiceManager({
        notify: notifyServiceManager,
        environment: process.env,
        readiness: services.readiness,
        viewers: () => media?.viewers() ?? [],
        isSound: () => media?.isInHand() ?? true,
      }),
    );
    return { store, httpPort: http?.port, httpsPort: https?.port, setupCode, media, stop };
  } catch (error) {
    await stop();
    // What cannot be listened on is the owner's to put right, and needs no trace.
    throw error instanceof Unsupported ? new ObscuraError('failed', error.message) : error;
  }
}

/** Without their index photos cannot be kept; the rest of the server does without them. */
async function openPhotos(
  store: AppStore,
  { pictures }: Media,
  dataFolder: string,
  log: Logger,
): Promise<Photographer | undefined> {
  const onFault = (report: string): void => {
    log.warn(report);
  };
  try {
    const retention = (): Retention => store.get('photoRetention');
    const kept = await PhotoStore.open({ dataFolder, retention, onFault });
    return new Photographer(store, pictures, kept, log.child({ part: 'photos' }));
  } catch (error) {
    log.error(`No photos can be taken: ${messageOf(error)}`);
    return undefined;
  }
}

type Heads = Values<AppRegistry>['cameraHeadSettings'];

/** What the environment says of the primary camera, over what the factory file or the default says. */
function withCamera(fromFactory: unknown, { camera }: Environment): Partial<Values<AppRegistry>> {
  if (Object.keys(camera).length === 0) return {};
  // Checked with all other first values, when the store is opened.
  const heads = (fromFactory ?? registry.cameraHeadSettings.default) as Heads;
  return { cameraHeadSettings: { ...heads, primary: { ...heads.primary, ...camera } } };
}

/** Below this, settings may not be saved any more soon; nothing is known before the first reading. */
function spaceCheck({ total, available }: Values<AppRegistry>['storageSpace']): {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
} {
  const ok = total === 0 || available >= leastSpace;
  return { name: 'space', ok, ...(ok ? {} : { reason: 'The disk of the data folder is full' }) };
}

/** The log may be read over the network by whoever may see it; the standard error output by who has the machine. */
function announce(log: Logger, setupCode: string | undefined): void {
  if (setupCode === undefined) return;
  log.warn('Nobody can log in yet: the code of the set-up stands on the standard error output');
  process.stderr.write(
    `\n  Nobody can log in yet. Open the web page and make the administrator with the set-up code  ${setupCode}\n  It is good until it is used; the next start shows another one.\n\n`,
  );
}
