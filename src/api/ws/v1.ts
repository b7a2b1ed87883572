// `/api/v1` and `/api`: the flat messages of the reference product. Keys are assignments, `get` asks, changes arrive
// as they are. Good keys of a message are applied together, each bad one gets an error of its own.
import type { WebSocket } from 'ws';
import type { Identity, Origin } from '../../access/identity.js';
import { messageOf, ObscuraError, type ErrorCode } from '../../errors.js';
import type { Refusal } from '../../store/outcome.js';
import { isReadable } from '../../store/store.js';
import type { Services } from '../services.js';
import type { Dialect } from '../sync/dialect.js';
import { shownJson } from '../sync/dialect.js';
import { Connection, protocolError } from './connection.js';
import { fromWire, LegacyNames, legacyNameOf, toWire, type Named } from './legacyNames.js';
import { TypedMessages, type TypedHost } from './typed.js';

const errorTexts: Readonly<Record<ErrorCode, string>> = {
  unknown: 'Unknown key',
  invalid: 'Invalid value',
  forbidden: 'Permission denied',
  unauthenticated: 'Invalid credentials',
  conflict: 'Conflict',
  limited: 'Rate limit exceeded',
  failed: 'Not available',
};

const authMembers = new Set(['username', 'password', 'token']);

/** Broadcasts under the older names, in the older forms. */
export const v1Dialect: Dialect = {
  name: 'v1',
  changes: ({ cells }) => {
    if (cells.length === 0) return [];
    const members = cells.map((cell) => {
      const name = legacyNameOf(cell);
      const convert = cell.definition.legacy?.toWire !== undefined;
      const json = convert ? JSON.stringify(toWire({ cell, byLegacyName: true })) : shownJson(cell);
      return `${JSON.stringify(name)}:${json}`;
    });
    return [Buffer.from(`{${members.join(',')}}`)];
  },
};

/** Broadcasts under the names of the observables; recording speaks in commands here. */
const rawDialect: Dialect = {
  name: 'raw',
  changes: ({ cells }) => {
    if (cells.length === 0) return [];
    const members = cells.map((cell) => `"${cell.key}":${rawJson(cell.key, shownJson(cell))}`);
    return [Buffer.from(`{${members.join(',')}}`)];
  },
};

const recordCommands: Readonly<Record<string, string>> = { true: '"start"', false: '"stop"' };

function rawJson(key: string, json: string): string {
  return key === 'record' ? (recordCommands[json] ?? json) : json;
}

/**
 * `flat`: the older names, nothing before the first answer. `raw`: names of observables, changes from the start.
 * `typed`: names of observables, changes once they are subscribed to.
 */
export type V1Style = 'flat' | 'raw' | 'typed';

export class V1Connection extends Connection implements TypedHost {
  readonly #names: LegacyNames;
  readonly #raw: boolean;
  readonly #typed: TypedMessages;
  #mask = 0;
  /** Nothing unsolicited comes before a flat client's first answer; what changed after this revision follows it. */
  #untoldSince: number | undefined;

  constructor(
    services: Services,
    ws: WebSocket,
    identity: Identity,
    origin: Origin,
    names: LegacyNames,
    style: V1Style,
  ) {
    super(services, ws, identity, origin);
    this.#names = names;
    this.#raw = style !== 'flat';
    this.#typed = new TypedMessages(this);
    if (style === 'flat') this.#untoldSince = services.store.revision;
    if (style === 'raw') this.speak(rawDialect);
  }

  protected async receive(message: unknown): Promise<void> {
    if (!isRecord(message)) {
      this.malformed('Not an object');
      return;
    }
    const rest = await this.#authenticate(message);
    if (rest !== undefined) await this.#answer(rest);
    if (this.#untoldSince !== undefined) this.speak(v1Dialect, this.#untoldSince);
  }

  protected sendMalformed(reason: string): void {
    this.send({ error: 'Invalid message', message: reason });
  }

  protected sendTooFast(retryAfter: number): void {
    this.send({
      error: 'Rate limit exceeded',
      limit: 100,
      period: 'second',
      retry_after: Math.ceil(retryAfter),
    });
  }

  rightsChanged(): void {
    if (!this.identity.valid) {
      this.send({ authenticated: false, error: 'Session ended' });
      this.ws.close(protocolError, 'session ended');
      return;
    }
    if (this.reader !== undefined && this.identity.mask !== this.#mask) this.#adopt(this.identity);
  }

  /** Reads a value for a client; what goes wrong becomes the documented error. */
  read(name: string): { readonly value: unknown } | { readonly error: Readonly<Record<string, unknown>> } {
    const named = this.#names.find(name);
    if (named === undefined) return { error: { error: 'Unknown key', key: name } };
    if (!isReadable(named.cell, this.identity)) return { error: { error: 'Permission denied', key: name } };
    if (named.cell.key === 'currentUser') return { value: this.identity.name };
    return { value: this.#wire(named) };
  }

  /** Everything this connection may read, by the names of the observables. */
  readable(): Readonly<Record<string, unknown>> {
    const cells = this.services.store.cells.filter((cell) => isReadable(cell, this.identity));
    return Object.fromEntries(cells.map(({ key }) => [key, this.services.store.read(this.identity, key)]));
  }

  /** Applies what can be applied; the rest comes back as documented errors, by the names the client used. */
  async assign(
    assignments: Readonly<Record<string, unknown>>,
  ): Promise<{ accepted: string[]; errors: Record<string, unknown>[] }> {
    const errors: Record<string, unknown>[] = [];
    const wanted = new Map<string, { readonly name: string; readonly value: unknown }>();
    const alone: { readonly name: string; readonly key: string; readonly value: unknown }[] = [];
    for (const [name, wire] of Object.entries(assignments)) {
      const named = this.#names.find(name);
      if (named === undefined) {
        errors.push({ error: 'Unknown key', key: name.slice(0, 64) });
      } else if ((this.identity.mask & named.cell.writeMask) === 0) {
        // Through the store, so that the attempt is in the audit.
        await this.services.store.submit(this.identity, { [named.cell.key]: wire });
        errors.push({ error: 'Permission denied', key: name });
      } else {
        const { key } = named.cell;
        const value = fromWire(named, wire);
        if (named.cell.definition.kind === 'action') alone.push({ name, key, value });
        else wanted.set(key, { name, value });
      }
    }
    const accepted = await this.#applyTogether(wanted, errors);
    for (const { name, key, value } of alone) {
      const outcome = await this.services.store.submit(this.identity, { [key]: value });
      if (outcome.ok) accepted.push(name);
      else errors.push(wireError(name, outcome.error));
    }
    return { accepted, errors };
  }

  async #applyTogether(
    wanted: Map<string, { readonly name: string; readonly value: unknown }>,
    errors: Record<string, unknown>[],
  ): Promise<string[]> {
    const { store } = this.services;
    while (wanted.size > 0) {
      const patch = Object.fromEntries([...wanted].map(([key, { value }]) => [key, value]));
      const outcome = await store.submit(this.identity, patch);
      if (outcome.ok) return [...wanted.values()].map(({ name }) => name);
      const blamed = outcome.errors.filter(({ key }) => key !== undefined && wanted.has(key));
      if (blamed.length < outcome.errors.length) return await this.#applyOneByOne(wanted, errors);
      for (const refusal of blamed) {
        const { name } = wanted.get(refusal.key ?? '') ?? {};
        if (name === undefined) continue;
        errors.push(wireError(name, refusal));
        wanted.delete(refusal.key ?? '');
      }
    }
    return [];
  }

  /** Where a rule across keys refuses, only trying tells which of them was too much. */
  async #applyOneByOne(
    wanted: ReadonlyMap<string, { readonly name: string; readonly value: unknown }>,
    errors: Record<string, unknown>[],
  ): Promise<string[]> {
    const accepted: string[] = [];
    for (const [key, { name, value }] of wanted) {
      const outcome = await this.services.store.submit(this.identity, { [key]: value });
      if (outcome.ok) accepted.push(name);
      else errors.push(wireError(name, outcome.error));
    }
    return accepted;
  }

  async #answer(message: Readonly<Record<string, unknown>>): Promise<void> {
    if (await this.#typed.receive(message)) return;
    const { get, info, ...others } = message;
    const asked = get ?? info;
    if (Array.isArray(asked)) this.#query(asked);
    else if (get !== undefined || info !== undefined) {
      this.malformed('get must be a list of names');
      return;
    }
    if (Object.keys(others).length === 0) {
      if (asked === undefined) this.malformed('The message is empty');
      return;
    }
    const { accepted, errors } = await this.assign(others);
    if (accepted.length > 0) this.send({ ...this.#confirmed(accepted, others), info: accepted });
    for (const error of errors) this.send(error);
  }

  #query(names: readonly unknown[]): void {
    const values: Record<string, unknown> = {};
    const errors: unknown[] = [];
    for (const name of names.slice(0, 200)) {
      const answer = this.read(String(name).slice(0, 64));
      if ('value' in answer) values[String(name)] = answer.value;
      else errors.push(answer.error);
    }
    if (Object.keys(values).length > 0 || errors.length === 0) this.send(values);
    for (const error of errors) this.send(error);
  }

  /** The values as they are now, under the client's names; a secret is confirmed without being repeated. */
  #confirmed(names: readonly string[], sent: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const name of names) {
      const named = this.#names.find(name);
      if (named === undefined) continue;
      const { kind } = named.cell.definition;
      if (kind === 'action') values[name] = sent[name];
      else if (isReadable(named.cell, this.identity)) values[name] = this.#wire(named);
    }
    return values;
  }

  #wire(named: Named): unknown {
    if (!this.#raw) return toWire(named);
    return JSON.parse(rawJson(named.cell.key, shownJson(named.cell))) as unknown;
  }

  /** Returns what is left of the message besides the log-in; nothing where that was all. */
  async #authenticate(
    message: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { username, password, token } = message;
    if (typeof token !== 'string' && typeof password !== 'string') return message;
    const rest = Object.fromEntries(Object.entries(message).filter(([name]) => !authMembers.has(name)));
    const isAll = Object.keys(rest).length === 0;
    try {
      const { accounts } = this.services;
      const identity =
        typeof token === 'string'
          ? accounts.withToken(token, this.origin)
          : await accounts.withPassword(String(username), String(password), this.origin);
      this.#adopt(identity);
      if (isAll) this.send({ authenticated: true, permissions: identity.permissions });
      return isAll ? undefined : rest;
    } catch (error) {
      const limited = error instanceof ObscuraError && error.code === 'limited';
      const text = limited ? messageOf(error) : 'Invalid credentials';
      this.send({ authenticated: false, error: text });
      return undefined;
    }
  }

  #adopt(identity: Identity): void {
    this.identity = identity;
    this.#mask = identity.mask;
    // Clients of these protocols ask for what they want to know, so new rights announce nothing by themselves.
    if (this.reader !== undefined) this.services.sync.move(this.reader, identity.mask, () => true, 'quietly');
  }

  /** From now on changes arrive in this dialect, and those after the revision too. */
  speak(dialect: Dialect, since?: number): void {
    this.#untoldSince = undefined;
    this.stopReading();
    this.#mask = this.identity.mask;
    this.reader = this.services.sync.join({
      transport: this.transport,
      dialect,
      mask: this.#mask,
      watches: () => true,
      ...(since === undefined ? {} : { since }),
      onHopeless: () => {
        this.ws.close(protocolError, 'slow');
      },
    });
  }
}

function wireError(name: string, { code, message }: Refusal): Record<string, unknown> {
  if (code === 'forbidden') return { error: 'Permission denied', key: name };
  return { error: errorTexts[code], key: name, message };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
