// The rhythm of photos that are taken by themselves. The camera and the clock are made up, the rest is real.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { AppStore } from '../../src/access/accounts.js';
import type { Pictures } from '../../src/api/services.js';
import { ObscuraError } from '../../src/errors.js';
import { PhotoStore } from '../../src/library/photoStore.js';
import { registry, rules } from '../../src/observables/registry.js';
import { Photographer } from '../../src/start/photos.js';
import { systemActor } from '../../src/store/actor.js';
import { Store } from '../../src/store/store.js';

let folder = '';
let webp: Buffer;
let store: AppStore;
let photographer: Photographer;
let problem: ObscuraError | undefined;

beforeAll(async () => {
  const made = await mkdtemp(join(tmpdir(), 'obscura-webp-'));
  const file = join(made, 'a.webp');
  await promisify(execFile)('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=size=64x48',
    '-frames:v',
    '1',
    file,
  ]);
  webp = await readFile(file);
  await rm(made, { recursive: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-photographer-'));
  problem = undefined;
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(async () => {
  await photographer.close();
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const camera: Pictures = {
  one: (variant) => {
    if (problem !== undefined) return Promise.reject(problem);
    const channel = `picture/${variant.format}-`;
    const facts = { channel, width: 64, height: 48, sequence: 1, live: true };
    return Promise.resolve({ ...facts, capturedAt: Date.now() * 1000, bytes: webp });
  },
  watch: () => () => undefined,
  hasSignal: () => true,
  list: () => [],
  end: () => false,
  endAll: () => undefined,
};

async function startAt(time: string, photoInterval: number): Promise<void> {
  vi.setSystemTime(new Date(time));
  store = new Store({ registry, rules });
  await store.transact(systemActor(), { photoInterval });
  const retention = () => store.get('photoRetention');
  const photos = await PhotoStore.open({ dataFolder: folder, retention, onFault: () => undefined });
  photographer = new Photographer(store, camera, photos, pino({ level: 'silent' }));
}

async function until(time: string): Promise<void> {
  await vi.advanceTimersByTimeAsync(Date.parse(time) - Date.now());
}

const times = (): string[] =>
  photographer
    .find({ limit: 100 })
    .map(({ takenAt }) => new Date(takenAt).toISOString().slice(11, 19))
    .toReversed();

it('is that of the clock, and a restart does not shift it', async () => {
  await startAt('2026-03-29T00:59:43.400Z', 10);
  await until('2026-03-29T01:00:11.400Z');
  await vi.waitFor(() => {
    expect(times()).toEqual(['00:59:50', '01:00:00', '01:00:10']);
  });
  await photographer.close();
  await startAt('2026-03-29T01:00:24.000Z', 10);
  expect(store.get('photoStatus')).toMatchObject({
    count: 3,
    last: { takenAt: Date.UTC(2026, 2, 29, 1, 0, 10) },
  });
  await until('2026-03-29T01:00:31.000Z');
  await vi.waitFor(() => {
    expect(times().slice(3)).toEqual(['01:00:30']);
  });
});

it('ends and changes with the setting', async () => {
  await startAt('2026-03-29T12:00:01Z', 5);
  await until('2026-03-29T12:00:06Z');
  await vi.waitFor(() => {
    expect(times()).toEqual(['12:00:05']);
  });
  await store.transact(systemActor(), { photoInterval: 0 });
  await until('2026-03-29T12:00:21Z');
  await store.transact(systemActor(), { photoInterval: 60 });
  await until('2026-03-29T12:01:01Z');
  await vi.waitFor(() => {
    expect(times()).toEqual(['12:00:05', '12:01:00']);
  });
});

it('goes on after one that could not be taken, which is told until there is one again', async () => {
  await startAt('2026-03-29T12:00:01Z', 5);
  problem = new ObscuraError('failed', 'The lens cap is on');
  await until('2026-03-29T12:00:06Z');
  await vi.waitFor(() => {
    expect(store.get('photoStatus')).toEqual({ count: 0, bytes: 0, failure: 'The lens cap is on' });
  });
  problem = undefined;
  await until('2026-03-29T12:00:11Z');
  await vi.waitFor(() => {
    expect(times()).toEqual(['12:00:10']);
    expect(store.get('photoStatus')).not.toHaveProperty('failure');
  });
});
