// One camera of a server in turn after turn: what it is to be, how it fares, and who watches it.
import { expect } from 'vitest';
import type { ValueOf } from '../../src/observables/define.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import type { MediaServer } from './mediaServer.js';
import { PictureViewer } from './PictureViewer.js';

type Head = ValueOf<AppRegistry['cameraHeadSettings']>['primary'];

export class PrimaryCamera {
  readonly #server: MediaServer;
  readonly #viewers: PictureViewer[] = [];

  constructor(server: MediaServer) {
    this.#server = server;
  }

  /** Nothing of what it was before stays but its form. */
  async use(head: Partial<Head>): Promise<void> {
    const heads = this.#server.store.get('cameraHeadSettings');
    const { device, format, resolution, fps } = heads.primary;
    const primary = { source: 'test' as const, device, format, resolution, fps, ...head };
    const cameraHeadSettings = { ...heads, primary };
    expect(await this.#server.change({ cameraHeadSettings })).toMatchObject({ ok: true });
  }

  async watch(): Promise<PictureViewer> {
    const viewer = new PictureViewer(this.#server.rtsp());
    this.#viewers.push(viewer);
    await viewer.more(2);
    return viewer;
  }

  status(): ValueOf<AppRegistry['cameraStatus']>['primary'] {
    return this.#server.store.get('cameraStatus').primary;
  }

  async nobodyWatches(): Promise<void> {
    for (const viewer of this.#viewers.splice(0)) await viewer.stop();
  }
}
