// `/api/v2`: requests with ids, answers that carry them, pushes of what changes. The messages are in protocol/v2.ts.
import { crc32 } from 'node:zlib';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Identity } from '../../access/identity.js';
import { messageOf, ObscuraError } from '../../errors.js';
import { closeCodes, requests, type Op, type Request } from '../../protocol/v2.js';
import { shownValue } from '../../store/cell.js';
import type { Outcome } from '../../store/outcome.js';
import { isPerSession, isReadable } from '../../store/store.js';
import { explainValue } from '../../store/validation.js';
import { describe } from '../describe.js';
import type { WebRtcCandidate } from '../../media/messages.js';
import type { WebRtcWatch } from '../services.js';
import { matcher } from '../globs.js';
import { v2Dialect } from '../sync/dialect.js';
import { Connection } from './connection.js';

const checks = new Map(Object.entries(requests).map(([op, schema]) => [op, TypeCompiler.Compile(schema)]));

type Handled = Readonly<Record<string, unknown>>;
type Of<O extends Op> = Extract<Request, { op: O }>;

export class V2Connection extends Connection {
  #watches: ((key: string) => boolean) | undefined;
  #mask = 0;
  /** WebRTC sessions that end with this connection. */
  readonly #sessions = new Set<string>();

  override start(): void {
    super.start();
    this.ws.on('close', () => {
      for (const session of this.#sessions)
        void this.services.media?.webrtc.close(session).catch(() => undefined);
    });
  }

  protected async receive(message: unknown): Promise<void> {
    const id = idOf(message);
    const op = opOf(message);
    const check = op === undefined ? undefined : checks.get(op);
    if (check === undefined) {
      this.malformed(op === undefined ? 'A message needs an op' : `There is no op ${op.slice(0, 32)}`, id);
      return;
    }
    if (!check.Check(message)) {
      this.malformed(explainValue(check, message), id);
      return;
    }
    const request = message;
    try {
      const answer = await this.#handle(request);
      if (answer !== undefined) this.send({ id: request.id, ok: true, ...answer });
    } catch (error) {
      this.#fail(request.id, error);
    }
  }

  protected override malformed(reason: string, id: number | string | null = null): void {
    this.#idOfMalformed = id;
    super.malformed(reason);
  }
  #idOfMalformed: number | string | null = null;

  protected sendMalformed(reason: string): void {
    this.send({ id: this.#idOfMalformed, ok: false, error: { code: 'invalid', message: reason } });
    this.#idOfMalformed = null;
  }

  protected sendTooFast(retryAfter: number): void {
    const message = 'More than 100 messages a second';
    this.send({ id: null, ok: false, error: { code: 'limited', message, retryAfter } });
  }

  rightsChanged(): void {
    if (!this.identity.valid) {
      this.send({ op: 'notice', code: 'session-ended', message: 'The log-in has ended; log in anew' });
      this.ws.close(closeCodes.sessionEnded, 'session ended');
      return;
    }
    const { mask } = this.identity;
    if (mask === this.#mask) return;
    this.#mask = mask;
    if (this.reader !== undefined && this.#watches !== undefined)
      this.services.sync.move(this.reader, mask, this.#watches);
    this.send({
      op: 'notice',
      code: 'permissions',
      message: 'Your permissions have changed',
      permissions: this.identity.permissions,
    });
  }

  /** Undefined where the answer has been sent already. */
  async #handle(request: Request): Promise<Handled | undefined> {
    switch (request.op) {
      case 'auth':
        return await this.#auth(request);
      case 'watch':
        this.#watch(request);
        return undefined;
      case 'unwatch':
        this.stopReading();
        this.#watches = undefined;
        return {};
      case 'get':
        return this.#get(request);
      case 'describe':
        return this.#describe(request);
      case 'set':
        return await this.#set(request);
      case 'confirm':
        return accepted(await this.services.trials.confirm(this.identity, request.revision, this));
      case 'undo':
        return accepted(await this.services.history.undo(this.identity));
      case 'lock':
        return this.#lock(request);
      case 'unlock':
        this.services.locks.unlock(this.identity, request.keys);
        return {};
      case 'webrtc.offer':
        return await this.#openWebRtc(request);
      case 'webrtc.candidate':
        await this.#webrtc(request.session).addCandidate(request.session, request.line, request.candidate);
        return {};
      case 'webrtc.close':
        await this.#webrtc(request.session).close(request.session);
        this.#sessions.delete(request.session);
        return {};
      case 'ping':
        return { revision: this.services.store.revision };
    }
  }

  async #auth({ token, username, password }: Of<'auth'>): Promise<Handled> {
    const { accounts } = this.services;
    let identity: Identity;
    if (token !== undefined) identity = accounts.withToken(token, this.origin);
    else if (username !== undefined && password !== undefined)
      identity = await accounts.withPassword(username, password, this.origin);
    else throw new ObscuraError('invalid', 'A token, or username and password, are needed');
    this.identity = identity;
    this.#mask = identity.mask;
    if (this.reader !== undefined && this.#watches !== undefined)
      this.services.sync.move(this.reader, identity.mask, this.#watches);
    return { user: identity.name, permissions: identity.permissions };
  }

  /** Answered before anything else can happen, so that no push overtakes it. */
  #watch({ id, keys, since, epoch }: Of<'watch'>): void {
    const { store, sync } = this.services;
    this.stopReading();
    this.#watches = matcher(keys);
    this.#mask = this.identity.mask;
    this.reader = sync.join({
      transport: this.transport,
      dialect: v2Dialect,
      mask: this.#mask,
      watches: this.#watches,
      onHopeless: () => {
        this.send({ op: 'notice', code: 'slow', message: 'The connection cannot keep up; connect anew' });
        this.ws.close(closeCodes.slow, 'slow');
      },
    });
    // Who may see other keys than at the last watch does not hold a past state of what is visible now.
    const present = `${store.epoch}.${fingerprint(this.reader.cohort.visible)}`;
    const resumes =
      since !== undefined && since <= store.revision && (epoch === undefined || epoch === present);
    const cells = sync.visible(this.reader, resumes ? since : undefined);
    const values = Object.fromEntries(cells.map((cell) => [cell.key, shownValue(cell, cell.value)]));
    const watches = this.#watches;
    if (!resumes && watches('currentUser') && !this.identity.anonymous)
      values['currentUser'] = this.identity.name;
    const statuses = Object.fromEntries(
      store.statuses
        .unsettled()
        .filter(({ key }) => watches(key) && this.#mayRead(key))
        .map(({ key, ...status }) => [key, status]),
    );
    this.send({
      id,
      ok: true,
      revision: store.revision,
      epoch: present,
      ...(resumes ? { changes: values } : { state: values }),
      ...(Object.keys(statuses).length === 0 ? {} : { statuses }),
    });
  }

  #get({ keys }: Of<'get'>): Handled {
    const { store } = this.services;
    const state: Record<string, unknown> = {};
    const revisions: Record<string, number> = {};
    const take = (key: string, revision: number): void => {
      state[key] = store.read(this.identity, key);
      revisions[key] = revision;
    };
    for (const key of keys) {
      if (!key.includes('*')) {
        // Throws what fits, in the same words for a key that is hidden and one that is not there.
        const value = store.read(this.identity, key);
        state[key] = value;
        revisions[key] = store.cell(key)?.revision ?? 0;
        continue;
      }
      const matches = matcher([key]);
      for (const cell of store.cells)
        if (matches(cell.key) && isReadable(cell, this.identity)) take(cell.key, cell.revision);
    }
    return { revision: store.revision, state, revisions };
  }

  #describe({ keys }: Of<'describe'>): Handled {
    const { store } = this.services;
    const matches = matcher(keys ?? ['*']);
    const descriptions: Record<string, unknown> = {};
    for (const cell of store.cells) {
      const description = matches(cell.key) ? describe(cell, this.identity) : undefined;
      if (description === undefined) continue;
      const status = store.statuses.of(cell.key, cell.revision);
      descriptions[cell.key] = { ...description, ...status, revision: cell.revision };
    }
    const missing = (keys ?? []).find((key) => !key.includes('*') && descriptions[key] === undefined);
    if (missing !== undefined)
      throw new ObscuraError('unknown', `There is no setting named ${missing}`, { key: missing });
    return { descriptions };
  }

  async #set({ set, confirmWithin, id: _id, op: _op, ...options }: Of<'set'>): Promise<Handled> {
    const { drags, trials } = this.services;
    if (confirmWithin !== undefined && options.dryRun !== true) {
      const trial = await trials.begin(this.identity, set, confirmWithin, this, options);
      const until = trial.confirmBefore === undefined ? {} : { confirmBefore: trial.confirmBefore };
      return { ...accepted(trial.outcome), ...until };
    }
    return accepted(await drags.submit(this.identity, set, options, this));
  }

  #lock({ keys, seconds }: Of<'lock'>): Handled {
    const { store, locks } = this.services;
    for (const key of keys) {
      store.read(this.identity, key);
      if (((store.cell(key)?.writeMask ?? 0) & this.identity.mask) === 0)
        throw new ObscuraError('forbidden', `You may not change ${key}`, { key });
    }
    return { until: locks.lock(this.identity, keys, seconds, this) };
  }

  async #openWebRtc({ sdp, stream, trickle }: Of<'webrtc.offer'>): Promise<Handled> {
    if (!this.identity.may('Media_r', 'Media_rw'))
      throw new ObscuraError('forbidden', 'You may not watch the streams');
    const { media } = this.services;
    if (media === undefined) throw new ObscuraError('failed', 'This server does without video');
    const tell = (candidate: WebRtcCandidate): void => {
      this.send({ op: 'webrtc.candidate', ...candidate });
    };
    const answer = await media.webrtc.open(
      this.identity,
      stream ?? 'stream1',
      sdp,
      trickle === true ? tell : undefined,
    );
    this.#sessions.add(answer.session);
    // Whoever has hung up in the meantime will never say that it is over.
    if (this.ws.readyState !== this.ws.OPEN) await media.webrtc.close(answer.session);
    return { ...answer };
  }

  #webrtc(session: string): WebRtcWatch {
    const { media } = this.services;
    if (media === undefined || !this.#sessions.has(session))
      throw new ObscuraError('unknown', 'There is no such session');
    return media.webrtc;
  }

  #mayRead(key: string): boolean {
    const cell = this.services.store.cell(key);
    return cell !== undefined && isReadable(cell, this.identity) && !isPerSession(cell);
  }

  #fail(id: number | string, error: unknown): void {
    if (!(error instanceof ObscuraError)) {
      this.services.log.error({ err: error }, 'a request failed');
      this.send({ id, ok: false, error: { code: 'failed', message: messageOf(error) } });
      return;
    }
    const { code, key, message, retryAfter, details } = error;
    const errors = Array.isArray(details) && details.length > 1 ? { errors: details as unknown[] } : {};
    this.send({ id, ok: false, error: { code, key, message, retryAfter, ...errors } });
  }
}

/** The members of a good answer; a refusal becomes an error that names all that is wrong. */
function accepted(outcome: Outcome): Handled {
  if (!outcome.ok)
    throw new ObscuraError(outcome.error.code, outcome.error.message, {
      key: outcome.error.key,
      details: outcome.errors,
    });
  const { ok: _ok, ...rest } = outcome;
  return rest;
}

function idOf(message: unknown): number | string | null {
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : null;
  return typeof id === 'number' || typeof id === 'string' ? id : null;
}

function opOf(message: unknown): string | undefined {
  const op = typeof message === 'object' && message !== null && 'op' in message ? message.op : undefined;
  return typeof op === 'string' ? op : undefined;
}

/** Short, and equal for equal sets of visible keys. */
function fingerprint(visible: Uint8Array): string {
  return crc32(visible).toString(36);
}
