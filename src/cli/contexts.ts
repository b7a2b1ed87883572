// Which server, and as whom: from options, the environment, or what `obscura login` has kept.
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Credentials } from '../client/index.js';
import { usage } from './exit.js';
import type { Io } from './io.js';

export interface Context {
  readonly url: string;
  readonly token?: string;
  /** The self-signed certificate that was accepted at the log-in, and nothing but it. */
  readonly certificate?: string;
}

interface ContextFile {
  readonly current: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

const defaultUrl = 'http://127.0.0.1:8080';

export interface Target extends Context {
  readonly credentials: Credentials | undefined;
  readonly insecure: boolean;
  readonly caFile: string | undefined;
}

export async function target(
  { environment }: Io,
  option: { readonly url?: string | undefined },
): Promise<Target> {
  const kept = await contexts(environment);
  const name = environment['OBSCURA_CONTEXT'] ?? kept.current;
  const context = Object.hasOwn(kept.contexts, name) ? kept.contexts[name] : undefined;
  if (environment['OBSCURA_CONTEXT'] !== undefined && context === undefined)
    throw usage(`There is no context ${name}; see \`obscura login\``);
  const url = option.url ?? environment['OBSCURA_URL'] ?? context?.url ?? defaultUrl;
  const sameServer = context !== undefined && context.url === url;
  const file = environment['OBSCURA_TOKEN_FILE'];
  const token =
    environment['OBSCURA_TOKEN'] ??
    (file === undefined ? undefined : (await readFile(file, 'utf8')).trim()) ??
    (sameServer ? context.token : undefined);
  const { OBSCURA_USER: username, OBSCURA_PASSWORD: password } = environment as Readonly<
    Record<string, string>
  >;
  const byPassword = username !== undefined && password !== undefined ? { username, password } : undefined;
  return {
    url,
    ...(sameServer && context.certificate !== undefined ? { certificate: context.certificate } : {}),
    credentials: token === undefined ? byPassword : { token },
    insecure: environment['OBSCURA_INSECURE'] === '1',
    caFile: environment['OBSCURA_CA'],
  };
}

export async function keepContext(
  environment: Io['environment'],
  name: string,
  context: Context | undefined,
): Promise<void> {
  const { contexts: others } = await contexts(environment);
  const rest = Object.fromEntries(Object.entries(others).filter(([each]) => each !== name));
  const next: ContextFile = {
    current: name,
    contexts: context === undefined ? rest : { ...rest, [name]: context },
  };
  const file = contextFile(environment);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.tmp`, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 });
  // An older file may have had other rights, and so may the new one under a name that existed.
  await chmod(`${file}.tmp`, 0o600);
  await rename(`${file}.tmp`, file);
}

async function contexts(environment: Io['environment']): Promise<ContextFile> {
  try {
    return JSON.parse(await readFile(contextFile(environment), 'utf8')) as ContextFile;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { current: 'default', contexts: {} };
    throw usage(`${contextFile(environment)} cannot be read; repair or delete it`);
  }
}

function contextFile(environment: Io['environment']): string {
  const base = environment['XDG_CONFIG_HOME'] ?? join(environment['HOME'] ?? homedir(), '.config');
  return join(base, 'obscura', 'contexts.json');
}
