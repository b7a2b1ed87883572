// preset, user, role, token, log: what is managed over HTTP.
import type { HttpClient } from '../../client/index.js';
import { CommandError, exitCodes, usage } from '../exit.js';
import { json, line, remark, table, valueText, type Io, type Output } from '../io.js';

export interface ManagementContext {
  readonly io: Io;
  readonly output: Output;
  readonly http: HttpClient;
}

function at(path: string, name: string): string {
  return `${path}/${encodeURIComponent(name)}`;
}

interface Preset {
  readonly values: Readonly<Record<string, unknown>>;
  readonly by: string;
}

export async function presetList({ io, output, http }: ManagementContext): Promise<void> {
  const { presets } = await http.get<{ presets: Record<string, Preset> }>('/api/presets');
  if (output.json) json(io, presets);
  else
    table(
      io,
      ['NAME', 'BY', 'KEYS'],
      Object.entries(presets).map(([name, { by, values }]) => [name, by, Object.keys(values).join(',')]),
    );
}

export async function presetSave(
  { io, output, http }: ManagementContext,
  name: string,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) throw usage('Name the settings that the preset shall hold');
  await http.put(at('/api/presets', name), { keys });
  remark(io, output, `preset ${name} saved`);
}

export async function presetDiff({ io, output, http }: ManagementContext, name: string): Promise<void> {
  const answer = await http.get<{ differences: { key: string; now: unknown; preset: unknown }[] }>(
    `${at('/api/presets', name)}/diff`,
  );
  if (output.json) json(io, answer.differences);
  else
    for (const { key, now, preset } of answer.differences)
      line(io, `${key}: ${valueText(now)} -> ${valueText(preset)}`);
  if (answer.differences.length > 0) throw new CommandError(exitCodes.failed, 'different', '');
}

export async function presetApply({ io, output, http }: ManagementContext, name: string): Promise<void> {
  const { changed } = await http.post<{ changed: string[] }>(`${at('/api/presets', name)}/apply`);
  if (output.json) json(io, { changed });
  else remark(io, output, changed.length === 0 ? 'unchanged' : `set: ${changed.join(', ')}`);
}

export async function remove(
  { io, output, http }: ManagementContext,
  path: string,
  name: string,
  what: string,
): Promise<void> {
  await http.delete(at(path, name));
  remark(io, output, `${what} ${name} deleted`);
}

interface User {
  readonly username: string;
  readonly role: string;
  readonly additionalPermissions?: readonly string[];
}

export async function userList({ io, output, http }: ManagementContext): Promise<void> {
  const { users } = await http.get<{ users: User[] }>('/api/users');
  if (output.json) json(io, users);
  else
    table(
      io,
      ['NAME', 'ROLE', 'BEYOND'],
      users.map(({ username, role, additionalPermissions }) => [
        username,
        role,
        additionalPermissions?.join(',') ?? '',
      ]),
    );
}

/** A password on the command line could be seen by others on the machine, so it comes by the standard input. */
async function passwordFrom(io: Io, username: string): Promise<string> {
  const password = await io.readSecret(`New password of ${username}: `);
  if (password === '') throw usage('Give the password on the standard input');
  return password;
}

export async function userAdd(
  { io, output, http }: ManagementContext,
  username: string,
  role: string,
): Promise<void> {
  await http.post('/api/users', { username, role, password: await passwordFrom(io, username) });
  remark(io, output, `account ${username} made`);
}

export async function userRole(
  { io, output, http }: ManagementContext,
  username: string,
  change: { readonly role?: string | undefined; readonly permissions?: readonly string[] | undefined },
): Promise<void> {
  const { role, permissions } = change;
  await http.patch(at('/api/users', username), {
    ...(role === undefined ? {} : { role }),
    ...(permissions === undefined ? {} : { additionalPermissions: permissions }),
  });
  remark(io, output, `account ${username} changed`);
}

export async function userPassword(context: ManagementContext, username: string): Promise<void> {
  const { io, output, http } = context;
  await http.patch(at('/api/users', username), { password: await passwordFrom(io, username) });
  remark(io, output, `password of ${username} changed`);
}

export async function roleList({ io, output, http }: ManagementContext): Promise<void> {
  const { roles } = await http.get<{ roles: { name: string; permissions: string[] }[] }>('/api/roles');
  if (output.json) json(io, roles);
  else
    table(
      io,
      ['NAME', 'PERMISSIONS'],
      roles.map(({ name, permissions }) => [name, permissions.join(',')]),
    );
}

export async function roleSet(
  { io, output, http }: ManagementContext,
  name: string,
  permissions: readonly string[],
): Promise<void> {
  await http.put(at('/api/roles', name), { permissions });
  remark(io, output, `role ${name} set`);
}

interface Token {
  readonly id: string;
  readonly name: string;
  readonly username: string;
  readonly permissions: readonly string[];
  readonly expires: number | null;
}

export async function tokenList({ io, output, http }: ManagementContext): Promise<void> {
  const { tokens } = await http.get<{ tokens: Token[] }>('/api/tokens');
  if (output.json) json(io, tokens);
  else
    table(
      io,
      ['ID', 'NAME', 'OF', 'UNTIL', 'PERMISSIONS'],
      tokens.map(({ id, name, username, expires, permissions }) => [
        id,
        name,
        username,
        expires === null ? 'for ever' : new Date(expires).toISOString(),
        permissions.join(','),
      ]),
    );
}

export async function tokenCreate(
  { io, output, http }: ManagementContext,
  name: string,
  {
    permissions,
    days,
  }: { readonly permissions?: readonly string[] | undefined; readonly days?: number | undefined },
): Promise<void> {
  const made = await http.post<{ id: string; token: string; expires: number | null }>('/api/tokens', {
    name,
    ...(permissions === undefined ? {} : { permissions }),
    ...(days === undefined ? {} : { expiresInDays: days }),
  });
  if (output.json) json(io, made);
  else line(io, made.token);
}

interface Audit {
  readonly at: number;
  readonly by: string;
  readonly via: string;
  readonly outcome: string;
  readonly changes?: readonly {
    readonly key: string;
    readonly old?: unknown;
    readonly new?: unknown;
    readonly secret?: true;
  }[];
  readonly keys?: readonly string[];
  readonly message?: string;
  readonly event?: string;
}

export interface LogOptions {
  readonly follow?: boolean | undefined;
  readonly user?: string | undefined;
  readonly key?: string | undefined;
  readonly limit?: number | undefined;
}

export async function auditLog(
  { io, output, http }: ManagementContext,
  { follow, user, key, limit }: LogOptions,
): Promise<void> {
  const query = new URLSearchParams();
  if (user !== undefined) query.set('user', user);
  if (key !== undefined) query.set('key', key);
  if (limit !== undefined) query.set('limit', String(limit));
  const tell = (record: Audit): void => {
    line(io, output.json ? JSON.stringify(record) : auditText(record));
  };
  const answer = await http.get<{ records: Audit[] }>(`/api/audit?${query.toString()}`);
  for (const record of answer.records.toReversed()) tell(record);
  if (follow !== true) return;
  query.delete('limit');
  for await (const record of http.lines(`/api/audit/follow?${query.toString()}`, io.signal))
    tell(record as Audit);
}

function auditText({ at: when, by, via, outcome, changes, keys, message, event }: Audit): string {
  const what =
    event ??
    message ??
    (changes ?? [])
      .map(({ key, old, new: next, secret }) =>
        secret === true
          ? `${key} (secret)`
          : `${key}: ${valueText(old ?? null)} -> ${valueText(next ?? null)}`,
      )
      .join('; ');
  const about = keys === undefined || keys.length === 0 ? '' : ` [${keys.join(', ')}]`;
  return `${new Date(when).toISOString()} ${by} (${via}) ${outcome}: ${what}${about}`;
}
