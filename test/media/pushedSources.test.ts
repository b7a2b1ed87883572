// Cameras that are not fetched but send: plain RTP, and browsers by WHIP.
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { colours, shows } from '../support/PictureViewer.js';
import { PrimaryCamera } from '../support/PrimaryCamera.js';
import { freePorts } from '../support/ports.js';
import { adminPassword, basic, peoplePassword } from '../support/runningServer.js';
import { TimeViewer } from '../support/TimeViewer.js';

let server: MediaServer;
let primary: PrimaryCamera;
beforeAll(async () => {
  server = await mediaServer();
  primary = new PrimaryCamera(server);
  await server.change({
    webrtcEnabled: true,
    timestampOverlay: { ...server.store.get('timestampOverlay'), enabled: false },
  });
});
afterAll(() => server.stop());
afterEach(async () => {
  await primary.nobodyWatches();
});

const admin = basic('admin', adminPassword);
const running = () =>
  server
    .pipelines()
    .filter(({ state }) => state === 'running')
    .map(({ name }) => name);
const sessions = () => server.media?.report().webrtc ?? [];
/** That the media process holds. */
function sockets(): number {
  const folder = `/proc/${String(server.mediaState().pid)}/fd`;
  const targets = readdirSync(folder).map((file) => {
    try {
      return readlinkSync(`${folder}/${file}`);
    } catch {
      // It was closed in the meantime.
      return '';
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}

/** Sends on what ffmpeg makes of a camera, as long as somebody says now and then how much it may send (REMB). */
class RtpCamera {
  /** How much may be sent, by each report that says so. */
  readonly allowed: number[] = [];
  description = '';
  readonly #sockets: readonly Socket[];
  readonly #child: ChildProcess;

  static async start(colour: string, port: number, isOneSocket = false): Promise<RtpCamera> {
    const bound = async (): Promise<Socket> => {
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      return socket;
    };
    return new RtpCamera(colour, port, isOneSocket, [
      await bound(),
      await bound(),
      await bound(),
      await bound(),
    ]);
  }

  private constructor(
    colour: string,
    port: number,
    isOneSocket: boolean,
    [fromPackets, fromReports, packets, reports]: readonly [Socket, Socket, Socket, Socket],
  ) {
    this.#sockets = [fromPackets, fromReports, packets, reports];
    const reportsPort = isOneSocket ? port : port + 1;
    const reportsOut = isOneSocket ? packets : reports;
    // Real ones wait for thirty seconds, and not for the first time.
    const patienceMs = 2500;
    let heardAt: number | undefined;
    reportsOut.on('message', (report) => {
      const allowed = rembIn(report);
      if (allowed === undefined) return;
      this.allowed.push(allowed);
      heardAt = performance.now();
    });
    const speaks = (): boolean => heardAt === undefined || performance.now() - heardAt < patienceMs;
    fromPackets.on('message', (packet) => {
      if (speaks()) packets.send(packet, port, '127.0.0.1');
    });
    fromReports.on('message', (report) => {
      if (speaks()) reportsOut.send(report, reportsPort, '127.0.0.1');
    });
    const portOf = (socket: Socket): string => String(socket.address().port);
    this.#child = spawn(
      'ffmpeg',
      [
        ...['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', `color=${colour}:size=320x180:rate=25`],
        ...['-c:v', 'libx264', '-tune', 'zerolatency', '-g', '25', '-bsf:v', 'dump_extra', '-f', 'rtp'],
        `rtp://127.0.0.1:${portOf(fromPackets)}?rtcpport=${portOf(fromReports)}`,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.#child.stdout?.on('data', (text: Buffer) => (this.description += text.toString()));
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
    for (const socket of this.#sockets) socket.close();
  }
}

/** Walks through the reports of a packet (RFC 3550) to the one that says how much may be sent. */
function rembIn(packet: Buffer): number | undefined {
  for (let at = 0; at + 4 <= packet.length; at += 4 * (packet.readUInt16BE(at + 2) + 1)) {
    const isFeedback = packet[at + 1] === 206 && ((packet[at] ?? 0) & 31) === 15;
    if (!isFeedback || packet.toString('latin1', at + 12, at + 16) !== 'REMB') continue;
    const exponent = (packet[at + 17] ?? 0) >> 2;
    const mantissa = (((packet[at + 17] ?? 0) & 3) << 16) | packet.readUInt16BE(at + 18);
    return mantissa * 2 ** exponent;
  }
  return undefined;
}

describe('a camera that sends plain RTP', () => {
  const cameras: RtpCamera[] = [];
  afterEach(async () => {
    for (const camera of cameras.splice(0)) await camera.stop();
  });
  async function camera(...words: Parameters<typeof RtpCamera.start>): Promise<RtpCamera> {
    const started = await RtpCamera.start(...words);
    cameras.push(started);
    return started;
  }

  it('is shown, and goes on as long as it is told every second that somebody listens', async () => {
    const [port = 0] = await freePorts(2);
    await primary.use({ source: 'rtp', url: `rtp://127.0.0.1:${String(port)}` });
    const viewer = await primary.watch();
    const sender = await camera('red', port);
    await viewer.until(shows(colours.red));
    await expect.poll(() => primary.status().state).toBe('live');
    const before = sender.allowed.length;
    // For longer than it would send by itself.
    await viewer.more(25 * 5);
    expect(sender.allowed.length - before).toBeGreaterThanOrEqual(4);
    expect(new Set(sender.allowed)).toEqual(new Set([20_000_000 - (20_000_000 % 128)]));
    expect(primary.status().state).toBe('live');
    expect(server.store.get('cameraFormats').primary).toMatchObject({
      codec: 'h264',
      width: 320,
      height: 180,
    });

    // Another one takes its place.
    await cameras.splice(0)[0]?.stop();
    await viewer.until(shows(colours.card));
    await camera('blue', port);
    await viewer.until(shows(colours.blue));
  });

  it('is understood as it describes itself, with its reports on the same port', async () => {
    const [port = 0] = await freePorts(2);
    const sender = await camera('blue', port, true);
    await expect.poll(() => sender.description).toMatch(/a=fmtp/);
    const sdp = `${sender.description.replace(/^SDP:\s*/, '').trim()}\r\na=rtcp-mux\r\n`;
    const viewer = await primary.watch();
    await primary.use({ source: 'rtp', url: `rtp://127.0.0.1:${String(port)}`, sdp });
    await viewer.until(shows(colours.blue));
    await expect.poll(() => sender.allowed.length).toBeGreaterThan(0);
  });

  it('that describes no video is told apart', async () => {
    const [port = 0] = await freePorts(2);
    const sdp = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n';
    await primary.use({ source: 'rtp', url: `rtp://127.0.0.1:${String(port)}`, sdp });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.card));
    await expect
      .poll(() => primary.status())
      .toMatchObject({ state: 'no signal', reason: expect.stringMatching(/no video/) as string });
  });
});

/** As text: what runs in the page knows nothing of this file. */
function sendScript(colour: string, authorization: string): string {
  return `(async () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext('2d');
    setInterval(() => {
      context.fillStyle = '${colour}';
      context.fillRect(0, 0, 320, 180);
    }, 40);
    const pc = new RTCPeerConnection();
    for (const track of canvas.captureStream(25).getTracks()) pc.addTransceiver(track, { direction: 'sendonly' });
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete')
      await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    const answer = await fetch('/api/whip/primary', {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: '${authorization}' },
      body: pc.localDescription.sdp,
    });
    const sdp = await answer.text();
    if (answer.ok) await pc.setRemoteDescription({ type: 'answer', sdp });
    window.pc = pc;
    return { status: answer.status, location: answer.headers.get('location') ?? '' };
  })()`;
}

describe('a browser that sends by WHIP', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  /** A page that sends a canvas of one colour. */
  async function send(
    colour: string,
    authorization = admin,
  ): Promise<{ page: Page; status: number; location: string }> {
    const page = await browser.newPage();
    await page.goto(`${server.url}/livez`);
    const answer = await page.evaluate<{ status: number; location: string }>(
      sendScript(colour, authorization),
    );
    return { page, ...answer };
  }

  it('is the camera, until it goes or another one comes', async () => {
    await primary.use({ source: 'whip' });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.card));
    await expect.poll(() => primary.status()).toMatchObject({ state: 'no signal', reason: 'nobody sends' });
    const first = await send('#ff0000');
    expect(first.status).toBe(201);
    await viewer.until(shows([255, 0, 0]));
    await expect.poll(() => primary.status().state).toBe('live');
    const second = await send('#0000ff');
    await viewer.until(shows([0, 0, 255]));
    const gone = await fetch(`${server.url}${first.location}`, {
      method: 'DELETE',
      headers: { authorization: admin },
    });
    expect(gone.status).toBe(404);
    const ended = await fetch(`${server.url}${second.location}`, {
      method: 'DELETE',
      headers: { authorization: admin },
    });
    expect(ended.status).toBe(200);
    await viewer.until(shows(colours.card));
    await first.page.close();
    await second.page.close();
    expect(viewer.ended).toBe(undefined);
  });

  it('that freezes or goes without a word is missed at once, and leaves nothing behind', async () => {
    // From another camera that has sent encoded video here.
    const [port = 0] = await freePorts(2);
    const before = await RtpCamera.start('red', port);
    await primary.use({ source: 'rtp', url: `rtp://127.0.0.1:${String(port)}` });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.red));
    await primary.use({ source: 'whip' });
    await viewer.until(shows(colours.card));
    await before.stop();
    const counts: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      const { page } = await send('#0000ff');
      await viewer.until(shows([0, 0, 255]));
      await expect
        .poll(() => server.store.get('cameraFormats').primary)
        .toMatchObject({ codec: 'other', width: 320, from: 'whip /dev/video0' });
      const watched = viewer.pictures.length;
      await page.close();
      await viewer.until(shows(colours.card));
      // Long before the session itself is given up.
      expect(sessions()).toHaveLength(1);
      expect(viewer.pictures.length - watched).toBeLessThan(60);
      await expect.poll(() => sessions().length, { timeout: 20_000 }).toBe(0);
      await expect.poll(() => sockets(), { timeout: 5000 }).toBeLessThanOrEqual(counts[0] ?? Infinity);
      counts.push(sockets());
    }
  });

  it('must be wanted, may not be anybody, and must send video', async () => {
    const post = (body: string, authorization = admin, camera = 'primary') =>
      fetch(`${server.url}/api/whip/${camera}`, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp', authorization },
        body,
      });
    const viewerOnly = basic('viewer', peoplePassword);
    expect((await post('v=0', viewerOnly)).status).toBe(403);
    const empty = await post('v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n');
    expect([empty.status, await empty.json()]).toMatchObject([
      422,
      { error: { code: 'OFFER_WITHOUT_VIDEO' } },
    ]);
    const unwanted = await post('v=0', admin, 'secondary');
    expect([unwanted.status, await unwanted.json()]).toMatchObject([
      409,
      {
        error: { key: 'cameraHeadSettings', message: expect.stringMatching(/source must be whip/) as string },
      },
    ]);
    await primary.use({ source: 'test' });
    expect((await send('#ff0000')).status).toBe(409);
  });
});

it('an encoder that sends H.264 by WHIP is passed on to viewers as it is', async () => {
  // Another server offers its stream, as encoders do: Chromium of Debian sends no H.264.
  const encoder = await mediaServer();
  try {
    await encoder.change({
      ...{ webrtcEnabled: true, timeBlock: true, streamFramerate: 15 },
      timestampOverlay: { ...encoder.store.get('timestampOverlay'), enabled: false },
    });
    const headers = { authorization: admin };
    const offered = await fetch(`${encoder.url}/api/webrtc/offer`, { headers });
    const { id, sdp: offer } = (await offered.json()) as { id: string; sdp: string };
    expect(offer).toContain('H264/90000');
    await primary.use({ source: 'whip' });
    const taken = await fetch(`${server.url}/api/whip/primary`, {
      ...{ method: 'POST', headers: { ...headers, 'content-type': 'application/sdp' } },
      body: offer,
    });
    expect(taken.status).toBe(201);
    const answered = await fetch(`${encoder.url}/api/webrtc/answer`, {
      ...{ method: 'POST', headers: { ...headers, 'content-type': 'application/json' } },
      body: JSON.stringify({ id, type: 'answer', sdp: await taken.text() }),
    });
    expect(answered.status).toBe(200);

    const viewer = new TimeViewer(server.rtsp(), 'tcp');
    await viewer.more(5);
    await expect
      .poll(() => server.store.get('cameraFormats').primary, { timeout: 10_000 })
      .toMatchObject({ codec: 'h264', width: 640, height: 360 });
    await expect
      .poll(() => server.store.get('streamPassthroughStatus').stream1, { timeout: 10_000 })
      .toEqual({ active: true });
    await expect
      .poll(() => running().filter((name) => !name.startsWith('capture')), { timeout: 10_000 })
      .toEqual(['encode/stream1']);
    const graph = await server.media?.graph('encode/stream1');
    const kinds = graph?.elements.map(({ factory }) => factory) ?? [];
    expect(kinds).toContain('h264parse');
    expect(kinds.filter((kind) => /enc|dec|scale|convert/.test(kind))).toEqual([]);
    // Each picture that the encoder has drawn, in its order.
    const before = viewer.frames.length;
    await viewer.more(20);
    const times = viewer.frames.slice(before).map(({ captured }) => captured ?? Number.NaN);
    const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1e6);
    expect([Math.min(...gaps) > 0, Math.max(...gaps) < 1.5 / 15]).toEqual([true, true]);
    await viewer.close();
  } finally {
    await encoder.stop();
  }
});
