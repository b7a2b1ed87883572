import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startWebServer, type WebServer } from '../../support/webServer.js';

const run = promisify(execFile);

let server: WebServer;
let port = 0;
let securePort = 0;
beforeAll(async () => {
  server = await startWebServer();
  await server.listeners.apply({ bind: '127.0.0.1', httpPort: 0, httpsPort: 0 });
  port = server.listeners.addresses.http?.port ?? 0;
  securePort = server.listeners.addresses.https?.port ?? 0;
});
afterAll(() => server.stop());

/** Bytes as a client wrote them, without a library that would put them right. */
function raw(head: readonly string[], body = ''): Promise<{ status: number; head: string; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const [answerHead = '', ...rest] = text.split('\r\n\r\n');
      resolve({ status: Number(answerHead.split(' ')[1]), head: answerHead, body: rest.join('\r\n\r\n') });
    });
    socket.write(`${[...head, 'Host: device', 'Connection: close'].join('\r\n')}\r\n\r\n${body}`);
  });
}

const auth = (): string => `Authorization: Bearer ${server.tokens.administrator}`;
const length = (body: string): string => `Content-Length: ${String(Buffer.byteLength(body))}`;
const asJson = 'Content-Type: application/json';

it('headers without end are refused as such', async () => {
  const answer = await raw(['GET /api/me HTTP/1.1', `X-Long: ${'x'.repeat(20_000)}`]);
  expect(answer.status).toBe(431);
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'TOO_LARGE' } });
});

describe('what clients of the reference product put on the wire is understood', () => {
  it('a JSON content type on GET', async () => {
    expect(await raw(['GET /api/me HTTP/1.1', auth(), asJson])).toMatchObject({ status: 200 });
  });

  it('a JSON content type with an empty body on POST', async () => {
    expect(await raw(['POST /api/logout HTTP/1.1', asJson, 'Content-Length: 0'])).toMatchObject({
      status: 200,
    });
  });

  it('a JSON content type on DELETE with no body at all', async () => {
    expect(await raw(['DELETE /api/locks HTTP/1.1', auth(), asJson])).toMatchObject({ status: 204 });
  });

  it('an empty form', async () => {
    const form = 'Content-Type: application/x-www-form-urlencoded';
    expect(await raw(['POST /api/logout HTTP/1.1', form, 'Content-Length: 0'])).toMatchObject({
      status: 200,
    });
  });

  it('JSON under a form content type, as curl -d sends it', async () => {
    const body = JSON.stringify({ username: 'viewer', password });
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const answer = await raw(['POST /api/login HTTP/1.1', form, length(body)], body);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ role: 'viewer', token: expect.any(String) as string });
  });

  it('a form that is a form', async () => {
    const body = `username=viewer&password=${encodeURIComponent(password)}`;
    const form = 'Content-Type: application/x-www-form-urlencoded; charset=utf-8';
    expect(await raw(['POST /api/login HTTP/1.1', form, length(body)], body)).toMatchObject({ status: 200 });
  });

  it.each([
    ['text/plain;charset=UTF-8', '75', 75],
    ['application/json', '33', 33],
    ['application/x-www-form-urlencoded', '34', 34],
    ['application/json', '{"value":35}', 35],
  ])('a bare value as %s: %s', async (type, body, value) => {
    for (const method of ['PUT', 'POST']) {
      const head = [
        `${method} /api/settings/brightness HTTP/1.1`,
        auth(),
        `Content-Type: ${type}`,
        length(body),
      ];
      const answer = await raw(head, body);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toEqual({ key: 'brightness', value });
      expect(server.services.store.get('brightness')).toBe(value);
    }
  });

  it('a bare value without any content type, and a bare word', async () => {
    const head = ['PUT /api/settings/brightness HTTP/1.1', auth(), length('36')];
    expect(await raw(head, '36')).toMatchObject({ status: 200 });
    const word = 'PUT /api/settings/logLevel HTTP/1.1';
    expect(await raw([word, auth(), 'Content-Type: text/plain', length('warn')], 'warn')).toMatchObject({
      status: 200,
    });
    expect(server.services.store.get('logLevel')).toBe('warn');
  });

  it('an SDP offer as text/plain', async () => {
    const body = JSON.stringify({ type: 'offer', sdp: 'v=0' });
    const type = 'Content-Type: text/plain;charset=UTF-8';
    const answer = await raw(['POST /api/webrtc/offer HTTP/1.1', auth(), type, length(body)], body);
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('WEBRTC_DISABLED');
  });

  it('any Accept header', async () => {
    for (const accept of ['image/jpeg', 'text/html', 'nonsense', '*/*;q=0'])
      expect(await raw(['GET /api/me HTTP/1.1', auth(), `Accept: ${accept}`])).toMatchObject({ status: 200 });
  });

  it('older names of settings with their values, and lights', async () => {
    const lit = await raw(
      ['POST /api/light HTTP/1.1', auth(), asJson, 'Content-Length: 15'],
      '{"light0":true}',
    );
    expect(JSON.parse(lit.body)).toEqual({ light0: true });
    const older = await raw(
      ['PUT /api/settings/cam1-light HTTP/1.1', auth(), asJson, 'Content-Length: 5'],
      'false',
    );
    expect(JSON.parse(older.body)).toEqual({ key: 'cam1-light', value: false });
    expect(server.services.store.get('light0')).toBe(false);
  });

  it('a body in pieces without a length', async () => {
    const head = ['PATCH /api/state HTTP/1.1', auth(), asJson, 'Transfer-Encoding: chunked'];
    const answer = await raw(head, '6\r\n{"set"\r\n4\r\n:{}}\r\n0\r\n\r\n');
    expect(answer.status).toBe(200);
  });
});

it('answers what is not HTTP with an error, and goes on', async () => {
  const answer = await raw(['\u0000\u0001 nonsense']);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  expect(await raw(['GET /livez HTTP/1.1'])).toMatchObject({ status: 200 });
});

it('speaks Digest with curl, over HTTP and over HTTPS', async () => {
  for (const base of [`http://127.0.0.1:${String(port)}`, `https://127.0.0.1:${String(securePort)}`]) {
    const args = ['-sS', '-k', '--digest', '-u', `operator:${password}`, `${base}/api/user/profile?x=1`];
    const { stdout } = await run('curl', args);
    expect(JSON.parse(stdout)).toMatchObject({ username: 'operator', authenticated: true });
    const wrong = await run('curl', [
      '-sS',
      '-k',
      '--digest',
      '-u',
      'operator:wrong',
      '-w',
      '%{http_code}',
      `${base}/api/user/profile`,
    ]);
    expect(wrong.stdout).toMatch(/401$/);
  }
});

it('refuses a Digest answer that was made for another path', async () => {
  const { createHash } = await import('node:crypto');
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const challenge = server.services.accounts.digestChallenge();
  const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const answerFor = (uri: string, count: string): string => {
    const ha1 = md5(`operator:${realm}:${password}`);
    const response = md5(`${ha1}:${nonce}:${count}:abc:auth:${md5(`GET:${uri}`)}`);
    return `Authorization: Digest username="operator", realm="${realm}", nonce="${nonce}", uri="${uri}", qop=auth, nc=${count}, cnonce="abc", response="${response}"`;
  };
  expect(await raw(['GET /api/me HTTP/1.1', answerFor('/api/me', '00000001')])).toMatchObject({
    status: 200,
  });
  expect(await raw(['GET /api/state HTTP/1.1', answerFor('/api/me', '00000002')])).toMatchObject({
    status: 401,
  });
});
