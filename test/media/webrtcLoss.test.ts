// A browser behind a network that loses packets: what can be sent again is, and what cannot is made good by a keyframe.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { LossyRelay } from '../support/LossyRelay.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { adminPassword } from '../support/runningServer.js';
import { offerScript } from '../support/WebPlayer.js';

let server: MediaServer;
let browser: Browser;
let page: Page;
let relay: LossyRelay;
/** Of the packets that are sent again. */
let repairType = -1;
const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;

beforeAll(async () => {
  server = await mediaServer();
  // Keyframes by the clock come only every 120 pictures.
  await server.change({ webrtcEnabled: true, streamLatencyMode: 'high' });
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await server.stop();
});
afterEach(async () => {
  await page.close();
  relay.close();
});

async function play(): Promise<void> {
  page = await browser.newPage();
  await page.goto(`${server.url}/livez`);
  const offer = await page.evaluate<string>(offerScript);
  const response = await fetch(`${server.url}/api/whep/stream1`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/sdp' },
    // Without addresses of its own, it is found by the way it comes, which is the relay.
    body: offer.replaceAll(/^a=candidate:.*\r?\n/gm, ''),
  });
  expect(response.status).toBe(201);
  const before = await LossyRelay.before(await response.text());
  relay = before.relay;
  repairType = Number(/^a=rtpmap:(\d+) rtx\//m.exec(before.answer)?.[1] ?? -1);
  await page.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(before.answer)} })`);
}

interface Received {
  readonly framesDecoded: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly retransmittedPacketsReceived: number;
}

function received(): Promise<Received> {
  return page.evaluate<Received>(`(async () => {
    const none = { framesDecoded: 0, nackCount: 0, pliCount: 0, retransmittedPacketsReceived: 0 };
    for (const stats of (await pc.getStats()).values())
      if (stats.type === 'inbound-rtp') return { ...none, ...stats };
    return none;
  })()`);
}

const decoded = async (atLeast: number): Promise<void> => {
  await expect
    .poll(async () => (await received()).framesDecoded, { timeout: 20_000 })
    .toBeGreaterThanOrEqual(atLeast);
};
const channel = () => server.media?.report().channels['stream1'] ?? { frames: 0, keyframes: 0 };

it('is sent again what it misses', async () => {
  await play();
  await decoded(20);
  const before = await received();
  const { keyframes } = channel();
  relay.loses = ({ serial }) => serial % 15 === 0;
  await decoded(before.framesDecoded + 100);
  relay.loses = () => false;
  await decoded(before.framesDecoded + 120);
  const after = await received();
  expect(relay.lost).toBeGreaterThan(10);
  expect(after.nackCount).toBeGreaterThan(before.nackCount);
  // Those that were sent again may have been lost again, and again sent.
  expect(after.retransmittedPacketsReceived - before.retransmittedPacketsReceived).toBeGreaterThan(
    relay.lost / 2,
  );
  // Nobody needed a keyframe for it: 120 pictures have one or two by the clock.
  expect(channel().keyframes - keyframes).toBeLessThanOrEqual(2);
}, 60_000);

it('gets a keyframe where sending again does not help', async () => {
  await play();
  await decoded(20);
  // Begin right after a keyframe, so that the next by the clock is far away.
  const { keyframes } = channel();
  await expect.poll(() => channel().keyframes, { timeout: 15_000 }).toBeGreaterThan(keyframes);
  const began = channel();
  const before = await received();
  const type = repairType;
  let toLose = 1;
  relay.loses = ({ payloadType }) => {
    if (payloadType === type) return true;
    toLose -= 1;
    return toLose >= 0;
  };
  await expect
    .poll(async () => (await received()).pliCount, { timeout: 15_000 })
    .toBeGreaterThan(before.pliCount);
  await expect.poll(() => channel().keyframes).toBeGreaterThan(began.keyframes);
  expect(channel().frames - began.frames).toBeLessThan(110);
  relay.loses = () => false;
  const { framesDecoded } = await received();
  await decoded(framesDecoded + 30);
}, 60_000);

it('is not sent again more than its share of the stream, however much it asks for', async () => {
  await play();
  await decoded(20);
  const type = repairType;
  const sent = { first: 0, again: 0 };
  relay.loses = ({ payloadType, serial }) => {
    if (payloadType === type) sent.again += 1;
    else sent.first += 1;
    return payloadType === type || serial % 2 === 0;
  };
  await expect.poll(() => sent.first, { timeout: 30_000 }).toBeGreaterThan(600);
  expect(sent.again).toBeGreaterThan(150);
  // A quarter, and what is spared for a large keyframe.
  expect(sent.again).toBeLessThan(0.25 * sent.first + 200 + 20);
}, 60_000);
