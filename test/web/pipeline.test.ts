// The page of the pipelines with a real media process: what it shows is what the API tells.
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { RtspViewer } from '../support/RtspViewer.js';
import { basic, passwordOf, peoplePassword } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

const name = 'encode/stream1';
const graph = `/api/pipelines/graph?name=${encodeURIComponent(name)}`;

let browser: Browser;
let server: MediaServer;
let viewer: RtspViewer;
let web: WebPage;

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), mediaServer()]);
  viewer = new RtspViewer(server.rtsp());
  await viewer.more(1);
});
afterEach(async () => {
  await web.close();
  expect(web.faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await viewer.close();
  await server.stop();
});

function ask(
  path: string,
  username = 'admin',
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    headers: { authorization: basic(username, passwordOf(username)), ...headers },
  });
}

async function visitAs(username: string, options?: Parameters<typeof WebPage.openAs>[3]): Promise<void> {
  web = await WebPage.openAs(browser, server.url, username, options);
  await web.go('pipelines');
  await card().waitFor();
}

function card(): Locator {
  return web.page.locator(`[data-pipeline="${name}"]`);
}

function widthOfDrawing(): Promise<number> {
  return web.page.evaluate<number>(
    `(() => {
      const image = document.querySelector('[data-pipeline="${name}"] img');
      return image?.complete ? image.naturalWidth : 0;
    })()`,
  );
}

it('shows the drawing of a pipeline, as large as one likes, and the line to copy', async () => {
  await visitAs('admin');
  await expect.poll(widthOfDrawing).toBeGreaterThan(300);
  const natural = await widthOfDrawing();
  const image = card().locator('img');
  expect((await image.boundingBox())?.width).toBe(natural);
  await card()
    .getByRole('button', { name: `Smaller drawing of ${name}` })
    .click();
  await expect.poll(async () => (await image.boundingBox())?.width).toBeCloseTo(0.75 * natural, 0);
  await card().getByText('75 %').waitFor();

  const { pipelines } = (await (await ask('/api/pipelines')).json()) as {
    readonly pipelines: readonly { readonly name: string; readonly text: string }[];
  };
  const text = pipelines.find((pipeline) => pipeline.name === name)?.text ?? '';
  expect(text).toContain('x264enc');
  await card().getByText('Running').waitFor();
  await card().getByText('Restarts: 0').waitFor();
  expect((await card().locator('.launch code').innerText()).trim()).toBe(text);
  await web.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await card().getByRole('button', { name: 'Copy' }).click();
  await expect.poll(() => web.page.evaluate('navigator.clipboard.readText()')).toBe(text);
});

it('tells the same as text, element by element', async () => {
  await visitAs('viewer', { locale: 'de-DE' });
  await card().getByText('Elemente und Verbindungen als Text').click();
  const { elements, links } = (await (await ask(`${graph}&format=json`)).json()) as {
    readonly elements: readonly { readonly name: string; readonly factory: string }[];
    readonly links: readonly { readonly from: number; readonly to: number }[];
  };
  await card().locator('ol > li').first().waitFor();
  const told = await card().locator('ol > li').allInnerTexts();
  expect(told).toHaveLength(elements.length);
  for (const [index, element] of elements.entries()) {
    const words = told.find((each) => each.startsWith(`${element.name} ${element.factory}`));
    expect(words, element.name).toBeDefined();
    for (const { to } of links.filter(({ from }) => from === index))
      expect(words).toContain(`geht an ${elements[to]?.name ?? '?'}`);
  }
  // In the order of the flow.
  expect([told[0]?.includes('hubsrc'), told.at(-1)?.includes('hubsink')]).toEqual([true, true]);
});

it('is legible on dark ground, without barriers that axe knows of, and fits a narrow screen', async () => {
  await visitAs('admin', { bypassCSP: true });
  await card().locator('summary').click();
  await card().locator('ol > li').first().waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await web.page.emulateMedia({ colorScheme });
    await card().locator(`img[src*="theme=${colorScheme}"]`).waitFor();
    await expect.poll(widthOfDrawing).toBeGreaterThan(300);
    expect(await web.accessibilityFaults()).toEqual([]);
  }
  await web.page.setViewportSize({ width: 320, height: 640 });
  await expect.poll(() => web.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
});

it('draws for those who may see the system, and says to others what is missing', async () => {
  await server.change({ customRoles: { watcher: { permissions: ['Media_r'] } } });
  const account = { username: 'watcher', password: peoplePassword, role: 'watcher' };
  await fetch(`${server.url}/api/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basic('admin', passwordOf('admin')) },
    body: JSON.stringify(account),
  });
  await visitAs('watcher');
  await card().getByText('Needs System_r').waitFor();
  expect(await card().locator('img').count()).toBe(0);
  expect((await ask(`${graph}&format=json`, 'watcher')).status).toBe(403);
});

it('is drawn by the server in every form that somebody asks for', async () => {
  web = await WebPage.openAs(browser, server.url, 'guest');
  expect(await web.page.getByRole('link', { name: 'Pipelines' }).count()).toBe(0);
  const asJson = await ask(graph, 'admin', { accept: 'application/json' });
  expect(asJson.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(Object.keys((await asJson.json()) as object)).toEqual(['elements', 'links']);
  const [light, dark] = await Promise.all(
    ['light', 'dark'].map(async (theme) => await (await ask(`${graph}&format=svg&theme=${theme}`)).text()),
  );
  const withoutColours = (svg = ''): string => svg.replaceAll(/#[\da-f]{6}/g, '#');
  expect(dark).not.toBe(light);
  expect(withoutColours(dark)).toBe(withoutColours(light));
  expect((await ask(`${graph}&format=svg&theme=neon`)).status).toBe(400);
  expect((await ask(graph.replace('stream1', 'stream9'))).status).toBe(404);
});

it('says that a pipeline rests when nobody watches any more, without being asked anew', async () => {
  await visitAs('admin');
  await viewer.close();
  await card().getByText('Idle').waitFor({ timeout: 20_000 });
  await card().getByText('There is nothing to draw').waitFor();
  expect(await card().locator('img').count()).toBe(0);
});
