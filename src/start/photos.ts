// Takes photos: when somebody asks, by the action, and at even times by itself; keeps them and says how that goes.
import type { Subscription } from 'rxjs';
import type { Logger } from 'pino';
import type { AppStore } from '../access/accounts.js';
import type { Photos, PhotoWish, Pictures, TakenPhoto } from '../api/services.js';
import { messageOf } from '../errors.js';
import type { Photo, PhotoQuery } from '../library/photoIndex.js';
import type { PhotoStore } from '../library/photoStore.js';
import { mainCamera } from '../pipelines/machine.js';
import { cameraSettings } from './cameras.js';

/** So many a second where somebody asks for one after the other; WebP costs far more. */
const jpegRate = 10;
const webpRate = 2;
const thinEveryMs = 3_600_000;

export class Photographer implements Photos {
  readonly #store: AppStore;
  readonly #pictures: Pictures;
  readonly #photos: PhotoStore;
  readonly #log: Logger;
  readonly #subscription: Subscription;
  readonly #thinning: NodeJS.Timeout;
  #next: NodeJS.Timeout | undefined;
  #last: { readonly key: string; readonly takenAt: number } | undefined;
  /** Why the last one could not be stored. */
  #failure: string | undefined;
  #closed = false;

  constructor(store: AppStore, pictures: Pictures, photos: PhotoStore, log: Logger) {
    this.#store = store;
    this.#pictures = pictures;
    this.#photos = photos;
    this.#log = log;
    store.onAction('takePicture', async (_value, { via }) => {
      const reason = via === 'schedule' ? 'schedule' : 'asked';
      const { photo } = await this.take({ format: 'jpeg', quality: this.#quality, reason });
      return { key: photo.key };
    });
    const [newest] = photos.find({ limit: 1 });
    if (newest !== undefined) this.#last = { key: newest.key, takenAt: newest.takenAt };
    this.#show();
    this.#subscription = store.observe('photoInterval').subscribe((seconds) => {
      this.#wait(seconds);
    });
    this.#subscription.add(
      store.observe('photoRetention').subscribe(() => {
        void this.#thin();
      }),
    );
    this.#thinning = setInterval(() => void this.#thin(), thinEveryMs);
  }

  readonly look = async (wish: PhotoWish): ReturnType<Photos['look']> => {
    const { format, quality, width = 0, addTimestamp = false } = wish;
    const fps = format === 'jpeg' ? jpegRate : webpRate;
    const marks = addTimestamp ? 'time' : 'plain';
    return await this.#pictures.one({ ...{ format, quality, width, fps, marks }, every: 1 });
  };

  readonly take = async (wish: PhotoWish & { readonly reason: string }): Promise<TakenPhoto> => {
    const { format, reason, name } = wish;
    const store = this.#store;
    const source = store.get('pipEnabled') ? 'scene' : mainCamera(cameraSettings(store));
    try {
      const picture = await this.look(wish);
      const takenAt = Math.floor(picture.capturedAt / 1000);
      const photo = await this.#photos.add({
        ...{ source, reason, format, name, takenAt },
        bytes: picture.bytes,
      });
      this.#last = { key: photo.key, takenAt };
      this.#failure = undefined;
      return { photo, picture };
    } catch (error) {
      this.#failure = messageOf(error).slice(0, 512);
      throw error;
    } finally {
      this.#show();
    }
  };

  readonly find = (query: PhotoQuery): readonly Photo[] => this.#photos.find(query);
  readonly totals = (): ReturnType<Photos['totals']> => this.#photos.totals();

  readonly forget = (key: string): void => {
    this.#photos.forget(key);
    this.#show();
  };

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription.unsubscribe();
    clearTimeout(this.#next);
    clearInterval(this.#thinning);
    await this.#photos.close();
  }

  /** The next of the times that are a whole number of intervals after 1970. */
  #wait(seconds: number): void {
    clearTimeout(this.#next);
    if (seconds === 0) return;
    const intervalMs = seconds * 1000;
    const due = (Math.floor(Date.now() / intervalMs) + 1) * intervalMs;
    const arm = (): void => {
      // Timers may be a little early.
      const left = due - Date.now();
      if (left > 0) this.#next = setTimeout(arm, left);
      else void this.#takeByItself(seconds);
    };
    arm();
  }

  async #takeByItself(seconds: number): Promise<void> {
    this.#wait(seconds);
    try {
      await this.take({ format: 'webp', quality: this.#quality, reason: 'interval' });
    } catch (error) {
      this.#log.warn(`The photo of the interval could not be stored: ${messageOf(error)}`);
    }
  }

  get #quality(): number {
    return Math.max(1, this.#store.get('pictureQuality'));
  }

  async #thin(): Promise<void> {
    try {
      await this.#photos.thin();
    } catch (error) {
      this.#log.warn(`Old photos could not be deleted: ${messageOf(error)}`);
    }
    this.#show();
  }

  #show(): void {
    // What was under way at the end finds no index any more.
    if (this.#closed) return;
    this.#store.write({
      photoStatus: {
        ...this.#photos.totals(),
        ...(this.#last === undefined ? {} : { last: this.#last }),
        ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      },
    });
  }
}
