import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { freePorts, listeningSomewhere } from '../support/ports.js';
import { runningServer } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

let browser: Browser;
let server: MediaServer;
let web: WebPage;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-live-'));
  const [httpPort] = await freePorts(1);
  [browser, server] = await Promise.all([launchBrowser(), mediaServer({ httpPort }, folder)]);
});
beforeEach(async () => {
  await server.change({ webrtcEnabled: true });
});
afterEach(async () => {
  await web.close();
  expect(web.faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function transport(name: string) {
  return web.page.locator(`.transport[data-transport="${name}"]`);
}

/** Of the overlay. */
async function figure(name: string): Promise<number> {
  const words = await web.page.locator(`[data-figure="${name}"]`).innerText();
  return Number(/\d+/.exec(words)?.[0] ?? Number.NaN);
}

async function mjpegShown(): Promise<boolean> {
  return await web.page.evaluate<boolean>('document.querySelector(".stage img")?.naturalWidth > 0');
}

/** How wide the picture is that can be seen, and not only is decoded; 0 while all of it is black. */
function seenWidth(): Promise<number> {
  return web.page.evaluate<number>(`(() => {
    const video = document.querySelector('.stage video');
    if (video.readyState < video.HAVE_CURRENT_DATA || video.videoWidth === 0) return 0;
    const context = new OffscreenCanvas(16, 9).getContext('2d');
    context.drawImage(video, 0, 0, 16, 9);
    const pixels = context.getImageData(0, 0, 16, 9).data;
    return pixels.some((value, place) => place % 4 !== 3 && value > 100) ? video.videoWidth : 0;
  })()`);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 20_000, interval: 100 }).toBe(true);
}

describe('the live picture', () => {
  it('plays over WebRTC without a click, with figures, and on the other stream', async () => {
    web = await WebPage.openAs(browser, server.url, 'viewer');
    await transport('webrtc').waitFor();
    await web.page.keyboard.press('i');
    await until(async () => (await figure('decoded')) > 0);
    const before = await figure('decoded');
    await until(async () => (await figure('decoded')) > before);
    await until(async () => (await figure('width')) === 640);
    expect(await web.page.locator('[data-figure="codec"]').innerText()).toBe('H264');
    await web.page.getByRole('button', { name: 'Second stream' }).click();
    await until(async () => (await figure('width')) === 1280);
    await transport('webrtc').waitFor();
    await web.page.getByRole('button', { name: 'Close' }).click();
    await web.page.locator('[data-figure]').first().waitFor({ state: 'detached' });
  });

  it('is seen after each change of the stream, also of one that begins to run only then', async () => {
    web = await WebPage.openAs(browser, server.url, 'viewer');
    const isIdle = (stream: string): boolean =>
      server.pipelines().find(({ name }) => name === `encode/${stream}`)?.state !== 'running';
    await until(async () => (await seenWidth()) === 640);
    await until(() => Promise.resolve(isIdle('stream2')));
    for (let round = 0; round < 2; round += 1) {
      await web.page.getByRole('button', { name: 'Second stream' }).click();
      await until(async () => (await seenWidth()) === 1280);
      await web.page.getByRole('button', { name: 'Main stream' }).click();
      await until(async () => (await seenWidth()) === 640);
    }
  });

  it('has no barriers that axe knows of, with the figures over it', async () => {
    web = await WebPage.openAs(browser, server.url, 'admin', { bypassCSP: true });
    await transport('webrtc').waitFor();
    await web.page.keyboard.press('i');
    await web.page.locator('[data-figure="decoded"]').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await web.page.emulateMedia({ colorScheme });
      expect(await web.accessibilityFaults()).toEqual([]);
    }
  });

  it('comes as MJPEG where WebRTC is off, and goes over to it when it is switched on', async () => {
    await server.change({ webrtcEnabled: false });
    web = await WebPage.openAs(browser, server.url, 'viewer');
    await transport('mjpeg')
      .getByText(/WebRTC is switched off/)
      .waitFor();
    await until(mjpegShown);
    // Whoever looks at another page fetches no pictures.
    await web.go('settings');
    await until(async () => server.media?.pictures.list().length === 0);
    await web.go('live');
    await until(mjpegShown);
    await web.page.getByText('This stream is not being encoded now').waitFor();
    await transport('mjpeg').getByText('Needs Media_rw').waitFor();
    const operator = await WebPage.openAs(browser, server.url, 'operator');
    await operator.page.getByRole('button', { name: 'Switch WebRTC on' }).click();
    await operator.page.locator('.transport[data-transport="webrtc"]').waitFor();
    await operator.close();
    await transport('webrtc').waitFor();
    await web.page.getByText('H264 · 640 × 360').waitFor();
    await web.page.getByText('This stream is not being encoded now').waitFor({ state: 'detached' });
  });

  it('comes as MJPEG where the server refuses WebRTC, with its reason', async () => {
    // Browsers that have gone are noticed only after a while.
    for (const { viewer } of server.media?.webrtc.list() ?? []) await server.media?.webrtc.end(viewer);
    await server.change({ webrtcMaxSessions: 1 });
    const first = await WebPage.openAs(browser, server.url, 'admin');
    await first.page.locator('.transport[data-transport="webrtc"]').waitFor();
    web = await WebPage.openAs(browser, server.url, 'viewer');
    await transport('mjpeg')
      .getByText(/the server refused WebRTC: ./)
      .waitFor();
    await until(mjpegShown);
    await first.close();
    await server.change({ webrtcMaxSessions: 10 });
    await until(async () => {
      await web.page
        .getByRole('button', { name: 'Try WebRTC again' })
        .click({ timeout: 1000 })
        .catch(() => undefined);
      return (await transport('webrtc').count()) === 1;
    });
  });

  it('comes as MJPEG where WebRTC shows nothing, after a few seconds', async () => {
    web = await WebPage.open(browser, server.url);
    // Everything goes as it should, but no picture is ever decoded.
    await web.page.addInitScript('RTCPeerConnection.prototype.getStats = () => Promise.resolve(new Map());');
    await web.page.reload();
    await web.logIn('viewer');
    await transport('mjpeg')
      .getByText(/no picture came over WebRTC/)
      .waitFor();
    await until(mjpegShown);
  });

  it('can be kept as a photo, by a key as well', async () => {
    web = await WebPage.openAs(browser, server.url, 'admin');
    await transport('webrtc').waitFor();
    await web.page.keyboard.press('s');
    const link = web.page.locator('#snapshot-result a');
    await link.waitFor();
    const answer = await web.page.request.get(`${server.url}${(await link.getAttribute('href')) ?? ''}`);
    expect(answer.headers()['content-type']).toMatch(/^image\//);
  });
});

describe('a change that cannot be carried out', () => {
  it('says why, and the value returns', async () => {
    const taken = await listeningSomewhere();
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    web = await WebPage.openAs(browser, server.url, 'admin');
    await web.go('settings/rtsp');
    const row = web.setting('rtspPort');
    await row.locator('#rtspPort').fill(String(port));
    await web.page.keyboard.press('Enter');
    await row.getByText(/Not applied: ./).waitFor();
    expect(await row.locator('#rtspPort').inputValue()).toBe(String(server.rtspPort));
    expect(await web.setting('rtspEnabled').getAttribute('data-state')).toBe('none');
    taken.close();
  });
});

describe('who watches', () => {
  it('is listed with what is known of them, and can be sent away', async () => {
    const watcher = await WebPage.openAs(browser, server.url, 'viewer');
    await watcher.page.locator('.transport[data-transport="webrtc"]').waitFor();
    web = await WebPage.openAs(browser, server.url, 'admin');
    await web.go('streams');
    const row = web.page.locator('[data-watcher]', { hasText: 'viewer' });
    // Those of before have gone.
    await until(async () => (await row.count()) === 1);
    await row.getByText('WEBRTC', { exact: true }).waitFor();
    await web.page
      .getByText(`rtsp://127.0.0.1:${String(server.rtspPort)}/stream1`, { exact: true })
      .waitFor();
    const id = (await row.getAttribute('data-watcher')) ?? '';
    await row.getByRole('button', { name: 'End' }).click();
    await web.page.locator(`[data-watcher="${id}"]`).waitFor({ state: 'detached' });
    await watcher.close();
  });
});

describe('a server that stops and starts', () => {
  it('is found again, and the picture with it, without anybody doing anything', async () => {
    web = await WebPage.openAs(browser, server.url, 'admin');
    await until(async () => (await seenWidth()) === 640);
    const opacity = (): Promise<string> =>
      web.page.evaluate<string>('getComputedStyle(document.querySelector(".stage video")).opacity');
    expect(await opacity()).toBe('1');
    const { httpPort, rtspPort } = server;
    await server.stop();
    await web.page.getByText('Connection lost.').waitFor();
    expect(await opacity()).not.toBe('1');
    expect(await web.page.evaluate('getComputedStyle(document.querySelector(".health")).filter')).not.toBe(
      'none',
    );
    expect(await web.page.getByRole('button', { name: 'Take a photo' }).isDisabled()).toBe(true);
    const again = await runningServer({ folder, environment: { media: true, httpPort, rtspPort } });
    server = { ...server, ...again };
    await web.page.getByText('Connection lost.').waitFor({ state: 'detached' });
    await until(async () => (await seenWidth()) === 640);
    await transport('webrtc').waitFor();
    expect(await opacity()).toBe('1');
  });
});
