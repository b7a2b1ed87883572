import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadDeviceKey } from '../../src/access/deviceKey.js';
import { Sealer } from '../../src/access/seal.js';
import { registry, rules, type AppRegistry } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { openStore, type Opened } from '../../src/store/openStore.js';
import { admin } from '../support/people.js';

const canary = 'canary-7f3a';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'obscura-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function open(
  folder: string,
  initial: Readonly<Record<string, unknown>> = {},
): Promise<Opened<AppRegistry>> {
  const sealer = new Sealer((await loadDeviceKey(folder)).key);
  const opened = await openStore({ registry, rules, folder: join(folder, 'settings'), sealer, initial });
  onTestFinished(() => opened.close().catch(() => undefined));
  return opened;
}

/** What a killed server leaves behind: the files as they are, its lock with them. */
async function afterKill(folder: string): Promise<string> {
  const copy = await makeFolder();
  await cp(folder, copy, { recursive: true });
  await rm(join(copy, 'settings', 'server.lock'));
  return copy;
}

describe('a restart', () => {
  test('after an orderly stop goes on where it was: values, revisions, epoch', async () => {
    const folder = await makeFolder();
    const first = await open(folder);
    await first.store.transact(admin, { streamBitrate: 4_000_000 });
    await first.store.transact(admin, { brightness: 60 });
    await first.close();
    const second = await open(folder);
    expect(second.reports).toEqual([]);
    expect(second.store.get('streamBitrate')).toBe(4_000_000);
    expect(second.store.get('brightness')).toBe(60);
    expect(second.store.revision).toBe(first.store.revision);
    expect(second.store.cell('streamBitrate')?.revision).toBe(1);
    expect(second.store.epoch).toBe(first.store.epoch);
  });

  test('after a kill has every value, and uses no revision a second time', async () => {
    const folder = await makeFolder();
    const first = await open(folder);
    await first.store.transact(admin, { streamBitrate: 4_000_000 });
    const second = await open(await afterKill(folder));
    expect(second.store.get('streamBitrate')).toBe(4_000_000);
    expect(second.store.epoch).toBe(first.store.epoch);
    const outcome = await second.store.transact(admin, { brightness: 60 });
    expect(outcome.ok && outcome.revision).toBeGreaterThan(first.store.revision + 4096);
  });

  test('prefers what somebody chose to what the environment proposes', async () => {
    const folder = await makeFolder();
    const first = await open(folder, { streamBitrate: 3_000_000, brightness: 70 });
    expect(first.store.get('streamBitrate')).toBe(3_000_000);
    await first.store.transact(admin, { streamBitrate: 4_000_000 });
    await first.close();
    const second = await open(folder, { streamBitrate: 5_000_000, brightness: 80 });
    expect(second.store.get('streamBitrate')).toBe(4_000_000);
    expect(second.store.get('brightness')).toBe(80);
  });

  test('takes initial values that are partly secret', async () => {
    const servers = [{ urls: ['turn:192.0.2.1:3478'], username: 'anna', credential: 'Relay-pass-1' }];
    const { store } = await open(await makeFolder(), { webrtcIceServers: servers });
    expect(store.get('webrtcIceServers')).toEqual(servers);
  });

  test('names an initial value that cannot be, and uses the others', async () => {
    const { store, reports } = await open(await makeFolder(), { brightness: 1000, contrast: 70 });
    expect(store.get('contrast')).toBe(70);
    expect(reports.join()).toContain('The initial value of brightness is not used');
  });
});

describe('a factory reset', () => {
  test('brings the defaults back for good, and the audit still tells of before', async () => {
    const folder = await makeFolder();
    const first = await open(folder);
    const { brightness } = first.store.snapshot().values;
    await first.store.transact(admin, { brightness: 61 });
    const { epoch } = first.store;
    await first.resetToFactory();
    expect(first.store.get('brightness')).toBe(brightness);
    expect(first.store.epoch).not.toBe(epoch);
    const second = await open(await afterKill(folder));
    expect(second.store.get('brightness')).toBe(brightness);
    expect(second.store.epoch).toBe(first.store.epoch);
    const records = await second.journal.search({ key: 'brightness', user: admin.name });
    expect(records).toMatchObject([
      { keys: ['brightness'], changes: [{ key: 'imageSettings', new: { brightness: 61 } }] },
    ]);
  });

  test('brings back initial values too, without tripping over one that cannot be used', async () => {
    const opened = await open(await makeFolder(), { brightness: 70, contrast: 1000 });
    await opened.store.transact(admin, { brightness: 20 });
    await opened.resetToFactory();
    expect(opened.store.get('brightness')).toBe(70);
  });
});

describe('the book that the server keeps on a setting', () => {
  test('is on the disk and not in the audit, where anything else is', async () => {
    const folder = await makeFolder();
    const first = await open(folder);
    const told: unknown[] = [];
    first.journal.onAudit((record) => told.push(record.changes));
    const root = { role: 'administrator', additionalPermissions: [] };
    const write = (account: object): Promise<unknown> =>
      first.store.transact(systemActor(), { users: { root: { ...root, ...account } } });
    await write({});
    await write({ lastLogin: 5 });
    await write({ lastLogin: 6, onvif: true });
    const changes = [
      [{ key: 'users', old: {}, new: { root } }],
      [
        {
          key: 'users',
          old: { root: { ...root, lastLogin: 5 } },
          new: { root: { ...root, lastLogin: 6, onvif: true } },
        },
      ],
    ];
    expect(told).toEqual(changes);
    await write({ lastLogin: 7, onvif: true });
    const second = await open(await afterKill(folder));
    expect(second.store.get('users')['root']).toEqual({ ...root, lastLogin: 7, onvif: true });
    const records = await second.journal.search({ key: 'users' });
    expect(records.map((record) => record.changes)).toEqual(changes.toReversed());
  });
});

describe('a secret', () => {
  test('is in no file and in no answer of the audit', async () => {
    const folder = await makeFolder();
    const { store, journal } = await open(folder);
    const scrypt = { salt: 'ab', hash: 'cd', cost: 2, blockSize: 1, parallelism: 1 };
    const outcome = await store.submit(systemActor(), {
      credentials: { anna: { scrypt, password: canary } },
    });
    expect(outcome.ok).toBe(true);
    await store.submit(admin, { userPasswords: { anna: canary }, credentials: { anna: canary } });
    const records = await journal.search({});
    expect(records.map(({ outcome: result }) => result)).toContain('refused');
    expect(records.at(-1)?.changes).toEqual([{ key: 'credentials', secret: true }]);
    expect(JSON.stringify(records)).not.toContain(canary);
    const settings = join(folder, 'settings');
    for (const name of await readdir(settings))
      expect(await readFile(join(settings, name), 'utf8')).not.toContain(canary);
  });
});
