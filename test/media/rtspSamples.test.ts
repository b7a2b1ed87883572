// What is learnt of the way to each viewer over RTSP, from real players and from those who are none.
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RtspClientReport } from '../../src/media/messages.js';
import { DatagramRelay } from '../support/DatagramRelay.js';
import {
  estimate,
  farewell,
  keyframeWish,
  named,
  packet,
  packetsMissing,
  pictureLoss,
  receiverReport,
} from '../support/rtcpPackets.js';
import { isOfKeyframe, RtspSocket, type PlayOptions } from '../support/RtspSocket.js';
import { RtspViewer } from '../support/RtspViewer.js';
import { StreamLab } from '../support/StreamLab.js';

const kilobits = 6000;
/** Of the clock of the pictures: more than half a second, and more than one picture. */
const longPause = 50_000;
const onePicture = 4500;
let lab: StreamLab;
const endings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  lab = await StreamLab.start(kilobits);
});
afterAll(async () => {
  expect(await lab.stop()).toEqual([]);
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
  await lab.until(() => lab.clients.length === 0);
});

/** Joined and known by its number. */
async function join<T>(transport: string, enter: () => T | Promise<T>): Promise<{ player: T; id: number }> {
  const before = lab.clients;
  const player = await enter();
  return { player, id: await lab.newcomer(before, transport) };
}

function ffmpeg(transport: 'tcp' | 'udp', port?: number): Promise<{ player: RtspViewer; id: number }> {
  return join(transport, () => {
    // What it looks at to know the stream is also shown: the only keyframe is there.
    const viewer = new RtspViewer(lab.url(port), transport, ['-fflags', '-nobuffer']);
    endings.push(() => viewer.close());
    return viewer;
  });
}

function gstreamer(protocol: 'tcp' | 'udp'): Promise<{ player: ChildProcess; id: number }> {
  return join(protocol, () => {
    const words = ['-q', 'rtspsrc', `location=${lab.url()}`, `protocols=${protocol}`, 'latency=0'];
    const player = spawn('gst-launch-1.0', [...words, '!', 'fakesink'], { stdio: 'ignore' });
    endings.push(async () => {
      if (player.exitCode !== null) return;
      const gone = once(player, 'exit');
      player.kill('SIGKILL');
      await gone;
    });
    return player;
  });
}

function socket(options: PlayOptions): Promise<{ player: RtspSocket; id: number }> {
  return join(options.transport ?? 'tcp', async () => {
    const player = await RtspSocket.play(lab.port, '/stream1', '', options);
    endings.push(() => player.stop());
    return player;
  });
}

describe('reports', () => {
  it('of players that share a name are told apart by where they come from', async () => {
    const relay = await DatagramRelay.before(lab.port);
    endings.push(() => relay.stop());
    relay.delay = 30;
    relay.wobble = 20;
    relay.loses = (serial) => serial % 10 === 0;
    const [near, far] = [await ffmpeg('udp'), await ffmpeg('udp', relay.port)];
    // What a machine with much to do loses besides is in some reports, not in all.
    const reported = (id: number, loss: number, jitterMs: number) => () =>
      lab
        .samplesOf(id, 'report')
        .findLast(
          (sample) =>
            sample.rttMs !== null && Math.abs(sample.loss - loss) < 0.04 && sample.jitterMs > jitterMs,
        );
    const [good, bad] = [await lab.until(reported(near.id, 0, 0)), await lab.until(reported(far.id, 0.1, 1))];
    // There and back.
    expect(good.rttMs).toBeLessThan(60);
    expect(bad.rttMs).toBeGreaterThanOrEqual(60);
    for (const sample of [good, bad]) {
      // Of noise the encoder makes as much as it may.
      expect(sample.sentBps).toBeGreaterThan(kilobits * 500);
      // The library's own reports are five seconds apart.
      expect(sample.rttAgeMs).toBeLessThan(2500);
      expect(sample.rttAgeMs).toBeGreaterThanOrEqual(sample.rttMs ?? Infinity);
    }
    const { report, bitrate } = await lab.until(() => {
      const client = lab.client(far.id);
      return (client.report?.rttMs ?? 0) > 0 && (client.bitrate ?? 0) > 0 && client;
    });
    expect(report?.lossPercent).toBeGreaterThan(5);
    expect(report?.lost).toBeGreaterThan(0);
    expect(report?.rttMs).toBeGreaterThanOrEqual(60);
    expect(bitrate).toBeGreaterThan(kilobits * 500);
  });

  it('of GStreamer count over both transports', async () => {
    const players = [gstreamer('tcp'), gstreamer('udp')];
    for (const { id } of await Promise.all(players)) {
      const report = await lab.until(() =>
        lab.samplesOf(id, 'report').find(({ rttMs, sentBps }) => rttMs !== null && sentBps > 0),
      );
      expect(report).toMatchObject({ viewer: `rtsp-${String(id)}`, loss: 0 });
      expect(report.rttMs).toBeLessThan(100);
    }
  });
});

describe('whoever is no viewer', () => {
  it('changes no figure and asks for no keyframe', async () => {
    const stranger = createSocket('udp4');
    endings.push(() => new Promise<void>((resolve) => stranger.close(resolve)));
    let own = 0;
    const [viewer, connected] = [
      await socket({ transport: 'udp' }),
      await socket({ onPacket: (channel, packet) => (own = channel === 0 ? packet.readUInt32BE(8) : own) }),
    ];
    await viewer.player.until(({ packets }) => packets > 0);
    await connected.player.until(() => own !== 0);
    const names = [own, 7] as const;
    const lies = (bps: number): Buffer =>
      Buffer.concat([
        receiverReport(own + 1, { about: own, fraction: 128, lost: 1000, jitter: 9000 }),
        estimate(own + 1, own, bps),
        pictureLoss(own + 1, own),
        keyframeWish(own + 1, own),
        packetsMissing(own + 1, own),
      ]);
    const { frames, keyframes } = lab.stream;
    const from = (bps: number): number[] =>
      lab.clients.filter(({ estimateBps }) => estimateBps === bps).map(({ id }) => id);
    // From its own port, and from that of the connection of somebody else, of which UDP knows nothing.
    for (let times = 0; times < 10; times += 1)
      stranger.send(lies(1e6), viewer.player.reportPort, '127.0.0.1');
    viewer.player.report(Buffer.concat([receiverReport(names[1]), estimate(names[1], own, 2e6)]));
    // What came first is dealt with first.
    await lab.until(() => from(2e6).includes(viewer.id));
    await lab.until(() => lab.stream.frames > frames + 10);
    expect(lab.stream.keyframes).toBe(keyframes);
    for (const { id } of [viewer, connected])
      expect(lab.client(id)).toMatchObject({ nacks: 0, plis: 0, firs: 0 });
    expect(lab.client(viewer.id).report).toBeUndefined();
    expect(lab.samplesOf(viewer.id, 'estimate').map(({ bps }) => bps)).toEqual([2e6]);
    expect(lab.samplesOf(connected.id, 'estimate')).toEqual([]);

    // The same from the viewers themselves counts, each for its own.
    viewer.player.report(lies(3e6));
    await lab.until(() => from(3e6).includes(viewer.id) && lab.stream.keyframes > keyframes);
    expect(lab.client(viewer.id)).toMatchObject({
      ...{ nacks: 1, plis: 1, firs: 1 },
      report: { lossPercent: 50, lost: 1000, jitterMs: 100 },
    });
    expect(lab.client(connected.id)).toMatchObject({ plis: 0 });
    connected.player.report(lies(4e6));
    await lab.until(() => from(4e6).includes(connected.id));
    expect(lab.client(connected.id)).toMatchObject({ nacks: 1, plis: 1, firs: 1 });
    expect(lab.client(viewer.id)).toMatchObject({ plis: 1, estimateBps: 3e6 });

    // Where a viewer was, nobody is any more.
    const { reportPort } = viewer.player;
    await viewer.player.stop();
    await lab.until(() => lab.clients.length === 1);
    stranger.send(lies(5e6), reportPort, '127.0.0.1');
    connected.player.report(Buffer.concat([receiverReport(names[1]), estimate(names[1], own, 6e6)]));
    await lab.until(() => from(6e6).includes(connected.id));
    expect(lab.client(connected.id)).toMatchObject({ plis: 1 });
  });
});

describe('a viewer', () => {
  it('who speaks in the name of the stream ends it for nobody', async () => {
    const players = [await gstreamer('tcp'), await gstreamer('udp')];
    const sources = new Set<number>();
    const witness = await socket({
      onPacket: (channel, rtp) => channel === 0 && sources.add(rtp.readUInt32BE(8)),
    });
    await witness.player.until(() => sources.size > 0);
    const [own = 0] = sources;
    const words = [
      Buffer.concat([receiverReport(own, { about: own }), named(own, 'somebody else')]),
      Buffer.concat([receiverReport(7), farewell(own)]),
      // What cannot be read: an application's packet of which nothing is there.
      Buffer.concat([packet(200, 0, Buffer.alloc(4)), Buffer.from([0x80, 204, 0xff, 0xff])]),
    ];
    for (const transport of ['udp', 'tcp'] as const) {
      const liar = await socket({ transport });
      for (const each of words) liar.player.report(each);
      liar.player.report(Buffer.concat([receiverReport(7), estimate(7, own, 5e6)]));
      await lab.until(() => lab.client(liar.id).estimateBps === 5e6);
    }
    const { pictures } = witness.player;
    await witness.player.until((player) => player.pictures > pictures + 30);
    expect([...sources]).toEqual([own]);
    for (const { player } of players) expect(player.exitCode).toBeNull();
  });
});

describe('viewers', () => {
  it('who come as others go are all served', async () => {
    // Of pipelines that are taken down as they begin, GStreamer complains of this and that.
    const churned = await StreamLab.start(1000);
    endings.push(() => churned.stop());
    const going: Promise<void>[] = [];
    for (let times = 0; times < 100; times += 1) {
      const player = await RtspSocket.play(churned.port, '/stream1', '', { transport: 'udp' });
      await player.until(({ packets }) => packets > 0);
      going.push(player.stop());
    }
    await Promise.all(going);
  });
});

describe('viewers who talk without end', () => {
  it('can be shown out while they do', async () => {
    const rowdy = await StreamLab.start(300);
    const junk = Buffer.alloc(1200);
    const talk = async (): Promise<void> => {
      const player = await RtspSocket.play(rowdy.port, '/stream1', '');
      while (!player.closed) {
        for (let times = 0; times < 40; times += 1) player.report(junk);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    for (let round = 0; round < 6; round += 1) {
      const all = Promise.all(Array.from({ length: 6 }, talk));
      await Promise.race([all, rowdy.until(() => rowdy.clients.length === 6)]);
      await Promise.all([all, ...rowdy.clients.map(({ id }) => rowdy.kick(id))]);
      await rowdy.until(() => rowdy.clients.length === 0);
    }
    expect((await rowdy.stop()).filter((said) => said.includes('media process'))).toEqual([]);
  });
});

describe('keyframes', () => {
  it('come once a second for whoever asks with every picture, and at once for another', async () => {
    // By the clock of the pictures.
    const keyframesAt = new Set<number>();
    const times: number[] = [];
    let own = 0;
    const witness = await socket({
      onPacket: (channel, rtp) => {
        if (channel !== 0) return;
        own = rtp.readUInt32BE(8);
        const at = rtp.readUInt32BE(4);
        if (times.at(-1) !== at) times.push(at);
        if (isOfKeyframe(rtp)) keyframesAt.add(at);
      },
    });
    const greedy = await socket({ transport: 'udp' });
    await witness.player.until(() => keyframesAt.size > 0 && own !== 0);
    const asked = times.length;
    let wishedWith = 0;
    await witness.player.until(() => {
      if (wishedWith < times.length)
        greedy.player.report(Buffer.concat([receiverReport(7), pictureLoss(7, own)]));
      wishedWith = times.length;
      return times.length > asked + 100;
    });
    const span = times.slice(asked);
    const seconds = ((span.at(-1) ?? 0) - (span[0] ?? 0)) / 90_000;
    const had = span.filter((at) => keyframesAt.has(at)).length;
    expect(had).toBeGreaterThanOrEqual(3);
    // Three that it may have at once, one each second, and one that was under way for whoever came before.
    expect(had).toBeLessThanOrEqual(3 + seconds + 2);

    const modest = await socket({ transport: 'udp' });
    await modest.player.until(({ pictures }) => pictures > 5);
    const before = keyframesAt.size;
    modest.player.report(Buffer.concat([receiverReport(8), pictureLoss(8, own)]));
    await witness.player.until(() => keyframesAt.size > before);
  });
});

describe('a connection', () => {
  it('is looked at while ffmpeg plays over it, which reports nothing', async () => {
    const { id } = await ffmpeg('tcp');
    const seen = await lab.until(() => {
      const samples = lab.samplesOf(id, 'socket');
      return samples.length > 5 && samples;
    });
    const [first, last] = [seen[0], seen.at(-1)];
    expect(last?.ackedBytes).toBeGreaterThan(first?.ackedBytes ?? Infinity);
    expect(last?.rttMs).toBeGreaterThan(0);
    expect(last?.minRttMs).toBeLessThanOrEqual(last?.rttMs ?? 0);
    expect(lab.samplesOf(id, 'report')).toEqual([]);
    await lab.until(() => (lab.client(id).bitrate ?? 0) > kilobits * 500);
    expect(lab.client(id)).toMatchObject({ framesDropped: 0 });
  });

  it('that takes nothing holds nobody up, and goes on with whole pictures from a keyframe', async () => {
    const pictures = new Pictures();
    const stalled = await socket({ onPacket: (channel, packet) => channel === 0 && pictures.take(packet) });
    const frozen = await ffmpeg('tcp');
    const udp = await socket({ transport: 'udp' });
    await frozen.player.more(5);
    stalled.player.pause();
    frozen.player.freeze();
    const both = [stalled, frozen];
    const isBehind = ({ backlogBytes = 0, delayMs = 0, framesDropped = 0 }: RtspClientReport): boolean =>
      backlogBytes > 50_000 && delayMs > 500 && framesDropped > 10;
    await lab.until(() => both.every(({ id }) => isBehind(lab.client(id))));
    for (const { id } of both) {
      const sample = lab.samplesOf(id, 'socket').at(-1);
      expect(sample?.queuedBytes).toBeGreaterThan(0);
      // Half a second and what the library has, which is one picture.
      expect(sample?.heldBytes).toBeLessThan((kilobits * 1000) / 8);
    }
    // Where all connections stall, others too, and whoever joins them.
    const { pictures: before } = udp.player;
    await udp.player.until((player) => player.pictures > before + 15);
    const tcp = await ffmpeg('tcp');
    await tcp.player.more(10);
    expect(lab.client(tcp.id)).toMatchObject({ framesDropped: 0 });

    const { length } = frozen.player.frames;
    stalled.player.resume();
    frozen.player.thaw();
    await stalled.player.until(() => pictures.sinceGap > 20);
    await frozen.player.until((frames) => frames.length > length + 30);
    expect(pictures.complaints).toEqual([]);
    expect(pictures.gaps).toBeGreaterThan(0);
    expect(frozen.player.complaints).toBe('');
    // Nothing of what was missed comes later.
    await lab.until(() => both.every(({ id }) => (lab.client(id).delayMs ?? Infinity) < 200));
  });

  it('that stalls goes on with H.265 as well', async () => {
    await lab.play('h265', kilobits);
    endings.push(() => lab.play('h264', kilobits));
    const { player, id } = await ffmpeg('tcp');
    await player.more(5);
    player.freeze();
    await lab.until(() => (lab.client(id).framesDropped ?? 0) > 10);
    player.thaw();
    const { length } = player.frames;
    await player.until((frames) => frames.length > length + 30);
    expect(player.complaints).toBe('');
  });
});

describe('a viewer over UDP that is limited', () => {
  const limit = 2_000_000;
  const watch = async (pictures: Pictures): Promise<Awaited<ReturnType<typeof socket>>> =>
    await socket({ transport: 'udp', onPacket: (_channel, packet) => pictures.take(packet) });
  const bytesOf = (id: number): number => lab.client(id).bytes ?? 0;

  beforeAll(() => lab.play('h264', kilobits, 30));
  afterAll(() => lab.play('h264', kilobits));

  it('gets whole pictures that fit, without a gap in their numbers, and others get every picture', async () => {
    const [thin, whole] = [new Pictures(onePicture), new Pictures(onePicture)];
    const [limited, free, decoder] = [await watch(thin), await watch(whole), await ffmpeg('udp')];
    await decoder.player.more(5);
    for (const { id } of [limited, decoder]) await lab.limit(id, limit);
    await lab.until(() => (lab.client(limited.id).framesDropped ?? 0) > 20);
    // Of the same beat.
    const [bytes, frames] = [bytesOf(limited.id), lab.stream.frames];
    await lab.until(() => lab.stream.frames > frames + 60);
    const bps = (8 * (bytesOf(limited.id) - bytes)) / ((lab.stream.frames - frames) / 30);
    expect(bps).toBeLessThan(1.3 * limit);
    expect(bps).toBeGreaterThan(0.4 * limit);
    expect(thin.gaps).toBeGreaterThan(1);
    expect(lab.client(free.id).framesDropped).toBeUndefined();
    await decoder.player.more(10);
    expect(decoder.player.complaints).toBe('');

    // Without a limit it gets every picture again, still without a gap in the numbers.
    await lab.limit(limited.id, null);
    await limited.player.until(() => thin.sinceGap > 35);
    expect([thin.complaints, whole.complaints, whole.gaps]).toEqual([[], [], 0]);
  });

  it('is sent nothing more once it has left, and everything when it comes back', async () => {
    const [limited, free] = [await watch(new Pictures()), await watch(new Pictures())];
    await lab.limit(limited.id, limit);
    await lab.until(() => (lab.client(limited.id).framesDropped ?? 0) > 0);
    await limited.player.tearDown();
    const more = async (count: number): Promise<void> => {
      const { pictures } = free.player;
      await free.player.until((player) => player.pictures > pictures + count);
    };
    // What was under way arrives.
    await more(3);
    const { packets } = limited.player;
    await more(15);
    expect(limited.player.packets).toBe(packets);
    // Closed without a word.
    const other = await watch(new Pictures());
    await lab.limit(other.id, limit);
    await lab.until(() => (lab.client(other.id).framesDropped ?? 0) > 0);
    await other.player.stop();
    await lab.until(() => lab.clients.length === 2);
    const again = new Pictures(onePicture);
    const { player } = await watch(again);
    await player.until(() => again.sinceGap > 15);
    expect([again.complaints, again.gaps]).toEqual([[], 0]);
  });
});

/** Whether what comes can be decoded: no packet is missing, and after pictures that are, a keyframe comes. */
class Pictures {
  readonly complaints: string[] = [];
  gaps = 0;
  /** Whole ones, after the last gap. */
  sinceGap = 0;
  #timestamp: number | undefined;
  #sequence: number | undefined;
  #needsKey = false;
  readonly #longestTicks: number;

  constructor(longestTicks = longPause) {
    this.#longestTicks = longestTicks;
  }

  take(packet: Buffer): void {
    const [sequence, timestamp] = [packet.readUInt16BE(2), packet.readUInt32BE(4)];
    const [before, last] = [this.#timestamp, this.#sequence];
    [this.#sequence, this.#timestamp] = [sequence, timestamp];
    if (last !== undefined && sequence !== ((last + 1) & 0xffff))
      this.complaints.push(`A packet is missing before ${String(sequence)}`);
    if (before !== undefined && timestamp - before > this.#longestTicks) {
      this.gaps += 1;
      this.sinceGap = 0;
      this.#needsKey = true;
    }
    if (isOfKeyframe(packet)) this.#needsKey = false;
    if (((packet[1] ?? 0) & 0x80) === 0) return;
    if (this.#needsKey) this.complaints.push(`No keyframe comes with ${String(sequence)}`);
    this.sinceGap += 1;
  }
}
