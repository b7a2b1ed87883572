import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Accounts } from '../../src/access/accounts.js';
import {
  loadCertificate,
  renewCertificate,
  replaceCertificate,
  type Certificate,
} from '../../src/access/certificate.js';
import { loadDeviceKey } from '../../src/access/deviceKey.js';
import { LoginLimiter } from '../../src/access/limiter.js';
import { Sealer } from '../../src/access/seal.js';
import { Sessions } from '../../src/access/sessions.js';
import { Setup } from '../../src/access/setup.js';
import { Listeners } from '../../src/api/listeners.js';
import { buildApp } from '../../src/api/server.js';
import type { App } from '../../src/api/http/route.js';
import type { Services } from '../../src/api/services.js';
import { Sync } from '../../src/api/sync/sync.js';
import { Places } from '../../src/library/places.js';
import { Thumbnails } from '../../src/library/thumbnails.js';
import { LogMemory } from '../../src/system/logMemory.js';
import { runWebhooks } from '../../src/start/webhooks.js';
import { registry, rules } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { History } from '../../src/store/history.js';
import { Locks } from '../../src/store/locks.js';
import { openStore } from '../../src/store/openStore.js';
import { Presets } from '../../src/store/presets.js';
import { Drags } from '../../src/store/drags.js';
import { Trials } from '../../src/store/trials.js';

export const password = 'a-Long-Passw0rd';
export const roles = ['administrator', 'operator', 'viewer', 'guest'] as const;
export type Role = (typeof roles)[number];

export interface WebServer {
  readonly app: App;
  readonly services: Services;
  readonly listeners: Listeners;
  readonly folder: string;
  /** A session of the account of each role; accounts are called as their roles. */
  readonly tokens: Readonly<Record<Role, string>>;
  /** Everything that was logged, as one text. */
  readonly logged: () => string;
  readonly readiness: { name: string; ok: boolean; reason?: string }[];
  stop(): Promise<void>;
}

/** All real parts in a folder of their own, with one account per role and rate limits out of the way. */
export async function startWebServer(): Promise<WebServer> {
  const folder = await mkdtemp(join(tmpdir(), 'obscura-web-'));
  const sealer = new Sealer((await loadDeviceKey(folder)).key);
  const opened = await openStore({ registry, rules, folder: join(folder, 'settings'), sealer });
  const { store, journal } = opened;
  const sessions = await Sessions.open({ folder, idleMs: () => 60_000 });
  const audit = journal.note.bind(journal);
  const limiter = new LoginLimiter();
  const accounts = new Accounts({ store, sessions, sealer, limiter, audit });
  const setup = new Setup({ store, limiter, audit });
  const locks = new Locks({
    publish: (held) => {
      store.write({ locks: held });
    },
  });
  store.addObstacle(locks.obstacle);
  const trials = new Trials(store, () => undefined);
  const drags = new Drags(store, () => undefined);
  const sync = new Sync(store);
  let certificate = await loadCertificate(folder);
  const listeners = new Listeners(certificate);
  const serve = (next: Certificate): Certificate => {
    certificate = next;
    listeners.setCertificate(next);
    return next;
  };
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const readiness: WebServer['readiness'] = [{ name: 'store', ok: true }];
  const limits = { perAddress: 100, perUser: 100, total: 100 };
  const services: Services = {
    media: undefined,
    photos: undefined,
    places: new Places(folder, ['photos']),
    thumbnails: new Thumbnails(),
    pageFolder: join(folder, 'web'),
    ...{ store, journal, accounts, setup, sync, drags, locks, trials, log, limits },
    presets: new Presets(store),
    history: new History(store, journal),
    version: '0.0.0',
    startedAt: Date.now(),
    certificate: () => certificate,
    replaceCertificate: async (cert, key) => serve(await replaceCertificate(folder, cert, key)),
    renewCertificate: async () => serve(await renewCertificate(folder)),
    webAddresses: () => ['http://camera.example'],
    readiness: () => readiness,
    recentLog: new LogMemory(),
    webhooks: runWebhooks({ store, media: undefined, log }),
  };
  const app = await buildApp(services, listeners);
  const most = 100_000;
  await store.transact(systemActor(), {
    rateLimits: { imagesPerSecond: most, filesPerSecond: most, apiPerSecond: most, uploadsPerSecond: most },
  });
  for (const role of roles) await accounts.createUser(systemActor(), { username: role, password, role });
  const tokens = Object.fromEntries(
    await Promise.all(
      roles.map(async (role) => {
        const { token } = await accounts.login(role, password, { via: 'http', address: '192.0.2.9' });
        return [role, token] as const;
      }),
    ),
  ) as Record<Role, string>;
  return {
    ...{ app, services, listeners, folder, tokens, readiness },
    logged: () => lines.join(''),
    async stop() {
      await app.close();
      await listeners.close();
      await drags.close();
      await trials.close();
      locks.close();
      sync.close();
      await sessions.close();
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

export function basic(username: string, word = password): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${username}:${word}`).toString('base64')}` };
}
