// The hub with real pipelines on both sides: newcomers, slow readers, and producers that come, go and change.
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { loadGStreamer, type MediaEvent } from '../../src/media/gstreamer.js';
import type { ChannelFigures } from '../../src/media/messages.js';
import { freePorts } from '../support/ports.js';

const { addon, Pipeline } = loadGStreamer();
const events: MediaEvent[] = [];
addon.listen((json) => {
  events.push(JSON.parse(json) as MediaEvent);
});

const playing = new Set<string>();
let serial = 0;
afterEach(() => {
  for (const owner of playing) addon.release(owner);
  playing.clear();
  events.length = 0;
});

/** A channel that no other test has used. */
function fresh(): string {
  serial += 1;
  return `test/${String(serial)}`;
}

function play(text: string): string {
  serial += 1;
  const owner = `test#${String(serial)}`;
  new Pipeline(text.replaceAll('OWNER', owner)).play();
  playing.add(owner);
  return owner;
}

function stop(owner: string): void {
  addon.release(owner);
  playing.delete(owner);
}

const look = (channel: string): ChannelFigures =>
  (JSON.parse(addon.channels()) as Record<string, ChannelFigures>)[channel] ?? never(channel);
function never(channel: string): never {
  throw new Error(`there is no channel ${channel}`);
}

/** H.264 with a keyframe at the beginning and, unless somebody asks, none for ten seconds. */
const encode = (channel: string, size = 'width=320,height=180', keyframeEvery = 300): string =>
  play(
    `videotestsrc is-live=true pattern=ball ! video/x-raw,format=NV12,${size},framerate=30/1 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=${String(keyframeEvery)} ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! hubsink channel=${channel} owner=OWNER`,
  );
const copy = (from: string, to: string, middle = ''): string =>
  play(`hubsrc channel=${from} owner=OWNER ${middle} ! hubsink channel=${to}`);
const frames = (channel: string, count: number): Promise<void> =>
  expect.poll(() => look(channel).frames, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);

describe('a newcomer', () => {
  it('is given the pictures since the last keyframe, and none has to be made for it', async () => {
    const [channel, mine] = [fresh(), fresh()];
    encode(channel);
    await frames(channel, 40);
    const before = look(channel).frames;
    copy(channel, mine);
    await expect.poll(() => look(mine).frames).toBeGreaterThanOrEqual(before);
    expect(look(mine).keyframes).toBe(1);
    expect(look(channel).keyframes).toBe(1);
    expect(look(mine).caps).toContain('width=(int)320');
  });

  it('is given a keyframe of its own where there are more of them than it has room for', async () => {
    const [channel, mine] = [fresh(), fresh()];
    encode(channel);
    await frames(channel, 20);
    play(`hubsrc channel=${channel} owner=OWNER max-queue=10 ! hubsink channel=${mine}`);
    await frames(mine, 5);
    // By itself the next would come with the 301st.
    expect(look(channel).keyframes).toBe(2);
    expect(look(channel).frames).toBeLessThan(300);
  });

  it('before there is a producer waits, and is told of as a demand', async () => {
    const [channel, mine] = [fresh(), fresh()];
    const reader = copy(channel, mine);
    await expect
      .poll(() => events.filter((event) => event.event === 'demand' && event.channel === channel))
      .toMatchObject([{ consumers: 1 }]);
    encode(channel);
    await frames(mine, 5);
    stop(reader);
    await expect
      .poll(() => events.filter((event) => event.event === 'demand' && event.channel === channel).at(-1))
      .toMatchObject({ consumers: 0 });
  });
});

describe('a slow reader', () => {
  it('loses pictures for itself alone, from keyframe to keyframe', async () => {
    const [channel, quick, slow] = [fresh(), fresh(), fresh()];
    encode(channel);
    copy(channel, quick);
    play(
      `hubsrc channel=${channel} owner=OWNER max-queue=5 ! identity sleep-time=200000 ! hubsink channel=${slow}`,
    );
    await expect.poll(() => look(channel).dropped, { timeout: 10_000 }).toBeGreaterThan(20);
    expect(look(quick).dropped).toBe(0);
    expect(look(quick).frames).toBeGreaterThanOrEqual(look(channel).frames - 2);
    expect(look(slow).frames).toBeLessThan(look(quick).frames / 2);
  });
});

describe('what is dropped before a viewer is there', () => {
  it('counts for nobody: of a browser that never comes', async () => {
    const channel = fresh();
    encode(channel);
    const session = `browser#${channel}`;
    addon.webrtcOpen({
      ...{ session, sdp: '', channel, receives: false, trickle: true, stunServer: '', turnServers: [] },
      caps: 'application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96',
    });
    expect(addon.setProperty(session, 'frames', 'max-queue', '5')).toBe(true);
    await frames(channel, 60);
    expect(look(channel)).toMatchObject({ consumers: 1, dropped: 0 });
    addon.webrtcClose(session);
    await expect.poll(() => look(channel)).toMatchObject({ consumers: 0, dropped: 0 });
  });

  it('counts for nobody: of a player that has asked for a stream and does not begin', async () => {
    const [[port = 0], channel] = [await freePorts(1), fresh()];
    encode(channel);
    addon.rtspAccess({ realm: 'hub', anonymous: true, accounts: {}, tokens: {}, sessions: {} });
    const pays = 'rtph264pay config-interval=-1 name=pay0 pt=96';
    addon.rtspMounts([{ path: '/hub', launch: `( hubsrc channel=${channel} max-queue=5 ! ${pays} )` }]);
    addon.rtspListen('127.0.0.1', port);
    const socket = connect(port, '127.0.0.1');
    socket.write(`DESCRIBE rtsp://127.0.0.1:${String(port)}/hub RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toContain('RTSP/1.0 200 OK');
    await frames(channel, look(channel).frames + 30);
    expect(look(channel)).toMatchObject({ consumers: 1, dropped: 0 });
    socket.destroy();
    await expect.poll(() => look(channel)).toMatchObject({ consumers: 0, dropped: 0 });
    addon.rtspListen('127.0.0.1', 0);
  });

  it('does not hide what is dropped afterwards', async () => {
    const [channel, slow] = [fresh(), fresh()];
    encode(channel, undefined, 20);
    const reader = play(
      `hubsrc name=frames channel=${channel} owner=OWNER watched=false max-queue=5 ! identity sleep-time=200000 ! hubsink channel=${slow}`,
    );
    await frames(channel, 30);
    expect(look(channel).dropped).toBe(0);
    addon.setProperty(reader, 'frames', 'watched', 'true');
    // The rest of the group of pictures was lost before, the next one is lost to somebody.
    await expect.poll(() => look(channel).dropped).toBeGreaterThan(5);
  });
});

describe('a reader that is moved to another channel', () => {
  const camera = (channel: string): string =>
    play(
      `videotestsrc is-live=true pattern=ball ! video/x-raw,format=NV12,width=320,height=180,framerate=30/1 ! hubsink channel=${channel} owner=OWNER`,
    );
  /** A stream of that camera, with no keyframes but those that are asked for. */
  const stream = (from: string, channel: string, width: number): string =>
    play(
      `hubsrc channel=${from} owner=OWNER ! videoscale ! video/x-raw,width=${String(width)},height=180 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=3000 ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! hubsink made-of=${from} channel=${channel}`,
    );
  const read = (from: string, to: string): string =>
    play(`hubsrc name=frames channel=${from} owner=OWNER ! hubsink channel=${to}`);
  const move = (owner: string, to: string): boolean => addon.setProperty(owner, 'frames', 'channel', to);
  const movesOf = (owner: string): string[] =>
    events.flatMap((event) => (event.event === 'moved' && event.pipeline === owner ? [event.channel] : []));

  it('goes over at a keyframe, and is given every picture on the way', async () => {
    const [raw, first, second, mine] = [fresh(), fresh(), fresh(), fresh()];
    camera(raw);
    stream(raw, first, 320);
    stream(raw, second, 160);
    await frames(second, 10);
    const reader = read(first, mine);
    await frames(mine, 10);
    const behind = (): number => look(raw).frames - look(mine).frames;
    const before = behind();
    const targets = [second, first, second, first, second];
    for (const [index, target] of targets.entries()) {
      expect(move(reader, target)).toBe(true);
      await expect.poll(() => movesOf(reader), { timeout: 10_000 }).toHaveLength(index + 1);
      expect(look(mine).caps).toContain(`width=(int)${target === first ? '320' : '160'}`);
      expect([look(first).consumers, look(second).consumers]).toEqual(target === first ? [1, 0] : [0, 1]);
    }
    expect(movesOf(reader)).toEqual(targets);
    // One may be on its way; one that both have encoded may be given twice with each move.
    expect(behind()).toBeLessThanOrEqual(before + 1);
    expect(behind()).toBeGreaterThanOrEqual(before - 1 - targets.length);
    expect(look(mine).dropped + look(first).dropped + look(second).dropped).toBe(0);
    expect(events.some(({ event }) => event === 'error')).toBe(false);
  });

  it('keeps its channel until then, and may be called back', async () => {
    const [raw, first, idle, mine] = [fresh(), fresh(), fresh(), fresh()];
    camera(raw);
    stream(raw, first, 320);
    const reader = read(first, mine);
    await frames(mine, 5);
    move(reader, idle);
    expect([look(first).consumers, look(idle).consumers]).toEqual([1, 1]);
    await frames(mine, look(mine).frames + 10);
    move(reader, first);
    expect([look(first).consumers, look(idle).consumers]).toEqual([1, 0]);
    // What begins there later is nothing to it.
    stream(raw, idle, 160);
    await frames(idle, 5);
    await frames(mine, look(mine).frames + 10);
    expect(look(mine).caps).toContain('width=(int)320');
    expect(movesOf(reader)).toEqual([]);
    stop(reader);
    expect(look(first).consumers).toBe(0);
  });
});

describe('producers', () => {
  it('take over from each other with a keyframe, and what an older one still sends is ignored', async () => {
    const [channel, mine] = [fresh(), fresh()];
    const old = encode(channel);
    copy(channel, mine);
    await frames(mine, 10);
    encode(channel, 'width=640,height=360');
    await expect.poll(() => look(mine).caps, { timeout: 10_000 }).toContain('width=(int)640');
    // Both still send; only the new one is heard.
    const { changes } = look(channel);
    expect(changes).toBe(2);
    await frames(mine, look(mine).frames + 20);
    expect(look(channel).changes).toBe(2);
    expect(look(mine).caps).toContain('width=(int)640');
    stop(old);
    await frames(mine, look(mine).frames + 10);
    expect(look(channel).producing).toBe(true);
    expect(events.some(({ event }) => event === 'error')).toBe(false);
  });

  it('may die: readers stay, and go on with the next', async () => {
    const [channel, mine] = [fresh(), fresh()];
    const first = encode(channel);
    copy(channel, mine);
    await frames(mine, 10);
    stop(first);
    expect(look(channel)).toMatchObject({ producing: false, consumers: 1 });
    const before = look(mine).frames;
    encode(channel, 'width=640,height=360');
    await frames(mine, before + 10);
    expect(look(mine).caps).toContain('width=(int)640');
    expect(look(mine).keyframes).toBeGreaterThanOrEqual(2);
  });

  it('are told by name what is wrong with them', async () => {
    const owner = play('filesrc location=/nowhere/at/all ! h264parse ! hubsink channel=none owner=OWNER');
    await expect
      .poll(() => events.find((event) => event.event === 'error'))
      .toMatchObject({ pipeline: owner, message: 'Resource not found.' });
  });
});

describe('a tap', () => {
  const rgb = (channel: string, caps: string, standby = false): string =>
    play(
      `videotestsrc is-live=true pattern=green ! video/x-raw,format=RGB,framerate=30/1,${caps} ! hubsink channel=${channel} standby=${String(standby)} owner=OWNER`,
    );
  const told = (channel: string): number =>
    events.filter((event) => event.event === 'picture' && event.channel === channel).length;

  it('keeps the newest, says so once, and gives it once', async () => {
    const channel = fresh();
    addon.openTap(channel);
    rgb(channel, 'width=30,height=20');
    await frames(channel, 10);
    expect(told(channel)).toBe(1);
    const first = addon.takeFromTap(channel);
    expect(first?.sequence).toBeGreaterThanOrEqual(10);
    expect(Math.abs((first?.capturedAt ?? 0) / 1000 - Date.now())).toBeLessThan(10_000);
    await frames(channel, (first?.sequence ?? 0) + 5);
    const second = addon.takeFromTap(channel);
    expect(second?.sequence).toBeGreaterThan(first?.sequence ?? 0);
    // The times are those of the camera, which are evenly spaced.
    const passed = (second?.sequence ?? 0) - (first?.sequence ?? 0);
    expect(((second?.capturedTicks ?? 0) - (first?.capturedTicks ?? 0)) / 1e6).toBeCloseTo(passed / 30, 2);
    await expect.poll(() => told(channel)).toBeGreaterThan(1);
    addon.closeTap(channel);
    expect(addon.takeFromTap(channel)).toBeUndefined();
    expect(look(channel).consumers).toBe(0);
  });

  it('gives the pixels of raw pictures without what pads their lines in memory', async () => {
    const channel = fresh();
    addon.openTap(channel);
    // Lines of 93 bytes, which GStreamer makes 96 long.
    rgb(channel, 'width=31,height=5');
    await frames(channel, 1);
    const { bytes, width, height } = addon.takeFromTap(channel) ?? never(channel);
    expect([bytes.length, width, height]).toEqual([31 * 5 * 3, 31, 5]);
    for (let at = 0; at < bytes.length; at += 3) {
      const [red = 255, green = 0, blue = 255] = bytes.subarray(at);
      expect([red < 30, green > 200, blue < 30]).toEqual([true, true, true]);
    }
    addon.closeTap(channel);
  });

  it('can be told whether its pictures are those of a camera', async () => {
    const channel = fresh();
    expect(addon.liveSince(channel)).toBeUndefined();
    rgb(channel, 'width=32,height=16', true);
    await frames(channel, 3);
    expect(addon.liveSince(channel)).toBeUndefined();
    const camera = rgb(channel, 'width=32,height=16');
    await expect.poll(() => addon.liveSince(channel)).toBeGreaterThan(0);
    const since = addon.liveSince(channel);
    // One camera in the place of another is no break.
    const next = rgb(channel, 'width=48,height=16');
    await expect.poll(() => look(channel).caps).toContain('width=(int)48');
    expect(addon.liveSince(channel)).toBe(since);
    stop(camera);
    stop(next);
    await expect.poll(() => addon.liveSince(channel)).toBeUndefined();
  });
});

it('a reader of every so many is given just those', async () => {
  const [channel, mine] = [fresh(), fresh()];
  play(`hubsrc channel=${channel} every=5 owner=OWNER ! hubsink channel=${mine}`);
  play(
    `videotestsrc is-live=true num-buffers=31 ! video/x-raw,format=NV12,width=32,height=16,framerate=100/1 ! hubsink channel=${channel} owner=OWNER`,
  );
  await frames(channel, 31);
  await expect.poll(() => look(mine).frames).toBe(7);
});

it('pictures that stand for themselves need no keyframe, whatever their encoder says', async () => {
  const channel = fresh();
  play(
    `videotestsrc is-live=true ! video/x-raw,format=I420,width=32,height=16,framerate=30/1 ! webpenc ! hubsink channel=${channel} owner=OWNER`,
  );
  await frames(channel, 3);
  expect(look(channel).keyframes).toBe(look(channel).frames);
});

it('a hundred readers that come and go at random while producers change harm nobody', async () => {
  const [channel, mine] = [fresh(), fresh()];
  let producer = encode(channel);
  copy(channel, mine);
  await frames(mine, 5);
  const readers: string[] = [];
  for (let step = 0; step < 100; step += 1) {
    readers.push(play(`hubsrc channel=${channel} owner=OWNER ! fakesink`));
    // Every third goes at once, in the middle of its start.
    if (step % 3 === 0) stop(readers.pop() ?? '');
    if (step % 10 === 5) {
      const next = encode(channel);
      stop(producer);
      producer = next;
    }
  }
  await frames(mine, look(mine).frames + 10);
  expect(look(channel).consumers).toBe(readers.length + 1);
  for (const reader of readers) stop(reader);
  await expect.poll(() => look(channel).consumers).toBe(1);
  await frames(mine, look(mine).frames + 10);
});
