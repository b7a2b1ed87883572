// Hands the pictures that somebody asked for to the state process. Where that one is slow the newest wins: what waits
// is one picture on its way, and of each variant the latest, in the hub.
import { Socket } from 'node:net';
import type { TapPlan } from '../pipelines/pictures.js';
import type { MediaAddon } from './gstreamer.js';
import { framed, pictureFile } from './pictureFrames.js';

type Addon = Pick<MediaAddon, 'openTap' | 'closeTap' | 'takeFromTap' | 'liveSince'>;

export class PictureTaps {
  readonly #addon: Addon;
  readonly #pipe = new Socket({ fd: pictureFile, readable: false, writable: true });
  /** The channel of the camera, by that of the pictures. */
  readonly #cameras = new Map<string, string>();
  /** Those in which a picture waits, the longest first. */
  readonly #waiting = new Set<string>();

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#pipe.on('drain', () => {
      this.#send();
    });
    // Whoever read is gone, and ends this process as well.
    this.#pipe.on('error', () => undefined);
  }

  /** Lets go of all others, before the pipelines that fill them end. */
  keepOnly(taps: readonly TapPlan[]): void {
    const wanted = new Set(taps.map(({ channel }) => channel));
    for (const channel of this.#cameras.keys())
      if (!wanted.has(channel)) {
        this.#addon.closeTap(channel);
        this.#cameras.delete(channel);
        this.#waiting.delete(channel);
      }
  }

  /** Takes from all of these, which makes their pipelines run. */
  follow(taps: readonly TapPlan[]): void {
    for (const { channel, camera } of taps) {
      if (!this.#cameras.has(channel)) this.#addon.openTap(channel);
      this.#cameras.set(channel, camera);
    }
  }

  /** A picture waits in this channel. */
  hear(channel: string): void {
    this.#waiting.add(channel);
    this.#send();
  }

  #send(): void {
    for (const channel of this.#waiting) {
      if (this.#pipe.writableNeedDrain) return;
      this.#waiting.delete(channel);
      const camera = this.#cameras.get(channel);
      const taken = camera === undefined ? undefined : this.#addon.takeFromTap(channel);
      if (camera === undefined || taken === undefined) continue;
      const { capturedTicks, ...picture } = taken;
      const since = this.#addon.liveSince(camera);
      this.#pipe.write(framed({ ...picture, channel, live: since !== undefined && capturedTicks >= since }));
    }
  }
}
