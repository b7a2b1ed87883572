// login, the very first one as well, and logout: keeps a token of its own for this machine, never the password.
import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { HttpClient } from '../../client/index.js';
import { keepContext, target, type Target } from '../contexts.js';
import { usage } from '../exit.js';
import { remark, type Io, type Output } from '../io.js';
import { openHttp } from '../session.js';

export interface LoginOptions {
  readonly url?: string | undefined;
  readonly user?: string | undefined;
  /** Of the set-up: the account is to be made first. */
  readonly code?: string | undefined;
  readonly context: string;
  readonly days: number;
  readonly permissions?: readonly string[] | undefined;
}

export async function login(io: Io, output: Output, options: LoginOptions): Promise<void> {
  const { url, credentials: _credentials, ...rest } = await target(io, options);
  const username = options.user ?? io.environment['OBSCURA_USER'];
  if (username === undefined) throw usage('Say who logs in: --user NAME');
  const prompt = `${options.code === undefined ? 'Password' : 'New password'} of ${username}: `;
  const password = io.environment['OBSCURA_PASSWORD'] ?? (await io.readSecret(prompt));
  if (password === '') throw usage('Give the password on the standard input or in OBSCURA_PASSWORD');

  const certificate =
    rest.insecure || rest.caFile !== undefined ? undefined : await firstCertificate(io, output, url);
  const reached: Target = {
    ...{ ...rest, url, credentials: undefined },
    ...(certificate === undefined ? {} : { certificate }),
  };
  if (options.code !== undefined)
    await (await openHttp(reached)).post('/api/setup', { code: options.code, username, password });
  const http: HttpClient = await openHttp({ ...reached, credentials: { username, password } });
  const { token } = await http.post<{ token: string }>('/api/tokens', {
    name: `command line on ${hostname()}`.slice(0, 64),
    expiresInDays: options.days,
    ...(options.permissions === undefined ? {} : { permissions: options.permissions }),
  });
  await keepContext(io.environment, options.context, {
    url,
    token,
    ...(certificate === undefined ? {} : { certificate }),
  });
  remark(io, output, `Logged in to ${url} as ${username} for ${String(options.days)} days`);
}

export async function logout(io: Io, output: Output, context: string): Promise<void> {
  const here = await target(io, {});
  if (here.credentials !== undefined && 'token' in here.credentials) {
    // obs_<id>_<secret>: the id alone ends it. A server that is away forgets the token when it runs out.
    const id = here.credentials.token.split('_')[1] ?? '';
    await (await openHttp(here)).delete(`/api/tokens/${id}`).catch(() => {
      remark(io, output, 'The server could not be told; the token ends by itself');
    });
  }
  await keepContext(io.environment, context, undefined);
  remark(io, output, 'Logged out');
}

/** The first use decides: what is seen now is what will be trusted, so its fingerprint is shown for comparison. */
function firstCertificate(io: Io, output: Output, url: string): Promise<string | undefined> {
  const { protocol, hostname: host, port } = new URL(url);
  if (protocol !== 'https:') return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        host,
        port: port === '' ? 443 : Number(port),
        rejectUnauthorized: false,
        ...(isIP(host) === 0 ? { servername: host } : {}),
      },
      () => {
        const { fingerprint256, raw } = socket.getPeerCertificate();
        const known = socket.authorized;
        socket.end();
        if (known) {
          resolve(undefined);
          return;
        }
        remark(
          io,
          output,
          `The server's certificate is self-signed and will be trusted from now on:\n  ${fingerprint256}`,
        );
        const body = raw.toString('base64').match(/.{1,64}/g) ?? [];
        resolve(`-----BEGIN CERTIFICATE-----\n${body.join('\n')}\n-----END CERTIFICATE-----\n`);
      },
    );
    socket.once('error', reject);
  });
}
