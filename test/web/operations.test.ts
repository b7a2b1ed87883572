import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadCertificate } from '../../src/access/certificate.js';
import { LogMemory } from '../../src/system/logMemory.js';
import { launchBrowser } from '../support/browser.js';
import { HookReceiver } from '../support/HookReceiver.js';
import { freePorts } from '../support/ports.js';
import { basic, passwordOf, runningServer, type TestServer } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

let browser: Browser;
let server: TestServer;
let folder: string;
let port: number;
const recentLog = new LogMemory();
const opened: WebPage[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-operations-'));
  [port = 0] = await freePorts(1);
  [browser, server] = await Promise.all([launchBrowser(), start({ people: true })]);
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

function start(options: { readonly people?: boolean } = {}): Promise<TestServer> {
  return runningServer({
    ...{ folder, recentLog, environment: { httpPort: port } },
    onRestart: () => void restart(),
    ...options,
  });
}

let restarts = 0;

async function restart(): Promise<void> {
  await server.stop();
  server = await start();
  restarts += 1;
}

async function visitAs(username: string, place: string, options: object = {}): Promise<WebPage> {
  const web = await WebPage.openAs(browser, server.url, username, options);
  opened.push(web);
  await web.go(place);
  return web;
}

async function ask(method: string, path: string, body: unknown, username = 'admin'): Promise<Response> {
  return await fetch(server.url + path, {
    method,
    headers: { 'content-type': 'application/json', authorization: basic(username, passwordOf(username)) },
    body: JSON.stringify(body),
  });
}

async function change(values: Readonly<Record<string, unknown>>, username?: string): Promise<number> {
  return (await ask('PATCH', '/api/state', { set: values }, username)).status;
}

async function downloaded(page: Page, act: () => Promise<void>): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return await readFile(await download.path(), 'utf8');
}

describe('the audit', () => {
  it('tells what came of what somebody did as it happens, is filtered and saved, and goes back by pages', async () => {
    for (let hue = 1; hue <= 60; hue += 1) await change({ hue });
    const web = await visitAs('viewer', 'log');
    const { page } = web;
    const entries = page.locator('[data-seq]');
    await entries.first().waitFor();
    // Those of which a viewer may not know are left out of each page.
    const first = await entries.count();
    expect(first).toBeLessThanOrEqual(50);
    await page.getByRole('button', { name: 'Older entries' }).click();
    await expect.poll(() => entries.count()).toBeGreaterThan(first);

    expect(await change({ streamBitrate: 3_000_000 }, 'viewer')).toBe(403);
    expect(await change({ streamBitrate: 4_000_000 }, 'operator')).toBe(200);
    await entries.filter({ hasText: 'operator' }).getByText('4 Mbit/s').waitFor();
    await page.locator('[data-outcome=refused]').getByText('You may not change streamBitrate').waitFor();

    await page.getByLabel('Setting').fill('bitrate');
    await page.getByLabel('Setting').press('Enter');
    await expect.poll(() => entries.count()).toBe(2);
    await page.getByLabel('Outcome').selectOption('Refused');
    await expect.poll(() => entries.count()).toBe(1);
    const csv = await downloaded(page, () => page.getByRole('button', { name: 'Export CSV' }).click());
    expect(csv.trim().split('\r\n')).toHaveLength(2);
    expect(csv).toContain(',viewer,http,127.0.0.1,refused,streamBitrate,,3000000,');
    const json = await downloaded(page, () => page.getByRole('button', { name: 'Export JSON' }).click());
    expect(JSON.parse(json)).toMatchObject([{ by: 'viewer', outcome: 'refused' }]);
    await page.getByLabel('Person').fill('nobody');
    await page.getByLabel('Person').press('Tab');
    await page.getByText('Nothing matches this filter.').waitFor();
    await page.getByRole('button', { name: 'Clear filter' }).click();
    await expect.poll(() => entries.count()).toBeGreaterThan(40);
    // Settings of the network are not there for a viewer.
    await change({ hostname: 'elsewhere' });
    await change({ httpsServerEnabled: true });
    await change({ hue: 3 });
    await entries.first().getByText('hue').waitFor();
    expect(await page.locator('main').textContent()).not.toMatch(/hostname|Host name/);
  });

  it('takes back one’s own last change after showing it, and says why it cannot', async () => {
    const web = await visitAs('operator', 'log');
    const { page } = web;
    await change({ lightIntensity: 40 }, 'operator');
    await change({ lightIntensity: 20 }, 'operator');
    const open = page.getByRole('button', { name: 'Undo my last change' });
    await open.click();
    const dialog = page.getByRole('dialog');
    const row = dialog.locator('[data-diff=lightIntensity]');
    await expect.poll(() => row.locator('td').allTextContents()).toEqual(['20 %', '40 %']);
    // Esc does nothing, and the focus is where it was.
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(server.store.get('lightIntensity')).toBe(20);
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toMatch(/^Undo my/);
    await page.keyboard.press('Enter');
    await row.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => server.store.get('lightIntensity')).toBe(40);
    await change({ lightIntensity: 77 });
    await open.click();
    await dialog.getByText(/cannot be undone: lightIntensity has been changed since/).waitFor();
    expect(await dialog.getByRole('button', { name: 'Undo', exact: true }).count()).toBe(0);
  });
});

describe('the server log', () => {
  const write = (level: number, msg: string, more: object = {}): void => {
    recentLog.add(JSON.stringify({ level, time: Date.now(), msg, ...more }));
  };

  it('is read as it is written, held still, searched and saved, and only what is in sight is in the document', async () => {
    for (let at = 0; at < 1990; at += 1) write(30, `line ${String(at)}`);
    write(50, 'the cable is out', { part: 'camera', port: 'usb-3' });
    const web = await visitAs('viewer', 'log/server');
    const { page } = web;
    const rows = page.locator('[role=option]');
    await rows.filter({ hasText: 'the cable is out' }).waitFor();
    expect(await rows.count()).toBeLessThan(100);
    expect(Number(await rows.first().getAttribute('aria-setsize'))).toBeGreaterThan(1990);
    write(40, 'it flickers');
    await rows.filter({ hasText: 'it flickers' }).waitFor();

    await page.getByRole('button', { name: 'Pause' }).click();
    write(40, 'it flickers again');
    await page.getByRole('button', { name: /Continue ?\+1/ }).waitFor();
    expect(await rows.filter({ hasText: 'flickers again' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Continue' }).click();
    await rows.filter({ hasText: 'flickers again' }).waitFor();

    await page.getByLabel('Show').selectOption('error and worse');
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel('Show').selectOption('Everything');
    // Also what stands beside the message.
    await page.getByRole('searchbox').fill('USB-3');
    await expect.poll(() => rows.count()).toBe(1);
    const text = await downloaded(page, () => page.getByRole('button', { name: 'Download' }).click());
    expect(text).toMatch(/^\d{4}-.*Z ERROR the cable is out \{"part":"camera","port":"usb-3"\}\n$/);
    await page.getByRole('searchbox').fill('');

    const list = page.getByRole('listbox');
    await list.focus();
    await page.keyboard.press('Home');
    await page.locator('[aria-selected=true]').waitFor();
    expect(await page.locator('[aria-selected=true]').getAttribute('aria-posinset')).toBe('1');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.locator('pre', { hasText: 'usb-3' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('pre').waitFor({ state: 'detached' });

    // How much is written is not a viewer's to say.
    expect(await page.getByLabel('Written from').isDisabled()).toBe(true);
    await page.getByText('Changing how much is written needs System_rw.').waitFor();
    const admin = await visitAs('admin', 'log/server');
    await admin.page.getByLabel('Written from').selectOption('error');
    await expect.poll(() => server.store.get('logLevel')).toBe('error');
    await expect.poll(() => page.getByLabel('Written from').inputValue()).toBe('error');
    server.store.write({ logLevel: 'fatal' });
  });
});

describe('presets', () => {
  it('are saved, compared, put in force, renamed and deleted', async () => {
    await change({ hue: 5, streamBitrate: 5_000_000, lightIntensity: 50 });
    const web = await visitAs('operator', 'presets');
    const { page } = web;
    const dialog = page.getByRole('dialog');
    await page.getByText('There are no presets yet.').waitFor();
    await page.getByRole('button', { name: 'Save the present state' }).click();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('night');
    // Nothing that an operator may not change is offered.
    expect(await dialog.locator('[data-group=network]').count()).toBe(0);
    await dialog.locator('[data-group=rtsp] > label input').uncheck();
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    const { night } = server.store.get('presets');
    expect(night?.values).toMatchObject({ streamBitrate: 5_000_000, lightIntensity: 50 });
    expect(Object.keys(night?.values ?? {})).not.toContain('rtspPort');

    await change({ imageSettings: { ...server.store.get('imageSettings'), hue: 9 }, lightIntensity: 10 });
    await page.getByRole('button', { name: 'Compare and apply … night' }).click();
    const light = dialog.locator('[data-diff=lightIntensity] td');
    await expect.poll(() => light.allTextContents()).toEqual(['10 %', '50 %']);
    expect(await dialog.locator('[data-diff=imageSettings] code').allTextContents()).toEqual(['hue']);
    expect(await dialog.locator('[data-diff=streamBitrate]').count()).toBe(0);
    // What somebody else changes meanwhile is seen.
    await change({ lightIntensity: 11 });
    await expect.poll(() => light.allTextContents()).toEqual(['11 %', '50 %']);
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect([server.store.get('lightIntensity'), server.store.get('hue')]).toEqual([50, 5]);

    await ask('PUT', '/api/presets/day', { keys: ['hue'] });
    await page.getByRole('button', { name: 'Rename night' }).click();
    await dialog.getByRole('textbox').fill('day');
    await page.keyboard.press('Enter');
    await dialog.getByText('There is a preset day already').waitFor();
    await dialog.getByRole('textbox').fill('evening');
    await page.keyboard.press('Enter');
    await page.locator('[data-preset=evening]').waitFor();
    await page.getByRole('button', { name: 'Delete evening' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.locator('[data-preset=evening]').waitFor({ state: 'detached' });
    await expect.poll(() => Object.keys(server.store.get('presets'))).toEqual(['day']);
  });

  it('that hold what somebody may not change say so, and are not applied', async () => {
    await ask('PUT', '/api/presets/office', { keys: ['lightIntensity', 'logLevel'] });
    await change({ lightIntensity: 12, logLevel: 'error' });
    const operator = await visitAs('operator', 'presets');
    const dialog = operator.page.getByRole('dialog');
    await operator.page.getByRole('button', { name: 'Compare and apply … office' }).click();
    await dialog.locator('[data-diff=logLevel]').getByText('Needs System_rw').waitFor();
    await dialog.getByText('holds settings that you may not change').waitFor();
    expect(await dialog.getByRole('button', { name: 'Apply' }).isDisabled()).toBe(true);
    const viewer = await visitAs('viewer', 'presets');
    await viewer.page.getByText('Needs one of Media_rw, Device_rw, System_rw').waitFor();
    for (const name of ['Save the present state', 'Rename office', 'Delete office'])
      expect(await viewer.page.getByRole('button', { name }).isDisabled()).toBe(true);
    server.store.write({ logLevel: 'fatal' });
  });
});

it('a backup goes to a file and comes back, chosen or dropped, and a wrong file is called what it is', async () => {
  await change({ lightIntensity: 33, streamFramerate: 20 });
  const web = await visitAs('admin', 'presets');
  const { page } = web;
  const backup = await downloaded(page, () => page.getByRole('link', { name: 'Download backup' }).click());
  await change({ lightIntensity: 66 });
  const file = (name: string, text: string) => ({
    name,
    mimeType: 'application/json',
    buffer: Buffer.from(text),
  });
  const field = page.getByLabel('Choose a backup');
  for (const [text, problem] of [
    ['{', 'it is not JSON'],
    ['{"a":1}', 'is not a backup of this product'],
    [backup.replace('"formatVersion":1', '"formatVersion":7'), 'made by a newer version'],
    [backup.replace('"lightIntensity":33', '"lightIntensity":3333'), 'lightIntensity'],
  ] as const) {
    await field.setInputFiles(file('old.json', text));
    await page.getByRole('alert').getByText(problem).first().waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  }
  // A reason is said once.
  expect(await page.getByRole('alert').getByText('lightIntensity').count()).toBe(1);
  await page.getByText('The backup cannot be restored:', { exact: true }).waitFor();
  await page.evaluate(
    `(() => {
      const data = new DataTransfer();
      data.items.add(new File([${JSON.stringify(backup)}], 'good.json'));
      document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    })()`,
  );
  const dialog = page.getByRole('dialog');
  await dialog.getByText('good.json').waitFor();
  expect(await dialog.locator('[data-diff]').count()).toBe(1);
  await expect
    .poll(() => dialog.locator('[data-diff=lightIntensity] td').allTextContents())
    .toEqual(['66 %', '33 %']);
  await dialog.getByRole('button', { name: 'Restore' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(server.store.get('lightIntensity')).toBe(33);
  const operator = await visitAs('operator', 'presets');
  expect(await operator.page.getByLabel('Choose a backup').isDisabled()).toBe(true);
});

describe('the system', () => {
  it('says what runs, how it fares and who is told', async () => {
    const receiver = await HookReceiver.open();
    try {
      await change({
        webhooks: [{ name: 'nvr', url: receiver.url, events: ['source-lost'], enabled: true }],
      });
      const web = await visitAs('admin', 'system');
      const { page } = web;
      await page.getByText('Obscura 0.0.0-test').waitFor();
      await page.getByText(`http://127.0.0.1:${String(port)}/`).waitFor();
      await page.locator('[data-process=server]').getByText('MB').waitFor();
      await page.locator('[data-check=store]').getByText('All right:').waitFor();
      await page.getByRole('button', { name: 'Test nvr' }).click();
      await page.locator('[data-hook=nvr]').getByText('The test has arrived.').waitFor();
      await page.locator('summary', { hasText: 'Made of' }).click();
      await page
        .getByRole('listitem')
        .filter({ hasText: /^fastify .*MIT$/ })
        .waitFor();
      // Full, and well again.
      const { total, used } = { total: 1_000_000_000, used: 999_999_000 };
      server.store.write({ storageSpace: { total, used, available: 1000 } });
      await page.locator('[data-check=space]').getByText('The disk of the data folder is full').waitFor();
      await page.getByText('Not ready').waitFor();
      server.store.write({ storageSpace: { total, used: 0, available: total } });
      await page.getByText(/✓\s+Ready/).waitFor();
    } finally {
      await receiver.close();
    }
  });

  it('has another certificate put in its place, and refuses what is none', async () => {
    const web = await visitAs('admin', 'system');
    const { page } = web;
    const print = page.locator('[data-fingerprint]');
    const before = await print.textContent();
    await page.locator('summary', { hasText: 'Use another certificate' }).click();
    const field = page.getByLabel('Choose a PEM file');
    const pem = (text: string) => ({ name: 'own.pem', mimeType: '', buffer: Buffer.from(text) });
    await field.setInputFiles(pem('nothing of the kind'));
    await page.getByText('holds neither a certificate nor a private key').waitFor();
    const elsewhere = await mkdtemp(join(tmpdir(), 'obscura-certificate-'));
    try {
      const own = await loadCertificate(elsewhere);
      // Both in one file, as some tools write them.
      await field.setInputFiles(pem(`${own.key}\n${own.cert}`));
      await page.getByRole('button', { name: 'Use this certificate' }).click();
      await expect.poll(() => print.textContent()).toBe(own.fingerprint);
      const other = await loadCertificate(join(elsewhere, 'other'));
      await field.setInputFiles(pem(own.cert));
      await field.setInputFiles(pem(other.key));
      await page.getByRole('button', { name: 'Use this certificate' }).click();
      await page.getByText('The private key does not belong to the certificate').waitFor();
      await page.getByRole('button', { name: 'Make a new one here' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Make a new one here' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await expect.poll(() => print.textContent()).not.toBe(own.fingerprint);
      expect(await print.textContent()).not.toBe(before);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });

  it('is started anew by who may, and the page is there again by itself', async () => {
    const viewer = await visitAs('viewer', 'system');
    expect(await viewer.page.getByRole('button', { name: 'Restart the server' }).isDisabled()).toBe(true);
    await viewer.page.getByText('Needs Reboot_rw').waitFor();
    expect(await viewer.page.getByRole('button', { name: 'Test nvr' }).isDisabled()).toBe(true);
    const web = await visitAs('operator', 'system');
    const { page } = web;
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Reboot the machine' }).click();
    await dialog.getByRole('button', { name: 'Restart now' }).click();
    await dialog.getByText('OBSCURA_REBOOT_COMMAND is not set').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Restart the server' }).click();
    await dialog.getByRole('button', { name: 'Restart now' }).click();
    await expect.poll(() => restarts).toBe(1);
    await page.getByText('Restarting …').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Restart the server' }).click();
    await dialog.waitFor();
  });
});
