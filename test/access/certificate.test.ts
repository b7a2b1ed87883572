// The certificate: made when missing, kept afterwards, and never exchanged for one that could not be served.
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadCertificate, replaceCertificate } from '../../src/access/certificate.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-tls-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('is made once and served over TLS 1.3 for localhost', async () => {
  const made = await loadCertificate(folder);
  expect((await loadCertificate(folder)).fingerprint).toBe(made.fingerprint);
  expect(made.selfSigned).toBe(true);
  expect(new X509Certificate(made.cert).checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect((await stat(join(folder, 'tls/key.pem'))).mode & 0o777).toBe(0o600);
  const server = createServer({ cert: made.cert, key: made.key });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: made.cert });
  try {
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.getPeerCertificate().fingerprint256).toBe(made.fingerprint);
  } finally {
    socket.destroy();
    server.close();
  }
});

it('is not replaced by a pair that does not match, or by junk', async () => {
  const made = await loadCertificate(folder);
  const other = await loadCertificate(join(folder, 'other'));
  await expect(replaceCertificate(folder, made.cert, other.key)).rejects.toThrow('does not belong');
  await expect(replaceCertificate(folder, 'junk', other.key)).rejects.toThrow('cannot be read');
  expect((await loadCertificate(folder)).fingerprint).toBe(made.fingerprint);
  await replaceCertificate(folder, other.cert, other.key);
  expect((await loadCertificate(folder)).fingerprint).toBe(other.fingerprint);
});
