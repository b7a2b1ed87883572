import type { Browser, Page } from 'playwright-core';
import type { TimedFrame } from './TimeViewer.js';

/** How a player asks for a stream: as the reference product's page does, or by WHEP. */
export type Way = 'offer' | 'whep';

interface Inbound {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
}

/** A page of Chromium that plays a stream over WebRTC. */
export class WebPlayer {
  readonly page: Page;
  /** The status and body of the answer to its offer. */
  readonly status: number;
  readonly answer: string;
  readonly location: string | null;

  private constructor(page: Page, { status, answer, location }: Answer) {
    this.page = page;
    this.status = status;
    this.answer = answer;
    this.location = location;
  }

  static async open(browser: Browser, url: string, given: PlayOptions): Promise<WebPlayer> {
    const page = await browser.newPage();
    // A page of the server itself, so that nothing is foreign.
    await page.goto(`${url}/livez`);
    return new WebPlayer(page, await page.evaluate<Answer>(playScript(given)));
  }

  inbound(): Promise<Inbound> {
    return this.page.evaluate<Inbound>(statsScript);
  }

  /** Whether a picture is on the page, which is more than that one is decoded. */
  shows(): Promise<boolean> {
    return this.page.evaluate<boolean>('(document.querySelector("video")?.readyState ?? 0) >= 2');
  }

  /** Of the encryption, which is closed as soon as the server says goodbye. */
  transport(): Promise<string> {
    return this.page.evaluate<string>('pc.getReceivers()[0].transport.state');
  }

  state(): Promise<string> {
    return this.page.evaluate<string>('pc.connectionState');
  }

  /** The pictures decoded from the `from`th on, as soon as there are so many; for those that read the time block. */
  async timed(from: number, atLeast: number): Promise<TimedFrame[]> {
    return await this.page.evaluate<TimedFrame[]>(`(async () => {
      while (timed.length < ${String(from + atLeast)}) await new Promise((resolve) => setTimeout(resolve, 20));
      return timed.slice(${String(from)});
    })()`);
  }

  timedCount(): Promise<number> {
    return this.page.evaluate<number>('timed.length');
  }
}

interface Answer {
  readonly status: number;
  readonly answer: string;
  readonly location: string | null;
}

interface PlayOptions {
  readonly way: Way;
  readonly authorization: string;
  readonly video?: boolean;
  readonly stream?: string;
  readonly readTimes?: boolean;
}

/** Shows a track in a page, as text. */
export const showTrack = `(track) => {
  const element = document.createElement('video');
  element.muted = true;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
  void element.play();
}`;

/** Makes an offer in a page, for those who send it themselves: its text. The page's own addresses come in `own`. */
export const offerScript = `(async () => {
  globalThis.pc = new RTCPeerConnection();
  globalThis.own = [];
  pc.onicecandidate = ({ candidate }) => candidate && own.push(candidate.toJSON());
  pc.addTransceiver('video', { direction: 'recvonly' });
  pc.ontrack = ({ track }) => (${showTrack})(track);
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
})()`;

/** Runs in the page, and is text so that nothing of this side is taken for granted there. */
function playScript({
  way,
  authorization,
  video = true,
  stream = 'stream1',
  readTimes = false,
}: PlayOptions): string {
  return `(async (given) => {
    globalThis.began = performance.timeOrigin + performance.now();
    const pc = (globalThis.pc = new RTCPeerConnection());
    globalThis.timed = [];
    if (given.video) pc.addTransceiver('video', { direction: 'recvonly' });
    else pc.createDataChannel('nothing');
    const readRow = (row, cell) => {
      let bits = 0n;
      for (let bit = 0; bit < 64; bit += 1)
        bits = (bits << 1n) | (row[2 * cell + bit * cell + Math.floor(cell / 2)] > 128 ? 1n : 0n);
      const time = bits >> 12n;
      let check = 0n;
      for (let shift = 0n; shift < 52n; shift += 4n) check = (check * 7n + ((time >> shift) & 15n)) & 0xfffn;
      return time > 0n && check === (bits & 0xfffn) ? Number(time) : undefined;
    };
    const readTimes = async (track) => {
      const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 30 }).readable.getReader();
      for (;;) {
        const { value: frame, done } = await reader.read();
        if (done) return;
        const seen = (performance.timeOrigin + performance.now()) * 1000;
        const { codedWidth: width } = frame;
        const cell = Math.floor(width / 160) * 2;
        const y = Math.floor(2.5 * cell);
        const rect = { x: 0, y: y - (y % 2), width: width - (width % 2), height: 2 };
        const bytes = new Uint8Array(frame.allocationSize({ rect }));
        const [{ offset, stride }] = await frame.copyTo(bytes, { rect });
        frame.close();
        const row = bytes.subarray(offset + (y % 2) * stride, offset + (y % 2) * stride + width);
        timed.push({ captured: readRow(row, cell), seen });
      }
    };
    pc.ontrack = ({ track }) => {
      if (given.readTimes) void readTimes(track);
      else (${showTrack})(track);
    };
    await pc.setLocalDescription(await pc.createOffer());
    const { sdp } = pc.localDescription;
    const isWhep = given.way === 'whep';
    const response = await fetch(isWhep ? '/api/whep/' + given.stream : '/api/webrtc/offer', {
      method: 'POST',
      headers: {
        authorization: given.authorization,
        'content-type': isWhep ? 'application/sdp' : 'application/json',
      },
      body: isWhep ? sdp : JSON.stringify({ type: 'offer', sdp, stream: given.stream }),
    });
    const answer = await response.text();
    if (response.ok)
      await pc.setRemoteDescription({ type: 'answer', sdp: isWhep ? answer : JSON.parse(answer).sdp });
    return { status: response.status, answer, location: response.headers.get('location') };
  })(${JSON.stringify({ way, authorization, video, stream, readTimes })})`;
}

export const statsScript = `(async () => {
  for (const stats of (await pc.getStats()).values())
    if (stats.type === 'inbound-rtp')
      return { frames: stats.framesDecoded ?? 0, width: stats.frameWidth ?? 0, height: stats.frameHeight ?? 0 };
  return { frames: 0, width: 0, height: 0 };
})()`;
