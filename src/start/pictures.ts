// Single pictures for people and programs: which variants are wanted now, by whom, and how they come to them.
import {
  filter,
  firstValueFrom,
  map,
  merge,
  throttleTime,
  throwIfEmpty,
  timer,
  type Observable,
  type Subscription,
} from 'rxjs';
import type { Accounts, AppStore } from '../access/accounts.js';
import type { Identity } from '../access/identity.js';
import type { PictureReader, Pictures, PictureWatcher } from '../api/services.js';
import { ObscuraError } from '../errors.js';
import type { Picture } from '../media/messages.js';
import { monotonicMs } from '../media/pathSamples.js';
import { Rates } from '../media/rates.js';
import type { Supervisor } from '../media/supervisor.js';
import { sizeOf } from '../observables/schemas.js';
import { cameraFramerate, mainCamera } from '../pipelines/machine.js';
import { channelOf, type PictureVariant } from '../pipelines/pictures.js';
import { cameraSettings } from './cameras.js';

interface Watcher {
  readonly identity: Identity;
  readonly channel: string;
  readonly since: number;
  readonly reader: PictureReader;
}

interface Wish {
  /** Who wants it now. */
  holders: number;
  /** Until it is given up; while somebody holds it, none. */
  leaving: NodeJS.Timeout | undefined;
}

/** Of those that are watched; photos find room beside them. */
const mostWatched = 8;
const mostVariants = 12;
const mostWatchers = 100;
/** Whoever comes back soon finds it running. */
const lingerMs = 2000;
/** A camera on the network may have to be called first. */
const patienceMs = 5000;
/** Who watches does not go idle; this is well within the shortest time until somebody does. */
const keepAliveMs = 20_000;

export class PictureDesk implements Pictures {
  readonly #store: AppStore;
  readonly #supervisor: Supervisor;
  /** By channel. */
  readonly #wishes = new Map<string, Wish>();
  readonly #watchers = new Map<string, Watcher>();
  readonly #rates = new Rates();
  /** bit/s of each who watches. */
  readonly #bitrates = new Map<string, number>();
  readonly #subscription: Subscription;
  #serial = 0;

  constructor(store: AppStore, accounts: Pick<Accounts, 'changes$' | 'touch'>, supervisor: Supervisor) {
    this.#store = store;
    this.#supervisor = supervisor;
    this.#subscription = supervisor.pictures$.subscribe((picture) => {
      for (const { channel, reader } of this.#watchers.values())
        if (channel === picture.channel) reader.onPicture(picture);
    });
    // Tokens run out without a word; the beats see to them.
    this.#subscription.add(
      merge(accounts.changes$, supervisor.beats$).subscribe(() => {
        this.#enforce();
      }),
    );
    this.#subscription.add(
      supervisor.beats$.subscribe(() => {
        this.#measure();
      }),
    );
    this.#subscription.add(
      supervisor.beats$.pipe(throttleTime(keepAliveMs)).subscribe(() => {
        for (const { identity } of this.#watchers.values())
          if (identity.sessionId !== undefined) accounts.touch(identity.sessionId);
      }),
    );
  }

  readonly watch = (identity: Identity, variant: PictureVariant, reader: PictureReader): (() => void) => {
    if (this.#watchers.size >= mostWatchers)
      throw new ObscuraError('limited', `No more than ${String(mostWatchers)} may watch picture by picture`);
    const channel = this.#claim(variant, mostWatched);
    this.#serial += 1;
    const id = `picture-${String(this.#serial)}`;
    this.#watchers.set(id, { identity, channel, reader, since: Date.now() });
    return () => {
      if (this.#watchers.delete(id)) this.#release(channel, lingerMs);
    };
  };

  readonly one = async (variant: PictureVariant): Promise<Picture> => {
    if (this.#source === 'none') throw notConnected('There is no camera');
    const channel = this.#claim(variant, mostVariants);
    const begin = Date.now() * 1000;
    const fresh = this.#supervisor.pictures$.pipe(
      // A card that stands in for the camera is no picture of it.
      filter((each) => each.channel === channel && each.live && each.capturedAt >= begin),
    );
    const lost: Observable<never> = merge(
      this.#store.observe('cameraStatus').pipe(
        filter((status) => status[this.#camera].state === 'no signal'),
        map((status) => status[this.#camera].reason ?? 'there is no signal'),
      ),
      timer(patienceMs).pipe(map(() => 'none came in time')),
    ).pipe(
      map((reason): never => {
        throw notConnected(`No picture comes from the camera now: ${reason}`);
      }),
    );
    try {
      return await firstValueFrom(
        merge(fresh, lost).pipe(throwIfEmpty(() => notConnected('The server is stopping'))),
      );
    } finally {
      // WebP is dear: it is not made for somebody who may not come.
      this.#release(channel, variant.format === 'webp' ? 0 : lingerMs);
    }
  };

  /** A camera that nobody has asked so far counts as one that would answer. */
  readonly hasSignal = (): boolean =>
    this.#supervisor.state.phase === 'running' &&
    this.#source !== 'none' &&
    this.#store.get('cameraStatus')[this.#camera].state !== 'no signal';

  readonly list = (): PictureWatcher[] =>
    [...this.#watchers].map(([id, { identity, channel, since, reader }]) => {
      const progress = reader.progress();
      const bitrate = this.#bitrates.get(id) ?? 0;
      return {
        ...{ id, since, stream: channel, protocol: reader.protocol, secure: reader.secure },
        user: identity.name,
        address: identity.address ?? '',
        ...progress,
        bitrate,
        // Of one who takes nothing it cannot be told.
        ...(bitrate === 0 ? {} : { delayMs: (progress.backlogBytes * 8000) / bitrate }),
      };
    });

  readonly end = (id: string): boolean => {
    const watcher = this.#watchers.get(id);
    if (watcher === undefined) return false;
    this.#watchers.delete(id);
    this.#release(watcher.channel, lingerMs);
    watcher.reader.onEnd();
    return true;
  };

  readonly endAll = (): void => {
    for (const id of this.#watchers.keys()) this.end(id);
  };

  close(): void {
    this.#subscription.unsubscribe();
    this.endAll();
    for (const { leaving } of this.#wishes.values()) clearTimeout(leaving);
  }

  get #camera(): 'primary' | 'secondary' {
    return mainCamera(cameraSettings(this.#store));
  }

  get #source(): string {
    return this.#store.get('cameraHeadSettings')[this.#camera].source;
  }

  /** With every beat, whether somebody asks for the list or not. */
  #measure(): void {
    const now = monotonicMs();
    this.#rates.tidy(now);
    this.#bitrates.clear();
    for (const [id, { reader }] of this.#watchers)
      this.#bitrates.set(id, Math.round(8 * this.#rates.of(id, reader.progress().bytes, now)));
  }

  /** Ends what nobody may watch any more. */
  #enforce(): void {
    for (const [id, { identity }] of this.#watchers)
      if (!identity.valid || !identity.may('Media_r', 'Media_rw')) this.end(id);
  }

  /** The channel in which the variant comes from now on. */
  #claim(wanted: PictureVariant, most: number): string {
    const channel = channelOf(this.#within(wanted));
    const known = this.#wishes.get(channel);
    if (known !== undefined) {
      clearTimeout(known.leaving);
      known.leaving = undefined;
      known.holders += 1;
      return channel;
    }
    if (this.#wishes.size >= most) this.#makeRoom(most);
    this.#wishes.set(channel, { holders: 1, leaving: undefined });
    this.#tell();
    return channel;
  }

  /** What the camera cannot exceed is left to it, so that those who ask for more than it has share one variant. */
  #within(variant: PictureVariant): PictureVariant {
    const settings = cameraSettings(this.#store);
    const { width } = sizeOf(settings.cameraHeadSettings[mainCamera(settings)].resolution);
    return {
      ...variant,
      width: variant.width >= width ? 0 : variant.width,
      fps: variant.fps >= cameraFramerate(settings) ? 0 : variant.fps,
    };
  }

  #makeRoom(most: number): void {
    for (const [channel, { holders, leaving }] of this.#wishes)
      if (holders === 0) {
        clearTimeout(leaving);
        this.#wishes.delete(channel);
        return;
      }
    throw new ObscuraError(
      'limited',
      `Pictures are made in ${String(most)} forms already; ask for one of those, or later`,
      { key: 'pictureVariants', retryAfter: 5 },
    );
  }

  #release(channel: string, afterMs: number): void {
    const wish = this.#wishes.get(channel);
    if (wish === undefined) return;
    wish.holders -= 1;
    if (wish.holders > 0) return;
    const leave = (): void => {
      this.#wishes.delete(channel);
      this.#tell();
    };
    if (afterMs === 0) leave();
    else wish.leaving = setTimeout(leave, afterMs).unref();
  }

  #tell(): void {
    this.#store.write({ pictureVariants: [...this.#wishes.keys()] });
  }
}

function notConnected(message: string): ObscuraError {
  return new ObscuraError('failed', message, { knownAs: 'CAMERA_NOT_CONNECTED' });
}
