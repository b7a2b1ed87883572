// The charts with a real media process: what they show is what the server has kept and tells.
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { RtspViewer } from '../support/RtspViewer.js';
import { basic, passwordOf, peoplePassword } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

type Columns = Readonly<Record<string, readonly number[]>>;
type Row = ReadonlyMap<string, string>;

interface Decision {
  readonly kind: string;
  readonly stream: string;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

let browser: Browser;
let server: MediaServer;
let viewer: RtspViewer;
let web: WebPage;

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), mediaServer()]);
  viewer = new RtspViewer(server.rtsp());
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

function ask(path: string, username = 'admin'): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    headers: { authorization: basic(username, passwordOf(username)) },
  });
}

async function visitAs(username: string, options?: Parameters<typeof WebPage.openAs>[3]): Promise<void> {
  web = await WebPage.openAs(browser, server.url, username, options);
  await web.go('statistics');
  await web.page.locator('[data-panel="stream1"]').waitFor();
}

/** What the charts hold, by time, as the page saves it. */
async function saved(): Promise<ReadonlyMap<string, Row>> {
  const [download] = await Promise.all([
    web.page.waitForEvent('download'),
    web.page.getByRole('button', { name: 'Save as CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^obscura-statistics-.*\.csv$/);
  const [head = '', ...lines] = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n');
  const names = head.split(',').map((name) => name.replace(/ \(.*\)$/, ''));
  return new Map(
    lines.map((line) => {
      const cells = line.split(',');
      return [cells[0] ?? '', new Map(names.map((name, index) => [name, cells[index] ?? '']))];
    }),
  );
}

async function history(): Promise<Columns> {
  return ((await (await ask('/api/statistics/history')).json()) as { readonly columns: Columns }).columns;
}

async function decisions(): Promise<readonly Decision[]> {
  const answer = await ask('/api/adaptive/decisions');
  return ((await answer.json()) as { readonly decisions: readonly Decision[] }).decisions;
}

/** Every figure of every second that the charts hold is the one that the server has kept. */
function expectKept(rows: ReadonlyMap<string, Row>, columns: Columns): void {
  const times = columns['at'] ?? [];
  for (const [time, row] of rows) {
    const index = times.indexOf(Date.parse(time));
    expect(index, time).toBeGreaterThanOrEqual(0);
    for (const [name, cell] of row) {
      if (name === 'time' || name === 'decisions') continue;
      const value = columns[name]?.[index];
      // Zero is how the server says that it knows nothing of the ways.
      const isUnknown = ['available', 'loss', 'rtt', 'jitter'].includes(name) && value === 0 && cell === '';
      if (!isUnknown) expect([time, name, cell]).toEqual([time, name, String(value)]);
    }
  }
}

/** How many pixels of a chart have this colour of tokens.css. */
function pixels(panel: string, token: string): Promise<number> {
  return web.page.evaluate<number>(`(() => {
    const probe = document.createElement('span');
    probe.style.color = 'var(--${token})';
    document.body.append(probe);
    const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
    probe.remove();
    const canvas = document.querySelector('[data-panel="${panel}"] canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255 && wanted.every((part, index) => data[at + index] === part)) count += 1;
    return count;
  })()`);
}

function slider(panel: string) {
  return web.page.locator(`[data-panel="${panel}"] [role="slider"]`);
}

it('show what the server has kept and what it tells, and the same after a reload', async () => {
  await visitAs('operator');
  // From here on everything comes as it happens.
  await web.page.route('**/api/statistics/history*', (route) => route.abort());
  const before = await saved();
  await expect.poll(async () => (await saved()).size, { interval: 500 }).toBeGreaterThan(before.size + 2);
  const rows = await saved();
  expectKept(rows, await history());
  expect([...rows.values()].some((row) => Number(row.get('stream1.bitrate')) > 100_000)).toBe(true);
  expect([...rows.values()].some((row) => Number(row.get('cpu.video')) > 0)).toBe(true);

  await web.page.unroute('**/api/statistics/history*');
  const open = new Set<() => void>();
  let isCut = false;
  await web.page.routeWebSocket(/.*/, (socket) => {
    const end = (): void => void socket.close();
    if (isCut) {
      end();
      return;
    }
    socket.connectToServer();
    open.add(end);
  });
  await web.page.reload();
  await web.page.locator('[data-panel="stream1"]').waitFor();
  const after = await saved();
  expectKept(after, await history());
  expect([...rows.keys()].filter((time) => !after.has(time))).toEqual([]);

  // What was told while the connection was lost is caught up with.
  isCut = true;
  for (const end of open) end();
  await web.page.getByText('Connection lost.').waitFor();
  isCut = false;
  await web.page.getByText('Connection lost.').waitFor({ state: 'detached' });
  await expect.poll(async () => (await saved()).size, { interval: 500 }).toBeGreaterThan(after.size + 2);
  const all = await saved();
  const last = Date.parse([...all.keys()].at(-1) ?? '');
  const kept = ((await history())['at'] ?? []).filter((at) => at <= last);
  expect([...all.keys()].map((time) => Date.parse(time))).toEqual(kept);
});

it('can be read at one moment by keys and by pointer, in all charts at once, and stand still on demand', async () => {
  await visitAs('viewer', { locale: 'de-DE' });
  await web.page.getByRole('button', { name: 'Anhalten' }).click();
  const figure = web.page.locator('[data-figure="stream1.bitrate"]');
  const newest = (await figure.innerText()).trim();
  const table = web.page.locator('[data-summary="stream1.bitrate"]');
  expect((await table.locator('[data-column="now"]').innerText()).trim()).toBe(newest);
  await slider('loss').focus();
  for (let step = 0; step < 2; step += 1) await web.page.keyboard.press('ArrowLeft');
  const moments = await web.page.evaluate<string[]>(
    '[...document.querySelectorAll("[role=slider]")].map((each) => each.ariaValueNow)',
  );
  expect(moments).toHaveLength(8);
  expect(new Set(moments).size).toBe(1);
  expect(Number(moments[0])).toBeLessThan(0);
  // What is said is what is shown.
  const said = (await slider('stream1').getAttribute('aria-valuetext')) ?? '';
  expect(said).toContain(`Tatsächlich: ${(await figure.innerText()).trim()}`);
  await web.page.keyboard.press('Escape');
  await expect.poll(() => slider('stream1').getAttribute('aria-valuetext')).toBe('jetzt');
  // Nothing moves on, whatever the server tells.
  expect((await figure.innerText()).trim()).toBe(newest);
  const box = await slider('fps').boundingBox();
  if (box === null) throw new Error('no chart');
  await web.page.mouse.move(box.x + box.width - 34, box.y + box.height / 2);
  await expect.poll(() => slider('cpu').getAttribute('aria-valuetext')).toMatch(/\d\d:\d\d:\d\d, Video: \d/);
  await web.page.mouse.move(0, 0);
  await expect.poll(() => slider('cpu').getAttribute('aria-valuetext')).toBe('jetzt');
});

it('mark a decision of the adaptive loop with its reason', async () => {
  await visitAs('admin');
  const bounds = server.store.get('adaptiveBitrate');
  const low = 600_000;
  await expect.poll(() => server.store.get('adaptiveState').active).toBe(true);
  await server.change({ adaptiveBitrate: { ...bounds, min: 500_000, max: low } });
  const made = async (): Promise<Decision | undefined> =>
    (await decisions()).find(({ stream, to }) => stream === 'stream1' && to === low);
  await expect.poll(made).toMatchObject({ kind: 'bitrate', from: 1_000_000 });
  const { reason = '' } = (await made()) ?? {};
  expect(reason).not.toBe('');
  const entry = web.page.locator('[data-decision]', { hasText: 'Lowered from 1 Mbit/s to 600 kbit/s' });
  await entry.getByText(reason).waitFor();
  // Without anybody looking there, the newest one is told beneath its chart.
  await web.page.locator('[data-panel="stream1"]').getByText(reason).waitFor();
  expect(await pixels('stream1', 'accent')).toBe(0);
  await entry.getByRole('button').focus();
  await web.page.keyboard.press('Enter');
  expect(await entry.getByRole('button').getAttribute('aria-pressed')).toBe('true');
  await expect.poll(() => pixels('stream1', 'accent')).toBeGreaterThan(50);
  await expect
    .poll(async () => [...(await saved()).values()].some((row) => row.get('decisions')?.includes(reason)))
    .toBe(true);
  await server.change({ adaptiveBitrate: bounds });
  await web.page.locator('[data-decision]', { hasText: /Raised from 600 kbit\/s/ }).waitFor();

  await web.page.reload();
  await entry.getByText(reason).waitFor();
});

it('have the colours of the theme, no barriers that axe knows of, and fit a narrow screen and fingers', async () => {
  await visitAs('admin', { bypassCSP: true, hasTouch: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await web.page.emulateMedia({ colorScheme });
    await expect.poll(() => pixels('fps', 'series-2')).toBeGreaterThan(5);
    expect(await web.accessibilityFaults()).toEqual([]);
  }
  await web.page.setViewportSize({ width: 320, height: 640 });
  await expect.poll(() => web.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
  const canvas = web.page.locator('[data-panel="fps"] canvas');
  await expect.poll(async () => (await canvas.boundingBox())?.width ?? 999).toBeLessThan(320);
  // What a finger has chosen stays until somebody wants the present back.
  await slider('fps').tap();
  await expect.poll(() => slider('loss').getAttribute('aria-valuetext')).toMatch(/\d:\d\d:\d\d/);
  await web.page.getByRole('button', { name: 'Back to now' }).tap();
  await expect.poll(() => slider('loss').getAttribute('aria-valuetext')).toBe('now');
});

it('tell nobody more than they may know', async () => {
  const headers = { 'content-type': 'application/json', authorization: basic('admin', passwordOf('admin')) };
  await server.change({ customRoles: { watcher: { permissions: ['Media_r'] } } });
  const account = { username: 'watcher', password: peoplePassword, role: 'watcher' };
  const created = await fetch(`${server.url}/api/users`, {
    method: 'POST',
    headers,
    body: JSON.stringify(account),
  });
  expect(created.status).toBe(201);
  await visitAs('watcher');
  await web.page.getByText('Needs one of System_r, System_rw').waitFor();
  expect(await web.page.locator('[data-panel="cpu"]').count()).toBe(0);
  const columns = Object.keys(
    ((await (await ask('/api/statistics/history', 'watcher')).json()) as { readonly columns: Columns })
      .columns,
  );
  expect(columns).toContain('stream1.fps');
  expect(columns.filter((name) => name.startsWith('cpu'))).toEqual([]);
  expect((await ask('/api/adaptive/decisions', 'guest')).status).toBe(403);
  expect((await ask('/api/adaptive/decisions?since=-1')).status).toBe(400);
  const later = await ask(`/api/adaptive/decisions?since=${String(Date.now() + 60_000)}`);
  expect(await later.json()).toEqual({ decisions: [] });
});
