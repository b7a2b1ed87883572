// get, set, watch, describe, wait, undo: one server's settings from the command line.
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { ClientError, type Client, type SettingKey } from '../../client/index.js';
import { readAssignments, unknownKey, type Described } from '../assignments.js';
import { readCondition } from '../conditions.js';
import { readDocument } from '../documents.js';
import { CommandError, exitCodes, usage } from '../exit.js';
import { json, line, pairs, remark, table, valueText, type Io, type Output } from '../io.js';

export interface SettingsContext {
  readonly io: Io;
  readonly output: Output;
  readonly client: Client;
}

interface Description extends Described {
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  readonly unit?: string;
  readonly default?: unknown;
  readonly effect?: string;
  readonly saved: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly revision: number;
  readonly status: string;
  readonly reason?: string;
}

type Descriptions = Readonly<Record<string, Description>>;

async function descriptionsOf(client: Client): Promise<Descriptions> {
  return (await client.describe()) as Descriptions;
}

export async function get({ io, output, client }: SettingsContext, globs: readonly string[]): Promise<void> {
  const values = await client.getAll(globs.length === 0 ? ['*'] : globs).catch(async (error: unknown) => {
    if (error instanceof ClientError && error.code === 'unknown' && error.key !== undefined)
      throw unknownKey(error.key, Object.keys(await descriptionsOf(client)));
    throw error;
  });
  if (!output.json) {
    const [only] = Object.values(values);
    // A single key asked for by name is most useful bare.
    if (globs.length === 1 && globs[0]?.includes('*') === false) line(io, valueText(only));
    else pairs(io, values);
    return;
  }
  const descriptions = await descriptionsOf(client);
  const full = Object.entries(values).map(([key, value]) => {
    const { revision = 0, status = 'applied', unit } = descriptions[key] ?? {};
    return [key, { value, revision, status, ...(unit === undefined ? {} : { unit }) }];
  });
  json(io, Object.fromEntries(full));
}

export interface SetCommandOptions {
  readonly wait: 'applied' | 'accepted';
  readonly ifRevision?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly timeout?: number | undefined;
}

export async function set(
  { io, output, client }: SettingsContext,
  words: readonly string[],
  { wait, ifRevision, dryRun, timeout }: SetCommandOptions,
): Promise<void> {
  const values = await readAssignments(words, await descriptionsOf(client));
  const signal =
    timeout === undefined ? io.signal : AbortSignal.any([io.signal, AbortSignal.timeout(timeout * 1000)]);
  const { revision, changed, consequences, result } = await client.submit(values, {
    wait,
    ifRevision,
    dryRun,
    signal,
  });
  if (output.json) {
    json(io, { revision, changed, ...(consequences === undefined ? {} : { consequences }), result });
    return;
  }
  if (dryRun === true) {
    for (const { key, effect, message } of consequences ?? []) line(io, `${key}: ${effect}. ${message}`);
    if ((consequences ?? []).length === 0) line(io, 'nothing would change');
    return;
  }
  for (const key of Object.keys(values))
    remark(io, output, `${key}: ${changed.includes(key) || result !== undefined ? 'set' : 'unchanged'}`);
  if (result !== undefined) line(io, valueText(result));
}

export interface WatchCommandOptions {
  readonly count?: number | undefined;
  readonly timeout?: number | undefined;
  readonly changesOnly?: boolean | undefined;
}

export async function watch(
  { io, output, client }: SettingsContext,
  globs: readonly string[],
  { count, timeout, changesOnly }: WatchCommandOptions,
): Promise<void> {
  let left = count ?? Number.POSITIVE_INFINITY;
  await until(io, timeout, async (finish) => {
    await client.watch(
      globs.length === 0 ? ['*'] : globs,
      ({ set: values, complete, revision, by, gone }) => {
        if (left <= 0 || (complete && changesOnly === true)) return;
        left -= 1;
        if (output.json)
          line(io, JSON.stringify({ revision, set: values, by, ...(gone.length === 0 ? {} : { gone }) }));
        else for (const [key, value] of Object.entries(values)) line(io, `${key}=${valueText(value)}`);
        if (left <= 0) finish();
      },
    );
  }).catch((error: unknown) => {
    // The time that was asked for is up: that is the end, not a failure.
    if (!(error instanceof CommandError) || error.code !== 'timeout') throw error;
  });
}

export async function describe(
  { io, output, client }: SettingsContext,
  globs: readonly string[],
): Promise<void> {
  const all = await descriptionsOf(client);
  const chosen = globs.length === 0 ? all : ((await client.describe(globs)) as Descriptions);
  if (output.json) {
    json(io, chosen);
    return;
  }
  if (globs.length === 0) {
    table(
      io,
      ['KEY', 'TITLE', 'ACCESS', 'EFFECT'],
      Object.entries(chosen).map(([key, { title, writable, effect, kind }]) => [
        key,
        title,
        writable ? 'read, write' : 'read',
        effect ?? kind,
      ]),
    );
    return;
  }
  for (const [key, each] of Object.entries(chosen)) {
    line(io, `${key}: ${each.title}`);
    line(io, `  ${each.description}`);
    pairs(io, {
      '  type': each.schema,
      ...(each.default === undefined ? {} : { '  default': each.default }),
      ...(each.unit === undefined ? {} : { '  unit': each.unit }),
      '  read': each.read.join(', ') || 'nobody',
      '  write': each.write.join(', ') || 'nobody',
      '  you may': [each.readable ? 'read' : '', each.writable ? 'write' : ''].filter(Boolean).join(', '),
      '  saved': each.saved,
      ...(each.effect === undefined ? {} : { '  effect': each.effect }),
      '  status': each.reason === undefined ? each.status : `${each.status}: ${each.reason}`,
    });
  }
}

export async function waitFor(
  { io, client }: SettingsContext,
  texts: readonly string[],
  timeout: number | undefined,
): Promise<void> {
  if (texts.length === 0) throw usage('Say what to wait for: --for key=value');
  const conditions = texts.map(readCondition);
  const met = (): boolean => conditions.every(({ key, holds }) => holds(client.peek(key as SettingKey)));
  const known = await descriptionsOf(client);
  const missing = conditions.find(({ key }) => !Object.hasOwn(known, key));
  if (missing !== undefined) throw unknownKey(missing.key, Object.keys(known));
  await until(io, timeout, async (finish) => {
    await client.watch(
      conditions.map(({ key }) => key),
      () => {
        if (met()) finish();
      },
    );
  });
}

export async function undo({ io, output, client }: SettingsContext): Promise<void> {
  const { revision, changed } = await client.undo();
  if (output.json) json(io, { revision, changed });
  else remark(io, output, `taken back: ${changed.join(', ')}`);
}

/** What can be written and is kept: the settings, without statuses, secrets and second names. */
async function settingsNow(client: Client): Promise<Record<string, unknown>> {
  const descriptions = await descriptionsOf(client);
  const values = (await client.getAll()) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(values).filter(([key]) => {
      const { kind, saved, writable } = descriptions[key] ?? {};
      return kind === 'setting' && saved === true && writable === true;
    }),
  );
}

export async function exportAll({ io, output, client }: SettingsContext): Promise<void> {
  const values = await settingsNow(client);
  if (output.json) json(io, values);
  else io.out.write(stringify(values));
}

async function differences(
  client: Client,
  wanted: Readonly<Record<string, unknown>>,
): Promise<{ readonly key: string; readonly now: unknown; readonly wanted: unknown }[]> {
  const values = (await client.getAll()) as Readonly<Record<string, unknown>>;
  const unheardOf = Object.keys(wanted).find((key) => !Object.hasOwn(values, key));
  if (unheardOf !== undefined) throw unknownKey(unheardOf, Object.keys(values));
  return Object.entries(wanted)
    .map(([key, value]) => ({ key, now: values[key], wanted: value }))
    .filter((each) => !isDeepStrictEqual(each.now, each.wanted));
}

export async function diff({ io, output, client }: SettingsContext, file: string): Promise<void> {
  const found = await differences(client, await readDocument(io, file));
  if (output.json) json(io, found);
  else
    for (const { key, now, wanted } of found) {
      line(io, `- ${key}: ${valueText(now)}`);
      line(io, `+ ${key}: ${valueText(wanted)}`);
    }
  if (found.length > 0) throw new CommandError(exitCodes.failed, 'different', '');
}

export async function apply(
  { io, output, client }: SettingsContext,
  file: string,
  { dryRun, wait }: { readonly dryRun?: boolean | undefined; readonly wait: 'applied' | 'accepted' },
): Promise<void> {
  const found = await differences(client, await readDocument(io, file));
  const values = Object.fromEntries(found.map(({ key, wanted }) => [key, wanted]));
  if (found.length === 0) {
    if (output.json) json(io, { changed: [] });
    else remark(io, output, 'unchanged');
    return;
  }
  const { changed, revision, consequences } = await client.submit(values, { dryRun, wait });
  if (output.json) json(io, { revision, changed, ...(consequences === undefined ? {} : { consequences }) });
  else if (dryRun === true) for (const { key, message } of consequences ?? []) line(io, `${key}: ${message}`);
  else remark(io, output, `set: ${changed.join(', ')}`);
}

/** Runs until `finish` is called, the time is up, or the person interrupts. */
async function until(
  io: Io,
  timeout: number | undefined,
  begin: (finish: () => void) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            reject(new CommandError(exitCodes.timedOut, 'timeout', `Not within ${String(timeout)} seconds`));
          }, timeout * 1000);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    io.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new CommandError(exitCodes.interrupted, 'interrupted', 'Interrupted'));
    });
    begin(finish).catch(reject);
  });
}
