// The certificate for HTTPS and RTSPS: the owner's own, or one made here that people accept once by its fingerprint.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { messageOf, ObscuraError } from '../errors.js';
import { realFiles, replaceFile } from '../store/files.js';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly subject: string;
  /** The names and addresses that it is good for. */
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly selfSigned: boolean;
}

const certName = 'cert.pem';
const keyName = 'key.pem';
/** The longest life that browsers accept of any certificate. */
const lifeDays = 825;
const dayMs = 86_400_000;

/** Loads what is there; makes one where there is none or it cannot be used any more. */
export async function loadCertificate(
  dataFolder: string,
  now = Date.now(),
  onReport: (message: string) => void = () => undefined,
): Promise<Certificate> {
  const folder = join(dataFolder, 'tls');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const cert = await realFiles.read(join(folder, certName));
  const key = await realFiles.read(join(folder, keyName));
  if (cert !== undefined && key !== undefined) {
    try {
      const certificate = inspect(cert, key);
      if (!certificate.selfSigned || Date.parse(certificate.notAfter) > now) return certificate;
    } catch (error) {
      // Half a pair, after a crash between the two files, or something else altogether: it may be the owner's own.
      onReport(
        `The certificate in ${folder} cannot be used and was set aside; one made here takes its place. ${messageOf(error)}`,
      );
      for (const name of [certName, keyName])
        await rename(join(folder, name), join(folder, `${name}.unusable-${String(now)}`));
    }
  }
  return await store(folder, ...(await makeCertificate(now)));
}

/** One made here, in place of the one there is: for an address that has changed, or instead of the owner's own. */
export async function renewCertificate(dataFolder: string, now = Date.now()): Promise<Certificate> {
  return await store(join(dataFolder, 'tls'), ...(await makeCertificate(now)));
}

/** Puts the owner's certificate in place, after checking that it can be served. */
export async function replaceCertificate(
  dataFolder: string,
  cert: string,
  key: string,
): Promise<Certificate> {
  const certificate = inspect(cert, key);
  if (Date.parse(certificate.notAfter) <= Date.now())
    throw new ObscuraError('invalid', `The certificate has expired on ${certificate.notAfter}`);
  return await store(join(dataFolder, 'tls'), cert, key);
}

async function store(folder: string, cert: string, key: string): Promise<Certificate> {
  await replaceFile(realFiles, folder, keyName, key);
  await replaceFile(realFiles, folder, certName, cert);
  return inspect(cert, key);
}

function inspect(cert: string, key: string): Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (error) {
    throw new ObscuraError('invalid', `The certificate cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw new ObscuraError('invalid', `The private key cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!matches) throw new ObscuraError('invalid', 'The private key does not belong to the certificate');
  return {
    cert,
    key,
    fingerprint: certificate.fingerprint256,
    subject: certificate.subject.replaceAll('\n', ', '),
    names: namesIn(certificate.subjectAltName ?? ''),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    selfSigned: certificate.checkIssued(certificate),
  };
}

/** Of a text such as `DNS:camera.local, IP Address:FD00:0:0:0:0:0:0:2`, as people write them. */
function namesIn(text: string): string[] {
  return text.split(', ').flatMap((each) => {
    const [kind = '', ...rest] = each.split(':');
    const name = rest.join(':');
    if (name === '') return [];
    return kind === 'IP Address' && name.includes(':')
      ? new URL(`http://[${name}]`).hostname.slice(1, -1)
      : name;
  });
}

async function makeCertificate(now: number): Promise<readonly [cert: string, key: string]> {
  const name = hostname();
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
  const pems = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // An hour back, for devices whose clock is a little behind.
    notBeforeDate: new Date(now - 3_600_000),
    notAfterDate: new Date(now + lifeDays * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...[...new Set([name, `${name}.local`, 'localhost'])].map((value) => ({ type: 2 as const, value })),
          ...[...new Set([...addresses, '127.0.0.1', '::1'])]
            .filter((address) => !address.includes('%'))
            .map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return [pems.cert, pems.private];
}
