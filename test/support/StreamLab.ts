import { Supervisor } from '../../src/media/supervisor.js';
import type { PathSample } from '../../src/adaptive/samples.js';
import type { ChannelReport, RtspClientReport } from '../../src/media/messages.js';
import { freePorts } from './ports.js';

const framesPerSecond = 30;
/** So long that no keyframe comes by itself in the middle of a test: one that comes was asked for. */
const seldom = 3000;

const codecs = {
  h264: (kilobits: number, keyframeEvery: number) => ({
    format: 'NV12',
    encoder: `x264enc tune=zerolatency speed-preset=ultrafast key-int-max=${String(keyframeEvery)} vbv-buf-capacity=100 byte-stream=true bitrate=${String(kilobits)} ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au`,
    payloader: 'rtph264pay config-interval=0 aggregate-mode=zero-latency',
  }),
  h265: (kilobits: number, keyframeEvery: number) => ({
    format: 'I420',
    encoder: `x265enc tune=zerolatency speed-preset=ultrafast key-int-max=${String(keyframeEvery)} bitrate=${String(kilobits)} ! h265parse config-interval=-1 ! video/x-h265,stream-format=byte-stream,alignment=au`,
    payloader: 'rtph265pay config-interval=0 aggregate-mode=zero-latency',
  }),
};
type Codec = keyof typeof codecs;

/** The media process alone, with one stream of noise: it costs all the bits that it may cost. */
export class StreamLab {
  readonly samples: PathSample[] = [];
  readonly port: number;
  readonly #supervisor: Supervisor;
  readonly #complaints: string[] = [];
  #looking: (() => void)[] = [];

  private constructor(port: number) {
    this.port = port;
    this.#supervisor = new Supervisor({
      log: (level, message) => {
        if (level === 'warn') this.#complaints.push(message);
      },
    });
    this.#supervisor.samples$.subscribe((samples) => {
      this.samples.push(...samples);
      this.#wake();
    });
    this.#supervisor.beats$.subscribe(() => {
      this.#wake();
    });
  }

  static async start(kilobits: number): Promise<StreamLab> {
    const [port = 0] = await freePorts(1);
    const lab = new StreamLab(port);
    const supervisor = lab.#supervisor;
    await supervisor.order('access', {
      ...{ realm: 'lab', anonymous: true, accounts: {}, tokens: {}, sessions: {} },
    });
    await lab.play('h264', kilobits);
    await supervisor.order('rtsp', {
      ...{ address: '127.0.0.1', port, securePort: null, maxSessions: 20, multicast: null },
      ...{ certificate: '', key: '' },
    });
    return lab;
  }

  /** Whoever watches what was played before is let go. */
  async play(codec: Codec, kilobits: number, keyframeEvery = seldom): Promise<void> {
    const { format, encoder, payloader } = codecs[codec](kilobits, keyframeEvery);
    const source = `videotestsrc is-live=true pattern=snow ! video/x-raw,format=${format},width=320,height=240,framerate=${String(framesPerSecond)}/1`;
    await this.#supervisor.order('plan', {
      pipelines: [
        {
          ...{ name: 'encode/stream1', channel: 'stream1', live: {}, secrets: {} },
          text: `${source} ! ${encoder} ! hubsink channel=stream1`,
          ...{ preload: true, exclusive: false, repeats: false },
        },
      ],
      mounts: [{ path: '/stream1', launch: `( hubsrc channel=stream1 ! ${payloader} name=pay0 pt=96 )` }],
      ...{ taps: [], framerate: framesPerSecond, obstacles: {} },
    });
  }

  /** Leaves out whole pictures for one viewer over UDP. */
  async limit(client: number, bps: number | null): Promise<void> {
    await this.#supervisor.order('rtsp-limit', { client, bps });
  }

  /** Shows a viewer out. */
  async kick(client: number): Promise<void> {
    await this.#supervisor.order('kick', { client });
  }

  get clients(): readonly RtspClientReport[] {
    return this.#supervisor.beat.clients;
  }

  get stream(): ChannelReport {
    const { stream1 } = this.#supervisor.beat.channels;
    if (stream1 === undefined) throw new Error('There is no stream');
    return stream1;
  }

  /** What was learnt of the way to one viewer. */
  samplesOf<K extends PathSample['kind']>(client: number, kind: K): Extract<PathSample, { kind: K }>[] {
    const viewer = `rtsp-${String(client)}`;
    return this.samples.filter(
      (sample): sample is Extract<PathSample, { kind: K }> =>
        sample.kind === kind && sample.viewer === viewer,
    );
  }

  /** Looks again with everything that is told. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => this.#looking.push(resolve));
    }
  }

  /** The one that is connected now and was not before. */
  async newcomer(before: readonly RtspClientReport[], transport: string): Promise<number> {
    const known = new Set(before.map(({ id }) => id));
    return await this.until(
      () => this.clients.find((client) => !known.has(client.id) && client.transport === transport)?.id,
    );
  }

  client(id: number): RtspClientReport {
    const found = this.clients.find((client) => client.id === id);
    if (found === undefined) throw new Error(`There is no client ${String(id)}`);
    return found;
  }

  url(port = this.port): string {
    return `rtsp://127.0.0.1:${String(port)}/stream1`;
  }

  async stop(): Promise<readonly string[]> {
    await this.#supervisor.close();
    return this.#complaints;
  }

  #wake(): void {
    for (const look of this.#looking.splice(0)) look();
  }
}
