// Photos as the gallery asks for them, over HTTP: small, and deleted together.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureFacts } from '../../../src/library/pictureFacts.js';
import { Places } from '../../../src/library/places.js';
import { Thumbnails } from '../../../src/library/thumbnails.js';
import { bearer, startWebServer, type Role, type WebServer } from '../../support/webServer.js';

let server: WebServer;
let photos: string;
beforeAll(async () => {
  server = await startWebServer();
  photos = join(server.folder, 'photos');
  await mkdir(join(photos, 'day'), { recursive: true });
  for (const [name, size] of [
    ['wide.jpg', '1280x720'],
    ['wide.webp', '1280x720'],
    ['tiny.jpg', '64x48'],
  ] as const)
    execFileSync('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', `testsrc=size=${size}`],
      ...['-frames:v', '1', join(photos, name)],
    ]);
  const whole = await readFile(join(photos, 'wide.jpg'));
  await writeFile(join(photos, 'torn.jpg'), whole.subarray(0, 700));
  await writeFile(join(photos, 'words.jpg'), 'no picture');
});
afterAll(() => server.stop());

async function small(name: string, role: Role = 'viewer') {
  return await server.app.inject({
    url: `/api/thumbnails/photos/${name}`,
    headers: bearer(server.tokens[role]),
  });
}

async function remove(keys: readonly string[], role: Role = 'administrator') {
  return await server.app.inject({
    method: 'POST',
    url: '/api/photos/delete',
    headers: bearer(server.tokens[role]),
    payload: { keys },
  });
}

describe('a small picture', () => {
  it.each([
    ['wide.jpg', 480, 270],
    ['wide.webp', 480, 270],
    ['tiny.jpg', 64, 48],
  ])('is a JPEG of the same form, and never larger than the photo: %s', async (name, width, height) => {
    const answer = await small(name);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('image/jpeg');
    expect(pictureFacts(answer.rawPayload)).toEqual({ format: 'jpeg', width, height });
    expect(answer.rawPayload.length).toBeLessThan(60_000);
  });

  it('is of the file as it is now', async () => {
    const path = join(photos, 'changing.jpg');
    await writeFile(path, await readFile(join(photos, 'wide.jpg')));
    expect(pictureFacts((await small('changing.jpg')).rawPayload)).toMatchObject({ width: 480 });
    await writeFile(path, await readFile(join(photos, 'tiny.jpg')));
    expect(pictureFacts((await small('changing.jpg')).rawPayload)).toMatchObject({ width: 64 });
  });

  it.each([
    ['words.jpg', 422],
    ['missing.jpg', 404],
    ['../settings/journal.ndjson', 404],
    ['day', 404],
  ])('is not made of what is no photo: %s', async (name, status) => {
    expect((await small(name)).statusCode).toBe(status);
  });

  it('is made of as much as there is of a torn file, or is not, but the server goes on', async () => {
    expect([200, 503]).toContain((await small('torn.jpg')).statusCode);
    expect((await small('tiny.jpg')).statusCode).toBe(200);
  });

  it('is for whoever may see the photo', async () => {
    expect((await small('tiny.jpg', 'guest')).statusCode).toBe(403);
    expect((await server.app.inject({ url: '/api/thumbnails/photos/tiny.jpg' })).statusCode).toBe(401);
  });

  it('fails in words where the machine cannot make it, and is made another time', async () => {
    const places = new Places(server.folder, ['photos']);
    const without = new Thumbnails('/nowhere/gst-launch-1.0');
    for (let time = 0; time < 2; time += 1)
      await expect(without.of(await places.open('photos/tiny.jpg'))).rejects.toThrow(
        'Small pictures cannot be made',
      );
  });

  it('is made once for all who ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => small('wide.jpg')));
    expect(new Set(all.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    expect(new Set(all.map(({ rawPayload }) => rawPayload.toString('base64'))).size).toBe(1);
  });
});

describe('deleting photos together', () => {
  it('takes those that can be deleted, and says what is the matter with the others', async () => {
    await writeFile(join(photos, 'a.jpg'), 'a');
    await writeFile(join(photos, 'b.jpg'), 'b');
    await writeFile(join(photos, 'day/kept.jpg'), 'c');
    const answer = await remove([
      'photos/a.jpg',
      'photos/day',
      'photos/gone.jpg',
      'photos/../x',
      'photos/b.jpg',
    ]);
    expect(answer.json()).toMatchObject({
      deleted: 2,
      failed: [{ key: 'photos/day' }, { key: 'photos/gone.jpg' }, { key: 'photos/../x' }],
    });
    for (const name of ['a.jpg', 'b.jpg']) expect(existsSync(join(photos, name))).toBe(false);
    expect(existsSync(join(photos, 'day/kept.jpg'))).toBe(true);
  });

  it('takes Storage_rw, and at least one', async () => {
    await writeFile(join(photos, 'a.jpg'), 'a');
    expect((await remove(['photos/a.jpg'], 'operator')).statusCode).toBe(403);
    expect((await remove([])).statusCode).toBe(400);
    expect(existsSync(join(photos, 'a.jpg'))).toBe(true);
  });
});
