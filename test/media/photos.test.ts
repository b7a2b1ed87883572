// Photos that are kept: taken by people, by the action and by themselves; found, fetched and deleted.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timeBlockCell } from '../../src/pipelines/overlay.js';
import { systemActor } from '../../src/store/actor.js';
import { decodePicture } from '../support/decodePicture.js';
import { JsonSocket } from '../support/JsonSocket.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { adminPassword, basic, peoplePassword } from '../support/runningServer.js';
import { readTimeBlock } from '../support/timeBlock.js';

let server: MediaServer;
beforeAll(async () => {
  server = await mediaServer();
  await server.change({
    timeBlock: true,
    rateLimits: { ...server.store.get('rateLimits'), imagesPerSecond: 1000, filesPerSecond: 1000 },
  });
});
afterAll(() => server.stop());

const admin = { authorization: basic('admin', adminPassword) };
const json = { ...admin, 'content-type': 'application/json' };

const ask = (path: string, options: RequestInit = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers: admin, ...options });
const keep = (body: object = {}): Promise<Response> =>
  ask('/snapshot', { method: 'POST', headers: json, body: JSON.stringify(body) });

interface Kept {
  readonly success: boolean;
  readonly filename: string;
  readonly path: string;
  readonly size: number;
  readonly timestamp: string;
}
interface Photo {
  readonly key: string;
  readonly takenAt: number;
  readonly reason: string;
}

async function photos(query = ''): Promise<Photo[]> {
  return ((await (await ask(`/api/photos${query}`)).json()) as { photos: Photo[] }).photos;
}

async function fetched(path: string): Promise<Buffer> {
  const answer = await ask(path);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

describe('a photo that somebody takes', () => {
  it('is stored, and found by what was answered', async () => {
    const began = Date.now();
    const answer = await keep({ filename: 'part 17.jpg', quality: 60, addTimestamp: true });
    const kept = (await answer.json()) as Kept;
    expect(kept).toMatchObject({ success: true, filename: 'part 17.jpg' });
    expect(kept.path).toMatch(/^\/media\/data\/photos\/\d{4}\/\d\d\/\d\d\/part 17\.jpg$/);
    const bytes = await fetched(`/files${kept.path}`);
    expect(bytes.length).toBe(kept.size);
    const { gray, width, codec } = await decodePicture(bytes);
    expect([codec, width]).toEqual(['mjpeg', 1280]);
    const drawn = (readTimeBlock(gray, width, timeBlockCell(width)) ?? 0) / 1000;
    expect(drawn).toBeGreaterThan(began - 5);
    expect(Math.abs(Date.parse(kept.timestamp) - drawn)).toBeLessThan(6);
    expect((await photos())[0]).toEqual({
      ...{ key: kept.path.replace('/media/data/', ''), takenAt: Date.parse(kept.timestamp) },
      ...{ source: 'primary', reason: 'asked', format: 'jpeg', size: kept.size, width: 1280, height: 720 },
    });
    // There is one of this name today.
    expect((await keep({ filename: 'part 17.jpg' })).status).toBe(409);
  });

  it('is WebP where its name or its form says so', async () => {
    for (const body of [
      { filename: 'a.webp' },
      { filename: 'b', format: 'webp', width: 320 },
      { format: 'webp' },
    ]) {
      const { filename, path } = (await (await keep(body)).json()) as Kept;
      expect(filename).toMatch(/\.webp$/);
      expect((await decodePicture(await fetched(`/download${path}`))).codec).toBe('webp');
    }
  });

  it.each([
    { filename: '../up.jpg' },
    { filename: '/etc/x' },
    { filename: '.hidden' },
    { quality: 0 },
    { size: 3 },
  ])('is refused with %j', async (body) => {
    expect((await keep(body)).status).toBe(400);
  });

  it('comes back at once where it is asked for that way, and is kept as well', async () => {
    const answer = await ask('/api/v1/camera/snapshot', {
      ...{ method: 'POST', headers: json },
      body: JSON.stringify({ save_to_storage: true, resolution: { width: 640, height: 360 } }),
    });
    const shown = Buffer.from(await answer.arrayBuffer());
    expect((await decodePicture(shown)).width).toBe(640);
    expect(shown.equals(await fetched(`/files/${answer.headers.get('x-photo-key') ?? ''}`))).toBe(true);
  });

  it('takes the right to keep it', async () => {
    const viewer = { authorization: basic('viewer', peoplePassword) };
    expect((await ask('/snapshot', { method: 'POST', headers: viewer })).status).toBe(403);
  });

  it('is taken by the action too, under its older name', async () => {
    const before = server.store.get('photoStatus');
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v1`);
    socket.send({ username: 'admin', password: adminPassword });
    await socket.next();
    socket.send({ snap: true });
    await expect.poll(() => server.store.get('photoStatus').count).toBe(before.count + 1);
    socket.close();
    const [newest] = await photos('?limit=1');
    const { last, bytes } = server.store.get('photoStatus');
    expect(last).toEqual({ key: newest?.key, takenAt: newest?.takenAt });
    expect(bytes).toBeGreaterThan(before.bytes);
  });
});

it('a photo shows both cameras where the video does', async () => {
  await server.change({ pipEnabled: true });
  const { path } = (await (await keep({ width: 320 })).json()) as Kept;
  expect(path).toMatch(/_scene_asked\.jpg$/);
  expect((await photos('?source=scene')).length).toBe(1);
  expect(await decodePicture(await fetched(`/files${path}`))).toMatchObject({ width: 320, height: 180 });
  await server.change({ pipEnabled: false });
});

describe('an interval', () => {
  it('stores WebP', async () => {
    await server.change({ photoInterval: 1 });
    const own = async (): Promise<Photo[]> => (await photos()).filter(({ reason }) => reason === 'interval');
    await expect.poll(async () => (await own()).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
    await server.change({ photoInterval: 0 });
    for (const { key } of await own()) expect(key).toMatch(/_primary_interval\.webp$/);
  });
});

it('what is not to be kept goes, the oldest first', async () => {
  const before = await photos();
  expect(before.length).toBeGreaterThan(3);
  await server.store.transact(systemActor(), { photoRetention: { days: 0, count: 2, minFreeMb: 0 } });
  await expect.poll(async () => await photos()).toEqual(before.slice(0, 2));
  const files = await readdir(join(server.folder, 'photos'), { recursive: true, withFileTypes: true });
  expect(files.filter((each) => each.isFile())).toHaveLength(2);
  expect(server.store.get('photoStatus').count).toBe(2);
});

it('a photo that is deleted is gone from the list as well', async () => {
  const [first] = await photos();
  const path = `/files/${first?.key ?? ''}`;
  const operator = { authorization: basic('operator', peoplePassword) };
  expect((await ask(path, { method: 'DELETE', headers: operator })).status).toBe(403);
  expect((await ask(path, { method: 'DELETE' })).status).toBe(200);
  expect((await ask(path)).status).toBe(404);
  expect((await photos()).map(({ key }) => key)).not.toContain(first?.key);
  expect(server.store.get('photoStatus').count).toBe(1);
});

it('a disk without room is named as the reason', async () => {
  const minFreeMb = 100_000_000;
  await server.store.transact(systemActor(), { photoRetention: { days: 0, count: 2, minFreeMb } });
  const answer = await keep();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    error: { code: 'INSUFFICIENT_STORAGE', key: 'photoRetention' },
  });
  expect(server.store.get('photoStatus').failure).toContain('no room');
});
