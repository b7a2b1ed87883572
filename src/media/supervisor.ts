// Keeps a media process running and tells it what is wanted. Whatever becomes of that process, the next one is given
// everything again; nobody here waits for GStreamer.
import { fork, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { BehaviorSubject, filter, firstValueFrom, Subject, type Observable } from 'rxjs';
import { messageOf, ObscuraError } from '../errors.js';
import type { PathSample } from '../adaptive/samples.js';
import type { Machine } from '../pipelines/machine.js';
import type { VideoDevice } from '../pipelines/settings.js';
import { FrameReader, pictureFile, type Picture } from './pictureFrames.js';
import { withoutAccount } from './redact.js';
import type { Beat, FromMedia, OrderKind, Orders, Rebuild, WebRtcCandidate } from './messages.js';

/** A process that has said nothing for this long hangs. */
const silenceMs = 2000;
/** Its loop may be busy for a moment; after this long it does not come back. */
const loopHangsMs = 10_000;
/** Loading GStreamer for the first time may take a while: it looks at all of its plugins. */
const startWithinMs = 60_000;
const firstRetryMs = 200;
const longestRetryMs = 10_000;
/** After this long a process counts as sound, and the next failure as its first. */
const soundAfterMs = 10_000;
const endWithinMs = 2000;

export type MediaState =
  | { readonly phase: 'starting' }
  | { readonly phase: 'running'; readonly machine: Machine; readonly version: string; readonly pid: number }
  | { readonly phase: 'down'; readonly reason: string };

/** What was asked for could not be done; `unsupported` where trying again makes no sense. */
export class MediaFailure extends ObscuraError {
  readonly unsupported: boolean;
  constructor(reason: string, unsupported: boolean) {
    super('failed', reason);
    this.unsupported = unsupported;
  }
}

export interface RenditionDemand {
  readonly channel: string;
  readonly wanted: boolean;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: MediaFailure) => void;
}

export interface SupervisorOptions {
  readonly log: (level: 'debug' | 'info' | 'warn', message: string, category?: string) => void;
  /** Where the devices of the machine are. */
  readonly deviceFolder?: string;
  /** The program of the media process. */
  readonly program?: URL | undefined;
}

/** What it has written before it ended is kept as far as this many characters go back. */
const lastWordsAtMost = 2000;

const standing = ['access', 'rtsp', 'plan', 'steer'] as const satisfies readonly OrderKind[];

const nothingRuns: Omit<Beat, 'kind'> = { pipelines: [], channels: {}, clients: [], webrtc: [] };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #state = new BehaviorSubject<MediaState>({ phase: 'starting' });
  readonly #beats = new BehaviorSubject<Omit<Beat, 'kind'>>(nothingRuns);
  readonly #closedSessions = new Subject<string>();
  /** WebRTC sessions that are no more. */
  readonly closedSessions$: Observable<string> = this.#closedSessions.asObservable();
  readonly #renditions = new Subject<RenditionDemand>();
  /** Renditions that somebody asks for, or nobody any more. */
  readonly renditions$: Observable<RenditionDemand> = this.#renditions.asObservable();
  readonly #pictures = new Subject<Picture>();
  /** Single pictures of the variants that are wanted. */
  readonly pictures$: Observable<Picture> = this.#pictures.asObservable();
  readonly #candidates = new Subject<WebRtcCandidate>();
  /** Addresses that were found for sessions after they were opened. */
  readonly candidates$: Observable<WebRtcCandidate> = this.#candidates.asObservable();
  readonly #devices = new Subject<readonly VideoDevice[]>();
  /** The cameras that are plugged in, as often as they change. */
  readonly devices$: Observable<readonly VideoDevice[]> = this.#devices.asObservable();
  readonly #samples = new Subject<readonly PathSample[]>();
  /** What is learnt of the ways to the viewers. */
  readonly samples$: Observable<readonly PathSample[]> = this.#samples.asObservable();
  readonly #rebuilds = new Subject<Rebuild>();
  /** Pipelines that were made anew. */
  readonly rebuilds$: Observable<Rebuild> = this.#rebuilds.asObservable();
  readonly state$: Observable<MediaState> = this.#state.asObservable();
  /** Twice a second while the process runs. */
  readonly beats$: Observable<Omit<Beat, 'kind'>> = this.#beats.asObservable();
  /** What a new process is told first: the last of each that was carried out. */
  readonly #orders: { -readonly [K in OrderKind]?: Orders[K] } = {};
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #serial = 0;
  #retryMs = firstRetryMs;
  #silence: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#start();
  }

  get state(): MediaState {
    return this.#state.value;
  }

  get beat(): Omit<Beat, 'kind'> {
    return this.#beats.value;
  }

  /** Waits out a start; rejects where there is no process that could do anything. */
  async whenRunning(): Promise<Machine> {
    const { phase, ...state } = await firstValueFrom(
      this.#state.pipe(filter((each) => each.phase !== 'starting')),
      { defaultValue: { phase: 'down' as const, reason: 'The server is stopping' } },
    );
    if (phase === 'running' && 'machine' in state) return state.machine;
    throw new MediaFailure(`There is no video now: ${'reason' in state ? state.reason : phase}`, false);
  }

  /** Resolves when it is so; rejects with MediaFailure. What stands is told again to every new process. */
  async order<K extends OrderKind>(kind: K, order: Orders[K]): Promise<unknown> {
    // Rights are what they are, also where there is no process to hear of them: the next one must not go by the old ones.
    if (kind === 'access') this.#orders[kind] = order;
    const result = await this.#send(kind, order);
    if ((standing as readonly OrderKind[]).includes(kind)) this.#orders[kind] = order;
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const child = this.#child;
    this.#child = undefined;
    this.#failAll('The server is stopping');
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // It ends by itself when it is let go of; what does not is ended.
      const timer = setTimeout(() => child.kill('SIGKILL'), endWithinMs);
      if (child.connected) child.disconnect();
      else child.kill('SIGKILL');
      await gone;
      clearTimeout(timer);
    }
    this.#state.complete();
    this.#beats.complete();
    this.#closedSessions.complete();
    this.#candidates.complete();
    this.#renditions.complete();
    this.#devices.complete();
    this.#pictures.complete();
    this.#samples.complete();
    this.#rebuilds.complete();
  }

  async #send(kind: OrderKind, order: unknown): Promise<unknown> {
    await this.whenRunning();
    const child = this.#child;
    if (child?.connected !== true)
      throw new MediaFailure('There is no video now: the process has ended', false);
    this.#serial += 1;
    const id = this.#serial;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      child.send({ kind, id, order }, (error) => {
        if (error !== null) this.#settle(id)?.reject(new MediaFailure(error.message, false));
      });
    });
  }

  #start(): void {
    if (this.#closed) return;
    this.#startedAt = Date.now();
    // From sources in tests and benchmarks, from the build otherwise: the process is written in what this file is.
    const program =
      this.#options.program ?? new URL(`./process${import.meta.filename.slice(-3)}`, import.meta.url);
    const { deviceFolder } = this.#options;
    const child = fork(program, deviceFolder === undefined ? [] : [deviceFolder], {
      execArgv: program.pathname.endsWith('.ts') ? ['--import', 'tsx'] : [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
      serialization: 'json',
    });
    this.#child = child;
    let lastWords = '';
    child.stderr?.on('data', (data: Buffer) => {
      lastWords = `${lastWords}${data.toString()}`.slice(-lastWordsAtMost);
    });
    this.#readPictures(child);
    child.on('message', (message: FromMedia) => {
      if (this.#child === child) this.#hear(message, child);
    });
    child.once('error', (error) => {
      this.#ended(child, error.message);
    });
    child.once('exit', (code, signal) => {
      this.#ended(child, wayOfEnding(code, signal, lastWords));
    });
    // All of it is here when the pipes are closed as well; a child of its own may hold them, for which nobody waits.
    child.once('close', () => {
      const words = withoutAccount(lastWords.trim());
      if (words !== '' && !this.#closed) this.#options.log('warn', `The media process said last: ${words}`);
    });
    this.#listenFor(child, startWithinMs);
  }

  #readPictures(child: ChildProcess): void {
    const pipe = child.stdio[pictureFile] as Readable;
    const reader = new FrameReader((picture) => {
      if (this.#child === child) this.#pictures.next(picture);
    });
    pipe.on('data', (piece: Buffer) => {
      try {
        reader.push(piece);
      } catch (error) {
        this.#options.log('warn', `The media process is ended: ${messageOf(error)}`);
        child.kill('SIGKILL');
      }
    });
    // The end of the process is told elsewhere.
    pipe.on('error', () => undefined);
  }

  #hear(message: FromMedia, child: ChildProcess): void {
    this.#listenFor(child, silenceMs);
    switch (message.kind) {
      case 'ready': {
        const { machine, version } = message;
        this.#options.log('info', `Video runs on ${version} in process ${String(child.pid)}`);
        this.#state.next({ phase: 'running', machine, version, pid: child.pid ?? 0 });
        for (const kind of standing) {
          const order = this.#orders[kind];
          if (order !== undefined)
            this.#send(kind, order).catch((error: unknown) => {
              this.#options.log('warn', `What ran before does not run again: ${String(error)}`);
            });
        }
        break;
      }
      case 'done':
        this.#settle(message.id)?.resolve(message.result);
        break;
      case 'failed':
        this.#settle(message.id)?.reject(new MediaFailure(message.reason, message.unsupported));
        break;
      case 'webrtc-closed':
        setImmediate(() => {
          this.#closedSessions.next(message.session);
        });
        break;
      case 'rendition':
        this.#renditions.next(message);
        break;
      case 'webrtc-candidate':
        // Messages that come together are all heard before a promise goes on, and so before whoever opened the session.
        setImmediate(() => {
          this.#candidates.next(message);
        });
        break;
      case 'devices':
        this.#devices.next(message.devices);
        break;
      case 'samples':
        this.#samples.next(message.samples);
        break;
      case 'log':
        this.#options.log(message.level, message.message, message.category);
        break;
      case 'rebuilt': {
        const { kind: _kind, ...rebuild } = message;
        this.#rebuilds.next(rebuild);
        break;
      }
      case 'beat': {
        const { kind: _kind, ...beat } = message;
        if ((beat.loopLagMs ?? 0) > loopHangsMs) {
          this.#options.log('warn', 'The loop of the media process hangs, and the process is ended');
          child.kill('SIGKILL');
        }
        this.#beats.next(beat);
        break;
      }
    }
  }

  #listenFor(child: ChildProcess, ms: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#options.log('warn', 'The media process hangs and is ended');
      child.kill('SIGKILL');
    }, ms);
  }

  #ended(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    clearTimeout(this.#silence);
    this.#failAll('The media process has ended');
    if (this.#closed) return;
    if (Date.now() - this.#startedAt > soundAfterMs) this.#retryMs = firstRetryMs;
    this.#state.next({ phase: 'down', reason });
    this.#beats.next(nothingRuns);
    this.#options.log('warn', `The media process has ended: ${reason}; another one follows`);
    this.#retry = setTimeout(() => {
      this.#start();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #failAll(reason: string): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new MediaFailure(reason, false));
  }
}

/** For people: the signal or the code, and the error of JavaScript where that was it. */
function wayOfEnding(code: number | null, signal: NodeJS.Signals | null, lastWords: string): string {
  const error = /^\w*Error: .*$/m.exec(lastWords)?.[0];
  const how = signal === null ? `the code ${String(code)}` : signal;
  return `it ended with ${how}${error === undefined ? '' : `: ${error}`}`;
}
