import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { query } from '../../src/web/gallery/items.js';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { WebPage } from '../support/WebPage.js';

const day = 86_400_000;
const stored = 70;
let folder: string;
let browser: Browser;
let server: MediaServer;
const opened: WebPage[] = [];

/** Photos of earlier days, one a day, are there before the server starts. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-gallery-'));
  const photos = join(folder, 'photos');
  await mkdir(photos);
  const first = join(photos, 'day-00.jpg');
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=640x360'],
    ...['-frames:v', '1', first],
  ]);
  for (let age = stored - 1; age >= 0; age -= 1) {
    const path = join(photos, `day-${String(age).padStart(2, '0')}.jpg`);
    if (path !== first) await copyFile(first, path);
    const taken = new Date(Date.now() - (age + 1) * day);
    await utimes(path, taken, taken);
  }
  [browser, server] = await Promise.all([launchBrowser(), mediaServer({ dataFolder: folder })]);
});
afterEach(async () => {
  const faults = opened.flatMap((page) => page.faults);
  await Promise.all(opened.splice(0).map((page) => page.close()));
  expect(faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function visitAs(username: string, viewport = { width: 1280, height: 720 }): Promise<WebPage> {
  const web = await WebPage.openAs(browser, server.url, username, { bypassCSP: true, viewport });
  opened.push(web);
  await web.go('gallery');
  await web.page.locator('[data-key]').first().waitFor();
  return web;
}

function photo(web: WebPage, name: string) {
  return web.page.locator(`[data-key="photos/${name}.jpg"]`);
}

it('shows the newest photos small, the rest on demand, and fetches what is looked at', async () => {
  const web = await visitAs('viewer', { width: 320, height: 500 });
  const { page } = web;
  const all = page.locator('[data-key]');
  expect(await all.count()).toBe(60);
  expect(await all.first().getAttribute('data-key')).toBe('photos/day-00.jpg');
  await page.waitForFunction("document.querySelector('[data-key] img').naturalWidth === 480");
  expect(web.requests.some((address) => address.includes('/files/'))).toBe(false);
  expect(web.requests.some((address) => address.includes('day-59'))).toBe(false);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
  await page.getByRole('button', { name: 'Show older photos' }).click();
  await expect.poll(() => all.count()).toBe(stored);
  // What one may not do is there, and says what it takes.
  await page.getByText('Needs Storage_rw').waitFor();
  expect(await page.getByRole('button', { name: 'Select all' }).isDisabled()).toBe(true);
});

it('opens one large, goes on by the arrow keys, and gives it to keep', async () => {
  const web = await visitAs('admin');
  const { page } = web;
  await photo(web, 'day-00').getByRole('button').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('day-00.jpg').waitFor();
  await page.waitForFunction("document.querySelector('dialog img').naturalWidth === 640");
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await web.accessibilityFaults()).toEqual([]);
  }
  expect(await dialog.getByRole('button', { name: 'Newer' }).isDisabled()).toBe(true);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await dialog.getByText('day-02.jpg').waitFor();
  await page.keyboard.press('ArrowLeft');
  await dialog.getByText('day-01.jpg').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('link', { name: 'Download' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('day-01.jpg');

  // Deleting goes on to the next one.
  await page.keyboard.press('Delete');
  await page.getByText('Delete day-01.jpg?').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('dialog').last().getByRole('button', { name: 'Delete' }).click();
  await dialog.getByText('day-02.jpg').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await photo(web, 'day-01').waitFor({ state: 'detached' });
});

it('takes a photo, and shows it at once wherever somebody looks', async () => {
  const elsewhere = await visitAs('viewer');
  const web = await visitAs('operator');
  await web.page.getByRole('button', { name: 'Take a photo' }).click();
  const newest = 'photos/20';
  await web.page.locator(`[data-key^="${newest}"]`).first().waitFor();
  await elsewhere.page.locator(`[data-key^="${newest}"]`).first().waitFor();
  await elsewhere.page.getByText(/^New photo: /).waitFor();
});

it('finds photos by day, and says where there are none', async () => {
  const web = await visitAs('viewer');
  const { page } = web;
  const local = (age: number): string => {
    const date = new Date(Date.now() - age * day);
    const two = (part: number): string => String(part).padStart(2, '0');
    return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  };
  await page.getByLabel('From', { exact: true }).fill(local(11));
  await page.getByLabel('To', { exact: true }).fill(local(10));
  await expect.poll(() => page.locator('[data-key]').count()).toBe(2);
  await page.getByRole('combobox', { name: 'Camera' }).selectOption('Both cameras');
  await page.getByText('No photo matches.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect.poll(() => page.locator('[data-key]').count()).toBe(60);
});

it('deletes several after being asked, and tells which could not be', async () => {
  const web = await visitAs('admin');
  const { page } = web;
  for (const name of ['day-05', 'day-06', 'day-07'])
    await photo(web, name).getByRole('checkbox').press('Space');
  await page.getByRole('button', { name: 'Delete 3' }).click();
  await page.getByText('Delete 3 photos?').waitFor();
  // Somebody else has been faster with one of them.
  await rm(join(folder, 'photos/day-06.jpg'));
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('photos/day-06.jpg: There is no such file').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  for (const name of ['day-05', 'day-06', 'day-07']) await photo(web, name).waitFor({ state: 'detached' });
});

it('asks for whole days, also where a day has not 24 hours', () => {
  const asked = new URLSearchParams(query({ from: '2026-03-29', to: '2026-03-29', source: 'scene' }, 61));
  expect(asked.get('source')).toBe('scene');
  const begin = new Date(Number(asked.get('since')));
  const end = new Date(Number(asked.get('before')));
  expect([begin.getHours(), begin.getDate(), end.getHours(), end.getDate()]).toEqual([0, 29, 0, 30]);
  expect(query({ from: '', to: '', source: '' }, 5)).toBe('limit=5');
});
