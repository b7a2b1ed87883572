// The files that people may see, over HTTP: what is there, in parts and as a whole, and no way to anything else.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, startWebServer, type Role, type WebServer } from '../../support/webServer.js';

let server: WebServer;
const content = '0123456789';
beforeAll(async () => {
  server = await startWebServer();
  await server.listeners.apply({ bind: '127.0.0.1', httpPort: 0, httpsPort: null });
});
afterAll(() => server.stop());
beforeEach(async () => {
  const photos = join(server.folder, 'photos');
  await mkdir(join(photos, '2026/03'), { recursive: true });
  await writeFile(join(photos, '2026/03/a b.webp'), content);
  await writeFile(join(photos, '2026/03/c.jpg'), content.repeat(2));
  await writeFile(join(photos, '2026/.hidden.jpg'), content);
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function ask(
  url: string,
  {
    method = 'GET',
    role = 'viewer',
    headers = {},
  }: { method?: 'GET' | 'HEAD' | 'DELETE'; role?: Role; headers?: object } = {},
): Promise<Answer> {
  const answer = await server.app.inject({
    method,
    url,
    headers: { ...bearer(server.tokens[role]), ...headers },
  });
  return { status: answer.statusCode, body: answer.body, headers: answer.headers };
}

describe('a list', () => {
  it.each(['/files', '/api/files', '/files?path=/media/data', '/files?path=/', '/api/files?directory='])(
    'begins with the folders there are: %s',
    async (url) => {
      const { status, body } = await ask(url);
      expect([status, JSON.parse(body)]).toEqual([
        200,
        {
          path: '/media/data',
          files: [
            {
              ...{ name: 'photos', path: '/media/data/photos', type: 'directory', size: 0 },
              ...{ mime_type: 'inode/directory', modified: expect.any(String) as string },
            },
          ],
          ...{ total_size: 0, file_count: 0, directory_count: 1, truncated: false },
        },
      ]);
    },
  );

  it.each([
    '/media/data/photos',
    'photos',
    'photos/',
    './photos//',
    encodeURIComponent('/media/data/photos'),
  ])('of %s goes as deep as it is asked to, and leaves out what does not fit', async (path) => {
    const all = await ask(`/files?path=${path}&recursive=true`);
    expect(JSON.parse(all.body)).toMatchObject({
      ...{ path: '/media/data/photos', total_size: 30, file_count: 2, directory_count: 0 },
      files: [
        {
          name: '2026/03/a b.webp',
          path: '/media/data/photos/2026/03/a b.webp',
          size: 10,
          mime_type: 'image/webp',
        },
        { name: '2026/03/c.jpg', mime_type: 'image/jpeg', type: 'file' },
      ],
    });
    const some = await ask(`/files?path=${path}&recursive=true&filter=.JPG`);
    expect(JSON.parse(some.body)).toMatchObject({ files: [{ name: '2026/03/c.jpg' }], file_count: 1 });
  });

  it('is for those with the right', async () => {
    expect((await ask('/files', { role: 'guest' })).status).toBe(403);
    expect((await server.app.inject({ url: '/files' })).statusCode).toBe(401);
    expect((await server.app.inject({ url: `/files?token=${server.tokens.viewer}` })).statusCode).toBe(200);
  });
});

describe('a file', () => {
  it.each([
    ['/files/photos/2026/03/a%20b.webp', 'inline; filename="a b.webp"'],
    ['/download/photos/2026/03/a%20b.webp', 'attachment; filename="a b.webp"'],
    ['/download//media/data/photos/2026/03/a%20b.webp', 'attachment; filename="a b.webp"'],
  ])('is at %s', async (url, disposition) => {
    const { status, body, headers } = await ask(url, { headers: { accept: 'application/json' } });
    expect([status, body]).toEqual([200, content]);
    expect(headers).toMatchObject({
      'content-type': 'image/webp',
      'content-length': '10',
      'content-disposition': disposition,
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
    });
  });

  it('is told of without its content for HEAD', async () => {
    const { status, body, headers } = await ask('/files/photos/2026/03/c.jpg', { method: 'HEAD' });
    expect([status, body, headers['content-length']]).toEqual([200, '', '20']);
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, content, 'bytes 0-9/10'],
    ['bytes=0-99', 206, content, 'bytes 0-9/10'],
    ['bytes=0-1,3-4', 200, content, undefined],
    ['lines=1-2', 200, content, undefined],
  ])('can be had in part: %s', async (range, status, body, told) => {
    const answer = await ask('/files/photos/2026/03/a%20b.webp', { headers: { range } });
    expect([answer.status, answer.body, answer.headers['content-range']]).toEqual([status, body, told]);
  });

  it.each(['bytes=10-', 'bytes=5-4', 'bytes=-0'])('has no such part: %s', async (range) => {
    const answer = await ask('/files/photos/2026/03/a%20b.webp', { headers: { range } });
    expect([answer.status, answer.body.includes('INVALID_RANGE')]).toEqual([416, true]);
  });
});

describe('there is no way', () => {
  beforeEach(async () => {
    const photos = join(server.folder, 'photos');
    await writeFile(join(server.folder, 'secret.jpg'), 'secret');
    for (const [target, name] of [
      [join(server.folder, 'secret.jpg'), 'link.jpg'],
      [server.folder, 'up'],
      ['/etc', 'etc'],
    ] as const)
      await symlink(target, join(photos, name)).catch(() => undefined);
    // Opening it would wait until somebody writes.
    if (!existsSync(join(photos, 'pipe.jpg'))) execFileSync('mkfifo', [join(photos, 'pipe.jpg')]);
  });

  it.each([
    ...['..', '../secret.jpg', 'photos/../secret.jpg', 'photos/..%2fsecret.jpg', '%2e%2e/secret.jpg'],
    ...['photos/%2e%2e%2fsecret.jpg', 'photos/%252e%252e/secret.jpg', '/etc/passwd', '%2Fetc%2Fpasswd'],
    ...['photos/..\\secret.jpg', 'photos/2026/03/c.jpg%00', '%00', 'photos/link.jpg', 'photos/up/secret.jpg'],
    'photos/pipe.jpg',
    ...[
      'photos/etc/passwd',
      'settings/snapshot.json',
      'photos.db',
      'photos/2026/.hidden.jpg',
      'media/data/../secret.jpg',
    ],
    ...[
      'photos/2026',
      'photos/2026/03/c.jpg/x',
      `photos/${'a'.repeat(300)}`,
      'photosx',
      '.',
      'photos/2026/03/none.jpg',
    ],
  ])('by %s, to read, to list or to delete', async (path) => {
    const before = await everything();
    for (const url of [`/files/${path}`, `/download/${path}`]) {
      const { status, body } = await raw('GET', url);
      expect([status, body.includes('secret"') || body.includes('root:')]).toEqual([404, false]);
    }
    if (!['photos/2026', '.'].includes(path)) {
      expect((await raw('GET', `/files?recursive=true&path=${path}`)).status).toBe(404);
      expect([403, 404]).toContain((await raw('DELETE', `/files/${path}?recursive=true`)).status);
    }
    expect(await everything()).toEqual(before);
  });

  it('by a list that goes deep', async () => {
    const { body } = await ask('/files?path=photos&recursive=true');
    expect(body).not.toMatch(/link|etc|"up|hidden/);
  });

  /** Links are not followed. */
  async function everything(): Promise<string[]> {
    const found = await readdir(server.folder, { recursive: true, withFileTypes: true });
    return found.map(({ parentPath, name }) => join(parentPath, name));
  }

  /** Over a real connection, in the very words: clients straighten addresses out before they send them. */
  async function raw(method: string, path: string): Promise<{ status: number; body: string }> {
    const port = server.listeners.addresses.http?.port;
    return await new Promise((resolve, reject) => {
      const asked = request(
        { ...{ port, path, method }, headers: bearer(server.tokens.administrator) },
        (answer) => {
          let body = '';
          answer.setEncoding('utf8').on('data', (text: string) => (body += text));
          answer.once('end', () => {
            resolve({ status: answer.statusCode ?? 0, body });
          });
        },
      );
      asked.once('error', reject);
      asked.end();
    });
  }
});

describe('deleting', () => {
  it('is for those with the right', async () => {
    for (const role of ['viewer', 'operator'] as const)
      expect((await ask('/files/photos/2026/03/c.jpg', { method: 'DELETE', role })).status).toBe(403);
  });

  it('takes a file, and a folder where that is meant', async () => {
    const role = 'administrator';
    expect(await ask('/files/photos/2026/03/c.jpg', { method: 'DELETE', role })).toMatchObject({
      status: 200,
      body: '{"success":true}',
    });
    expect((await ask('/files/photos/2026/03/c.jpg')).status).toBe(404);
    expect((await ask('/files/photos/2026/03', { method: 'DELETE', role })).status).toBe(409);
    expect((await ask('/files/photos/2026/03?recursive=true', { method: 'DELETE', role })).status).toBe(200);
    expect(await readdir(join(server.folder, 'photos/2026'))).toEqual(['.hidden.jpg']);
    expect((await ask('/files/photos?recursive=true', { method: 'DELETE', role })).status).toBe(403);
  });
});
