import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWebServer, type WebServer } from '../../support/webServer.js';

const markup = '<!doctype html><title>Obscura</title>';
const script = 'console.log("a page of many words")'.repeat(10);
let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

function get(url: string, headers: Readonly<Record<string, string>> = {}) {
  return server.app.inject({ url, headers });
}

/** As the build leaves them: each file, and its compressed forms beside it. */
async function build(): Promise<void> {
  const folder = server.services.pageFolder;
  await mkdir(join(folder, 'assets'), { recursive: true });
  for (const [name, text] of [
    ['index.html', markup],
    ['assets/index-abc123.js', script],
  ] as const) {
    await writeFile(join(folder, name), text);
    await writeFile(join(folder, `${name}.br`), brotliCompressSync(text));
    await writeFile(join(folder, `${name}.gz`), gzipSync(text));
  }
}

it('says in words that the page has not been built, and shows it as soon as it is', async () => {
  const before = await get('/');
  expect(before.statusCode).toBe(503);
  expect(before.headers['content-type']).toMatch(/^text\/html/);
  expect(before.body).toMatch(/has not been built[\s\S]*npm run build:web/);
  expect((await get('/assets/index-abc123.js')).statusCode).toBe(404);
  await build();
  const after = await get('/');
  expect(after.statusCode).toBe(200);
  expect(after.body).toBe(markup);
});

it('sends each file in the smallest form that the browser takes', async () => {
  const address = '/assets/index-abc123.js';
  const brotli = await get(address, { 'accept-encoding': 'gzip, deflate, br' });
  expect(brotli.headers['content-encoding']).toBe('br');
  expect(brotliDecompressSync(brotli.rawPayload).toString()).toBe(script);
  const gzip = await get(address, { 'accept-encoding': 'gzip, br;q=0' });
  expect(gzip.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(gzip.rawPayload).toString()).toBe(script);
  const plain = await get(address);
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.body).toBe(script);
  expect(new Set([brotli, gzip, plain].map(({ headers }) => headers['etag'])).size).toBe(3);
  for (const { headers } of [brotli, gzip, plain]) expect(headers['vary']).toBe('Accept-Encoding');
});

it('lets browsers keep what never changes, and ask each time for what may', async () => {
  expect((await get('/assets/index-abc123.js')).headers['cache-control']).toBe(
    'public, max-age=31536000, immutable',
  );
  const page = await get('/');
  expect(page.headers['cache-control']).toBe('no-cache');
  const again = await get('/', { 'if-none-match': String(page.headers['etag']) });
  expect(again.statusCode).toBe(304);
  expect(again.body).toBe('');
  expect((await get('/', { 'if-none-match': '"another"' })).statusCode).toBe(200);
});

it('allows the page nothing from elsewhere and no script within the markup', async () => {
  const policy = String((await get('/')).headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("style-src 'self'");
  expect(policy).not.toMatch(/unsafe|http|\*/);
});

it('gives away no other file', async () => {
  await writeFile(join(server.services.pageFolder, '..', 'secret.js'), 'secret');
  for (const address of ['/assets/../../secret.js', '/assets/..%2f..%2fsecret.js', '/assets/', '/index.html'])
    expect((await get(address)).statusCode, address).toBe(404);
});

it('goes on with its own page while the next one is being built', async () => {
  await rm(server.services.pageFolder, { recursive: true });
  expect((await get('/')).body).toBe(markup);
  expect((await get('/assets/index-abc123.js')).body).toBe(script);
});
