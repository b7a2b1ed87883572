import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Unsupported } from '../../src/store/reconcile.js';
import { startWebServer, type WebServer } from '../support/webServer.js';

const run = promisify(execFile);
const bind = '127.0.0.1';

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer();
});
afterAll(() => server.stop());

const httpPort = (): number => server.listeners.addresses.http?.port ?? 0;
const httpsPort = (): number => server.listeners.addresses.https?.port ?? 0;

function alive(port: number, agent?: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: bind, port, path: '/livez', ...(agent === undefined ? {} : { agent }) }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        resolve(answer.statusCode ?? 0);
      });
    }).on('error', reject);
  });
}

function fingerprint(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: bind, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.on('error', reject);
  });
}

function opened(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { rejectUnauthorized: false });
    ws.once('open', () => {
      resolve(ws);
    });
    ws.once('error', reject);
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, bind, resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

it('serves the same over plain and encrypted connections, WebSockets included', async () => {
  await server.listeners.apply({ bind, httpPort: 0, httpsPort: 0 });
  expect(await alive(httpPort())).toBe(200);
  expect(await fingerprint(httpsPort())).toBe(server.services.certificate().fingerprint);
  for (const url of [
    `ws://${bind}:${String(httpPort())}/api/v2`,
    `wss://${bind}:${String(httpsPort())}/api/v2`,
  ]) {
    const ws = await opened(url);
    const answer = new Promise<string>((resolve) => {
      ws.once('message', (data: Buffer) => {
        resolve(data.toString());
      });
    });
    ws.send('{"id":1,"op":"ping"}');
    expect(JSON.parse(await answer)).toMatchObject({ id: 1, ok: true });
    ws.terminate();
  }
});

it('moves to another port: new connections there, those that are open go on', async () => {
  await server.listeners.apply({ bind, httpPort: 0, httpsPort: null });
  const before = httpPort();
  const ws = await opened(`ws://${bind}:${String(before)}/api/v2`);
  const next = await freePort();
  await server.listeners.apply({ bind, httpPort: next, httpsPort: null });
  expect(httpPort()).toBe(next);
  expect(await alive(next)).toBe(200);
  await expect(alive(before)).rejects.toThrow('ECONNREFUSED');
  const answer = new Promise<string>((resolve) => {
    ws.once('message', (data: Buffer) => {
      resolve(data.toString());
    });
  });
  ws.send('{"id":2,"op":"ping"}');
  expect(JSON.parse(await answer)).toMatchObject({ id: 2, ok: true });
  ws.terminate();
});

it('stays where it is when the new port is taken, and says so', async () => {
  await server.listeners.apply({ bind, httpPort: 0, httpsPort: 0 });
  const [plain, encrypted] = [httpPort(), httpsPort()];
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, bind, resolve));
  const { port: taken } = other.address() as { port: number };
  try {
    const free = await freePort();
    for (const wish of [
      { httpPort: taken, httpsPort: 0 },
      { httpPort: free, httpsPort: taken },
    ]) {
      await expect(server.listeners.apply({ bind, ...wish })).rejects.toBeInstanceOf(Unsupported);
      expect([httpPort(), httpsPort()]).toEqual([plain, encrypted]);
      expect(await alive(plain)).toBe(200);
      await expect(alive(free)).rejects.toThrow('ECONNREFUSED');
    }
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

it('exchanges its two ports with each other', async () => {
  const [one, two] = [await freePort(), await freePort()];
  await server.listeners.apply({ bind, httpPort: one, httpsPort: two });
  await server.listeners.apply({ bind, httpPort: two, httpsPort: one });
  expect(await alive(two)).toBe(200);
  expect(await fingerprint(one)).toBe(server.services.certificate().fingerprint);
});

it('keeps both ports when an exchange cannot be completed', async () => {
  const [one, two] = [await freePort(), await freePort()];
  await server.listeners.apply({ bind, httpPort: one, httpsPort: two });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, bind, resolve));
  const { port: taken } = other.address() as { port: number };
  const wish = { bind, httpPort: two, httpsPort: taken };
  await expect(server.listeners.apply(wish)).rejects.toBeInstanceOf(Unsupported);
  expect(await alive(one)).toBe(200);
  expect(await fingerprint(two)).toBe(server.services.certificate().fingerprint);
  await new Promise((resolve) => other.close(resolve));
});

it('shows a new certificate at once, to new connections', async () => {
  await server.listeners.apply({ bind, httpPort: 0, httpsPort: 0 });
  const before = await fingerprint(httpsPort());
  const [keyPath, certPath] = [join(server.folder, 'k.pem'), join(server.folder, 'c.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await run('openssl', ['req', ...kind, '-subj', '/CN=device', '-keyout', keyPath, '-out', certPath]);
  const { fingerprint: expected } = await server.services.replaceCertificate(
    await readFile(certPath, 'utf8'),
    await readFile(keyPath, 'utf8'),
  );
  expect(expected).not.toBe(before);
  expect(await fingerprint(httpsPort())).toBe(expected);
});

it('ends with every connection, however stubborn, in about a second', async () => {
  const own = await startWebServer();
  await own.listeners.apply({ bind, httpPort: 0, httpsPort: null });
  const port = own.listeners.addresses.http?.port ?? 0;
  const agent = new Agent({ keepAlive: true });
  await alive(port, agent);
  const ws = await opened(`ws://${bind}:${String(port)}/api/v2`);
  // Never answers the goodbye.
  ws.pause();
  await own.stop();
  ws.terminate();
  agent.destroy();
  await expect(alive(port)).rejects.toThrow('ECONNREFUSED');
});
