// The packets that WebRTC sessions send, one by one, and what an independent receiver makes of them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadGStreamer } from '../../src/media/gstreamer.js';
import { twccUri } from '../../src/media/sdp.js';

const { addon, Pipeline } = loadGStreamer();
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-packets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rtp = 'application/x-rtp,media=video,encoding-name=H264,clock-rate=90000';
const accessUnitDelimiter = 9;

/** Plays to its end. The branch into the hub is there for its word on errors and on the end. */
async function runToEnd(owner: string, text: string): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    addon.listen((json) => {
      const event = JSON.parse(json) as { event: string; pipeline?: string; message?: string };
      if (event.pipeline !== owner) return;
      if (event.event === 'ended') resolve();
      if (event.event === 'error') reject(new Error(event.message));
    });
  });
  const pipeline = new Pipeline(`${text} ! queue ! hubsink channel=${owner} owner=${owner}`);
  pipeline.play();
  await ended;
  addon.release(owner);
}

/** The parts of a byte stream, without what only separates pictures. */
function nals(stream: Buffer): Buffer[] {
  const found: Buffer[] = [];
  const code = Buffer.from([0, 0, 1]);
  for (let at = stream.indexOf(code); at >= 0;) {
    const next = stream.indexOf(code, at + 3);
    let end = next < 0 ? stream.length : next;
    while (end > at + 3 && stream[end - 1] === 0) end -= 1;
    const nal = stream.subarray(at + 3, end);
    if (((nal[0] ?? 0) & 0x1f) !== accessUnitDelimiter) found.push(nal);
    at = next;
  }
  return found;
}

interface Packet {
  readonly bytes: number;
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Of the header's extension, where there is one. */
  readonly extension: string;
}

/** Each packet stands behind its length (RFC 4571). */
function packetsIn(file: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < file.length;) {
    const bytes = file.readUInt16BE(at);
    const packet = file.subarray(at + 2, at + 2 + bytes);
    expect(packet.readUInt8(0) & 0xc0).toBe(0x80);
    const hasExtension = (packet.readUInt8(0) & 0x10) !== 0;
    packets.push({
      bytes,
      marker: (packet.readUInt8(1) & 0x80) !== 0,
      payloadType: packet.readUInt8(1) & 0x7f,
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      ssrc: packet.readUInt32BE(8),
      extension: hasExtension ? packet.subarray(12, 17).toString('hex') : '',
    });
    at += 2 + bytes;
  }
  return packets;
}

const frames = 40;
async function sendNoise(caps: string): Promise<{ sent: Buffer; received: Buffer; packets: Packet[] }> {
  const [sent, received, wire] = ['sent', 'received', 'wire'].map((name) => join(folder, name));
  await runToEnd(
    'packets',
    [
      `videotestsrc num-buffers=${String(frames)} pattern=snow ! video/x-raw,format=NV12,width=640,height=360,framerate=30/1`,
      'x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 key-int-max=10',
      'h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! tee name=units',
      `queue ! filesink location=${sent ?? ''} units.`,
      `queue ! h264packets caps="${caps}" ! tee name=packets`,
      `queue ! rtpstreampay ! filesink location=${wire ?? ''} packets.`,
      'queue ! rtph264depay ! video/x-h264,stream-format=byte-stream,alignment=nal ! tee name=received',
      `queue ! filesink location=${received ?? ''} received.`,
    ].join(' ! '),
  );
  return {
    sent: await readFile(sent ?? ''),
    received: await readFile(received ?? ''),
    packets: packetsIn(await readFile(wire ?? '')),
  };
}

it('a receiver gets back every byte of the stream', async () => {
  const { sent, received } = await sendNoise(`${rtp},payload=96`);
  expect(nals(sent).length).toBeGreaterThan(frames);
  // Small ones, which go as they are, and large ones, which go in parts.
  expect(Math.min(...nals(sent).map(({ length }) => length))).toBeLessThan(100);
  expect(Math.max(...nals(sent).map(({ length }) => length))).toBeGreaterThan(5000);
  expect(nals(received)).toEqual(nals(sent));
});

it('packets are numbered, marked at the end of each picture, and fit through tunnels', async () => {
  const { packets } = await sendNoise(`${rtp},payload=103,extmap-5=(string)${twccUri}`);
  expect(packets.length).toBeGreaterThan(3 * frames);
  const [first] = packets;
  for (const [index, packet] of packets.entries()) {
    expect(packet).toMatchObject({ payloadType: 103, ssrc: first?.ssrc });
    expect(packet.bytes).toBeLessThanOrEqual(1350);
    expect(packet.sequence).toBe(((first?.sequence ?? 0) + index) & 0xffff);
    // One word of extensions, of which the first has the identifier 5 and two bytes for the session to fill in.
    expect(packet.extension).toBe('bede000151');
    expect(packet.marker).toBe(packets[index + 1]?.timestamp !== packet.timestamp);
  }
  const times = packets.filter(({ marker }) => marker).map(({ timestamp }) => timestamp);
  expect(times).toHaveLength(frames);
  for (const [index, time] of times.entries())
    expect(Math.abs(((time - (times[0] ?? 0)) >>> 0) - 3000 * index)).toBeLessThanOrEqual(1);
});

it('without extensions the header is as short as it can be', async () => {
  const { packets } = await sendNoise(`${rtp},payload=96`);
  expect(new Set(packets.map(({ extension }) => extension))).toEqual(new Set(['']));
});

it.each(['zero', 'random', 'pattern'])('what is no H.264 (%s) does no harm', async (fill) => {
  await runToEnd(
    'nonsense',
    `fakesrc num-buffers=200 sizetype=random sizemax=5000 filltype=${fill} format=time do-timestamp=true ! video/x-h264,stream-format=byte-stream,alignment=au ! h264packets ! tee name=t ! queue ! fakesink t.`,
  );
});
