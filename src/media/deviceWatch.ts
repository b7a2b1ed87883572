// Which cameras are plugged into the machine: asked anew whenever the folder of devices changes.
import { watch, type FSWatcher } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { VideoDevice } from '../pipelines/settings.js';

/** A camera comes as several files, whose rights are set after they are made. */
const settledAfterMs = 100;
const usualLookMs = 3000;
const usualPatienceMs = 2000;
/** Each device that does not answer holds a thread, of which there are four. */
const mostSilent = 2;
/** What the declaration has room for. */
const mostDevices = 32;
const mostLinks = 16;
/** Where the system keeps names that stay. */
const linkFolders = ['v4l/by-id', 'v4l/by-path'];

export interface DeviceWatchParts {
  readonly folder: string;
  /** The device as JSON, empty where it takes no pictures; it may never answer. */
  readonly ask: (path: string) => Promise<string>;
  readonly onDevices: (devices: readonly VideoDevice[]) => void;
  /** For folders that say nothing of their changes. */
  readonly lookEveryMs?: number;
  readonly answersWithinMs?: number;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

export class DeviceWatch {
  readonly #parts: DeviceWatchParts;
  readonly #silent = new Set<string>();
  readonly #watcher: FSWatcher | undefined;
  readonly #look: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined;
  #files = '';
  #told = '';
  #scanning: Promise<void> = Promise.resolve();

  constructor(parts: DeviceWatchParts) {
    this.#parts = parts;
    this.#watcher = this.#watch();
    this.#look = setInterval(() => {
      void this.#lookAround();
    }, parts.lookEveryMs ?? usualLookMs);
    this.#scan();
  }

  close(): void {
    this.#watcher?.close();
    clearInterval(this.#look);
    clearTimeout(this.#settling);
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#parts.folder, (_event, name) => {
        if (name === null || isVideo(name) || name === 'v4l') this.#scanSoon();
      });
      watcher.on('error', () => {
        watcher.close();
      });
      return watcher;
    } catch {
      // Without a folder there are no devices, until one is there to be looked at.
      return undefined;
    }
  }

  #scanSoon(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#scan();
    }, settledAfterMs);
  }

  /** Opening a camera may wake it up, so here only its file is looked at, and the names that lead to it. */
  async #lookAround(): Promise<void> {
    const paths = await this.#paths();
    const files = await Promise.all(
      paths.map(async (path) => {
        const { ino, ctimeMs } = await stat(path).catch(() => ({ ino: 0, ctimeMs: 0 }));
        return `${path} ${String(ino)} ${String(ctimeMs)}`;
      }),
    );
    const seen = JSON.stringify([files, [...(await this.#links())]]);
    if (seen !== this.#files) this.#scanSoon();
    this.#files = seen;
  }

  /** One after the other, so that what is told last is the newest. */
  #scan(): void {
    this.#scanning = this.#scanning.then(async () => {
      const links = await this.#links();
      const devices: VideoDevice[] = [];
      for (const path of await this.#paths()) {
        const device = await this.#describe(path);
        if (device !== undefined) devices.push({ ...device, links: links.get(path) ?? [] });
      }
      devices.splice(mostDevices);
      const news = JSON.stringify(devices);
      if (news === this.#told) return;
      this.#told = news;
      this.#parts.onDevices(devices);
    });
  }

  async #describe(path: string): Promise<Omit<VideoDevice, 'links'> | undefined> {
    if (this.#silent.has(path) || this.#silent.size >= mostSilent) return undefined;
    this.#silent.add(path);
    const answer = this.#parts.ask(path).finally(() => {
      this.#silent.delete(path);
    });
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, this.#parts.answersWithinMs ?? usualPatienceMs, undefined);
    });
    const json = await Promise.race([answer, patience]);
    clearTimeout(timer);
    if (json === undefined) {
      this.#parts.log('warn', `${path} does not answer and is left out`);
      // When it does in the end, it is a device like any other.
      void answer.then(() => {
        this.#scanSoon();
      });
      return undefined;
    }
    return json === '' ? undefined : (JSON.parse(json) as Omit<VideoDevice, 'links'>);
  }

  async #paths(): Promise<string[]> {
    const names = await readdir(this.#parts.folder).catch(() => []);
    return names
      .filter(isVideo)
      .toSorted((a, b) => numberOf(a) - numberOf(b))
      .map((name) => join(this.#parts.folder, name));
  }

  /** By the path of the device. */
  async #links(): Promise<ReadonlyMap<string, string[]>> {
    const links = new Map<string, string[]>();
    for (const folder of linkFolders.map((each) => join(this.#parts.folder, each)))
      for (const name of await readdir(folder).catch(() => [])) {
        const link = join(folder, name);
        const path = await realpath(link).catch(() => '');
        const known = links.get(path) ?? [];
        if (known.length < mostLinks) links.set(path, [...known, link]);
      }
    return links;
  }
}

function isVideo(name: string): boolean {
  return /^video\d+$/.test(name);
}

function numberOf(name: string): number {
  return Number(name.slice('video'.length));
}
