// What is learnt of the way to a browser, and the browser that is given another stream while it plays.
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PacketTrain, PathSample } from '../../src/adaptive/samples.js';
import type { WebRtcReport } from '../../src/media/messages.js';
import { undemanding } from '../../src/pipelines/sources.js';
import { launchBrowser } from '../support/browser.js';
import { LossyRelay } from '../support/LossyRelay.js';
import { MediaLab } from '../support/MediaLab.js';
import { WebPlayer } from '../support/WebPlayer.js';

let lab: MediaLab;
let browser: Browser;
let player: WebPlayer;
const pictureMs = 1000 / 30;

beforeAll(async () => {
  lab = await MediaLab.open({ timeBlock: true, encoderProfile: 'high' });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await lab.close();
});
afterEach(async () => {
  await player.page.close();
  const { session = '' } = lab.opened.at(-1) ?? {};
  await lab.supervisor.order('webrtc-close', { session });
  lab.onOffer = (sdp) => sdp;
  lab.onAnswer = (sdp) => Promise.resolve(sdp);
});

/** A page that plays: its session, and the name by which samples know it. */
async function play(): Promise<{ readonly session: string; readonly viewer: string }> {
  player = await WebPlayer.open(browser, lab.url, { way: 'whep', authorization: '', readTimes: true });
  expect([player.status, player.answer.slice(0, 200)]).toEqual([201, expect.anything()]);
  await player.timed(0, 10);
  const { session = '', viewer = '' } = lab.opened.at(-1) ?? {};
  expect(viewer).toMatch(/^webrtc-\d+$/);
  return { session, viewer };
}

const samplesOf = <K extends PathSample['kind']>(
  viewer: string,
  kind: K,
): Extract<PathSample, { readonly kind: K }>[] =>
  lab.samples.flatMap((sample) =>
    sample.viewer === viewer && sample.kind === kind
      ? [sample as Extract<PathSample, { readonly kind: K }>]
      : [],
  );
const trainsOf = (viewer: string): PacketTrain[] =>
  samplesOf(viewer, 'transport').flatMap(({ trains }) => trains);
const reportOf = (session: string): WebRtcReport | undefined =>
  lab.beat.webrtc.find((each) => each.session === session);
const consumers = (channel: string): number => lab.beat.channels[channel]?.consumers ?? 0;

describe('of the way to a browser', () => {
  it('each picture tells, as a train of packets', async () => {
    const { session, viewer } = await play();
    await expect.poll(() => trainsOf(viewer).length, { timeout: 15_000 }).toBeGreaterThan(60);
    const trains = trainsOf(viewer);
    const [first, last] = [trains[0], trains.at(-1)];
    const pictures = 1 + ((last?.sentAt ?? 0) - (first?.sentAt ?? 0)) / pictureMs;
    expect(trains.length).toBeGreaterThan(0.8 * pictures);
    expect(trains.length).toBeLessThan(1.2 * pictures);
    for (const [index, train] of trains.entries()) {
      const before = trains[index - 1];
      expect(train.lost).toBe(0);
      expect(train.packets).toBeGreaterThanOrEqual(1);
      expect(train.bytes).toBeGreaterThanOrEqual(train.firstBytes);
      // With headers and around them what UDP and IP add, and never more than fits through a tunnel.
      expect(train.firstBytes).toBeGreaterThan(58);
      expect(train.bytes).toBeLessThanOrEqual(train.packets * 1400);
      expect(train.sentUntil).toBeGreaterThanOrEqual(train.sentAt);
      expect(train.sentUntil - train.sentAt).toBeLessThan(5);
      expect(train.arrivedUntil).toBeGreaterThanOrEqual(train.arrivedAt);
      if (before === undefined) continue;
      expect(train.sentAt).toBeGreaterThan(before.sentUntil);
      expect(train.arrivedAt).toBeGreaterThanOrEqual(before.arrivedUntil);
    }
    // Keyframes are many packets, and take their time.
    expect(Math.max(...trains.map(({ packets }) => packets))).toBeGreaterThan(5);
    const times = samplesOf(viewer, 'transport');
    expect(times.every(({ rttMs }) => rttMs !== null && rttMs > 0)).toBe(true);
    expect(times.every(({ at }, index) => at > (times[index - 1]?.at ?? 0))).toBe(true);
    expect(Math.abs((times.at(-1)?.at ?? 0) - (last?.sentAt ?? 0))).toBeLessThan(5000);
    // And what its reports say, once a second or so.
    await expect
      .poll(() => samplesOf(viewer, 'report').at(-1), { timeout: 10_000 })
      .toMatchObject({
        loss: 0,
        jitterMs: expect.any(Number) as number,
        rttMs: expect.any(Number) as number,
        rttAgeMs: expect.any(Number) as number,
        sentBps: expect.any(Number) as number,
      });
    expect(samplesOf(viewer, 'report').at(-1)?.sentBps).toBeGreaterThan(100_000);
    await expect
      .poll(() => reportOf(session))
      .toMatchObject({
        ...{ viewer, stream: 'stream1', nacks: 0, path: { lossPercent: 0 } },
      });
    expect(reportOf(session)?.bitrate).toBeGreaterThan(100_000);
  });

  it('what is lost is told of, and what was asked for again', async () => {
    let relay: LossyRelay | undefined;
    lab.onOffer = (sdp) => sdp.replaceAll(/^a=candidate:.*\r?\n/gm, '');
    lab.onAnswer = async (sdp) => {
      const before = await LossyRelay.before(sdp);
      relay = before.relay;
      return before.answer;
    };
    const { session, viewer } = await play();
    if (relay === undefined) throw new Error('there is no relay');
    await expect.poll(() => trainsOf(viewer).length, { timeout: 15_000 }).toBeGreaterThan(5);
    relay.loses = ({ serial }) => serial % 10 === 0;
    const sum = (): number => trainsOf(viewer).reduce((all, { lost }) => all + lost, 0);
    await expect.poll(sum, { timeout: 15_000 }).toBeGreaterThan(20);
    await expect.poll(() => reportOf(session)?.path?.lossPercent ?? 0).toBeGreaterThan(3);
    relay.loses = () => false;
    const { lost } = relay;
    await expect.poll(sum, { timeout: 15_000 }).toBeGreaterThan(0.8 * lost);
    expect(sum()).toBeLessThanOrEqual(lost);
    expect(reportOf(session)?.nacks).toBeGreaterThan(0);
    relay.close();
  });

  it('a browser that knows no feedback on packets says what it thinks the way carries', async () => {
    lab.onOffer = (sdp) =>
      sdp.replaceAll(/^a=(?:extmap:.*transport-wide-cc.*|rtcp-fb:\d+ transport-cc)\r?\n/gm, '');
    const { viewer } = await play();
    await expect
      .poll(() => samplesOf(viewer, 'estimate').at(-1)?.bps ?? 0, { timeout: 15_000 })
      .toBeGreaterThan(100_000);
    expect(trainsOf(viewer)).toEqual([]);
  });
});

describe('a browser that is given another stream', () => {
  const move = (session: string, stream: string): Promise<unknown> =>
    lab.supervisor.order('webrtc-move', { session, stream });

  it('sees every picture on the way there and back', async () => {
    const { session } = await play();
    const from = await player.timedCount();
    for (const [stream, width] of [
      ['stream2', 480],
      ['stream1', 640],
    ] as const) {
      await move(session, stream);
      await expect.poll(async () => (await player.inbound()).width, { timeout: 10_000 }).toBe(width);
      await player.timed(await player.timedCount(), 20);
      expect(reportOf(session)).toMatchObject({ stream });
      await expect
        .poll(() => [consumers('stream1'), consumers('stream2')])
        .toEqual(stream === 'stream1' ? [1, 0] : [0, 1]);
    }
    const times = (await player.timed(from, 1)).map(({ captured }) => captured ?? Number.NaN);
    const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000);
    // One that both have encoded may be seen twice, and a busy machine may not come to show one or two.
    expect(gaps.filter((gap) => !(Math.abs(gap) < 3.5 * pictureMs))).toEqual([]);
    const missing = gaps.reduce((all, gap) => all + Math.max(0, Math.round(gap / pictureMs) - 1), 0);
    expect(missing).toBeLessThanOrEqual(2);
    expect(await player.state()).toBe('connected');
  });

  it('keeps what it has where the other gives nothing', async () => {
    const { session } = await play();
    await lab.change({}, [
      {
        ...{ name: 'encode/mute', codec: 'h264', channel: 'mute', live: {}, preload: false, ...undemanding },
        text: 'videotestsrc is-live=true ! video/x-raw,format=NV12,framerate=30/1 ! identity drop-probability=1 ! x264enc tune=zerolatency ! h264parse ! hubsink channel=mute',
      },
    ]);
    await expect(move(session, 'raw/primary')).rejects.toThrow('raw/primary is no stream of H.264');
    await expect(move('nobody', 'stream2')).rejects.toThrow('no such session');
    const { frames } = await player.inbound();
    const moving = move(session, 'mute');
    await expect.poll(() => consumers('mute')).toBe(1);
    await expect(moving).rejects.toThrow('mute has given no keyframe in time');
    await expect.poll(() => [consumers('mute'), consumers('stream1')]).toEqual([0, 1]);
    expect((await player.inbound()).frames).toBeGreaterThan(frames + 60);
    expect(reportOf(session)).toMatchObject({ stream: 'stream1' });
    // And it can still be moved.
    await move(session, 'stream2');
    await expect.poll(async () => (await player.inbound()).width).toBe(480);
  });
});
