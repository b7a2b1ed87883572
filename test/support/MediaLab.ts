import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { PathSample } from '../../src/adaptive/samples.js';
import type { Beat, WebRtcOpened } from '../../src/media/messages.js';
import { Supervisor } from '../../src/media/supervisor.js';
import { registry } from '../../src/observables/registry.js';
import { plan, type MediaPlan } from '../../src/pipelines/plan.js';
import { mediaKeys, type MediaSettings } from '../../src/pipelines/settings.js';

const defaults = Object.fromEntries(
  mediaKeys.map((key) => [key, registry[key].default]),
) as unknown as MediaSettings;
const head = { ...defaults.cameraHeadSettings.primary, device: 'smpte', resolution: '640x360', fps: 30 };

/** Two streams that are small enough for a small machine, of a picture that costs bits. */
const small: MediaSettings = {
  ...defaults,
  ...{
    streamResolution: '640x360',
    streamFramerate: 30,
    streamBitrate: 1_500_000,
    encoderPreset: 'ultrafast',
  },
  stream2: {
    ...defaults.stream2,
    resolution: '480x270',
    framerate: 30,
    bitrate: 500_000,
    profile: 'baseline',
  },
  cameraHeadSettings: { ...defaults.cameraHeadSettings, primary: head },
};

/**
 * A media process with a plan, without the server around it: what the adaptive loop sees and says. Pages play by WHEP,
 * as they do of a whole server.
 */
export class MediaLab {
  readonly supervisor = new Supervisor({ log: () => undefined });
  readonly samples: PathSample[] = [];
  /** The sessions that were opened, in that order. */
  readonly opened: WebRtcOpened[] = [];
  /** What lies between the server and the next player: it may change the offer, and the answer. */
  onOffer = (sdp: string): string => sdp;
  onAnswer = (sdp: string): Promise<string> => Promise.resolve(sdp);
  settings = small;
  readonly #door: Server;

  private constructor() {
    this.supervisor.samples$.subscribe((samples) => this.samples.push(...samples));
    this.#door = createServer((request, response) => {
      if (request.method !== 'POST') {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
        return;
      }
      const stream = request.url?.split('/').at(-1) ?? '';
      text(request)
        .then((sdp) => this.#open(stream, sdp))
        .then(
          (answer) => response.writeHead(201).end(answer),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
    });
  }

  static async open(settings: Partial<MediaSettings> = {}): Promise<MediaLab> {
    const lab = new MediaLab();
    await lab.change(settings);
    await new Promise<void>((resolve) => lab.#door.listen(0, '127.0.0.1', resolve));
    return lab;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#door.address() as AddressInfo).port)}`;
  }

  get beat(): Omit<Beat, 'kind'> {
    return this.supervisor.beat;
  }

  /** Carries out the plan of these settings, with whatever else a test wants in it. */
  async change(settings: Partial<MediaSettings>, more: MediaPlan['pipelines'] = []): Promise<void> {
    this.settings = { ...this.settings, ...settings };
    const machine = await this.supervisor.whenRunning();
    const next = plan(this.settings, machine);
    await this.supervisor.order('plan', { ...next, pipelines: [...next.pipelines, ...more] });
  }

  async close(): Promise<void> {
    this.#door.closeAllConnections();
    await new Promise((resolve) => this.#door.close(resolve));
    await this.supervisor.close();
  }

  async #open(stream: string, sdp: string): Promise<string> {
    const opened = (await this.supervisor.order('webrtc-open', {
      ...{ sdp: this.onOffer(sdp), stream, trickle: false, receives: false },
      ...{ profile: 'high', stunServer: '', turnServers: [] },
    })) as WebRtcOpened;
    this.opened.push(opened);
    return await this.onAnswer(opened.sdp);
  }
}
