import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { freePorts } from '../support/ports.js';
import { basic, passwordOf, runningServer, type TestServer } from '../support/runningServer.js';
import { LogMemory } from '../../src/system/logMemory.js';
import { WebPage } from '../support/WebPage.js';

let browser: Browser;
let server: TestServer;
let folder: string;
let port: number;
const opened: WebPage[] = [];

const recentLog = new LogMemory();

beforeAll(async () => {
  recentLog.add(JSON.stringify({ level: 40, time: Date.now(), msg: 'something to read', part: 'media' }));
  folder = await mkdtemp(join(tmpdir(), 'obscura-page-'));
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
  return runningServer({ folder, recentLog, environment: { httpPort: port }, ...options });
}

async function visit(
  ...given: Parameters<typeof WebPage.open> extends [unknown, unknown, ...infer O] ? O : never
) {
  const page = await WebPage.open(browser, server.url, ...given);
  opened.push(page);
  return page;
}

async function visitAs(
  username: string,
  ...given: Parameters<typeof WebPage.openAs> extends [unknown, unknown, unknown, ...infer O] ? O : never
) {
  const page = await WebPage.openAs(browser, server.url, username, ...given);
  opened.push(page);
  return page;
}

/** A change from outside the page, as the command line makes it. */
async function change(key: string, value: unknown, username = 'operator'): Promise<void> {
  const response = await fetch(`${server.url}/api/state/${key}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: basic(username, passwordOf(username)) },
    body: JSON.stringify({ value }),
  });
  expect(response.status).toBe(200);
}

/** As its own process, on its own connection. */
async function commandLine(...words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli/main.js', ...words], {
    env: {
      ...process.env,
      ...{ OBSCURA_URL: server.url, OBSCURA_USER: 'admin', OBSCURA_PASSWORD: passwordOf('admin') },
      XDG_CONFIG_HOME: folder,
    },
  });
  return stdout;
}

describe('logging in', () => {
  it('says in words what is wrong, takes a pasted password, and lasts until one logs out', async () => {
    const web = await visit();
    const { page } = web;
    await web.logIn('admin', 'wrong');
    await page.getByRole('alert').getByText('Name or password is wrong.').waitFor();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(passwordOf('admin'))})`);
    await page.locator('#password').press('Control+A');
    await page.keyboard.press('Control+V');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Live' }).waitFor();
    // No script of any page can take the session away.
    expect(await page.evaluate('document.cookie + JSON.stringify(localStorage)')).not.toMatch(
      /session|token/,
    );
    await page.reload();
    await page.getByRole('link', { name: 'Live' }).waitFor();
    await page.locator('summary', { hasText: 'admin' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.locator('#username').waitFor();
    await page.reload();
    await page.locator('#username').waitFor();
  });

  it('speaks the language of the browser, and the one that is chosen', async () => {
    const { page } = await visit({ locale: 'de-AT' });
    await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
    expect(await page.evaluate('document.documentElement.lang')).toBe('de');
    await page.getByLabel('Sprache').selectOption('English');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  it('ends on the page as soon as it ends at the server', async () => {
    const { page } = await visitAs('viewer');
    const sessions = (await (
      await fetch(`${server.url}/api/sessions`, {
        headers: { authorization: basic('admin', passwordOf('admin')) },
      })
    ).json()) as { readonly sessions: readonly { readonly id: string; readonly username: string }[] };
    const all = sessions.sessions.filter(({ username }) => username === 'viewer');
    expect(all.length).toBeGreaterThan(0);
    for (const { id } of all)
      await fetch(`${server.url}/api/sessions/${id}`, {
        method: 'DELETE',
        headers: { authorization: basic('admin', passwordOf('admin')) },
      });
    await page.getByText('Your log-in has ended.').waitFor();
  });
});

describe('what each role finds', () => {
  it('a guest, who may see nothing, finds no page but the settings of their own', async () => {
    const { page } = await visitAs('guest');
    expect(await page.getByRole('navigation').first().getByRole('link').allTextContents()).toEqual([
      'Settings',
    ]);
  });

  it('a viewer reads settings, learns which right a change takes, and does not hear of the network', async () => {
    const web = await visitAs('viewer');
    await web.go('settings/stream');
    const bitrate = web.setting('streamBitrate');
    await bitrate.getByText('Needs Media_rw').waitFor();
    expect(await bitrate.locator('#streamBitrate').isDisabled()).toBe(true);
    expect(await web.page.getByRole('link', { name: 'Network', exact: true }).count()).toBe(0);
    await web.go('streams');
    await web.page.getByText('Ending a connection needs Media_rw.').waitFor();
    await web.page.locator('summary', { hasText: 'viewer' }).click();
    await web.page.getByRole('link', { name: 'My account' }).click();
    await web.page.getByRole('link', { name: 'My account' }).waitFor({ state: 'hidden' });
    await web.go('log');
    await web.page.locator('[data-seq]').first().waitFor();
    expect(await web.page.getByRole('button', { name: /^Undo/ }).count()).toBe(0);
    await web.go('users');
    await web.page.getByText('This page is not for your role.').waitFor();
    expect(await web.page.title()).toBe('Users · Obscura');
    await web.go('live');
    await web.page.locator('#snapshot-result').getByText('Needs Media_rw').waitFor();
    expect(await web.page.getByRole('button', { name: 'Take a photo' }).isDisabled()).toBe(true);
  });

  it('an operator changes streams, and an administrator the network too', async () => {
    const operator = await visitAs('operator');
    await operator.go('settings/stream');
    await operator.setting('streamBitrate').waitFor();
    expect(await operator.page.locator('#streamBitrate').isEnabled()).toBe(true);
    expect(await operator.page.getByRole('link', { name: 'Network', exact: true }).count()).toBe(0);
    const admin = await visitAs('admin');
    await admin.go('settings/network');
    await admin.setting('hostname').waitFor();
  });

  it('another role counts at once, on the page that is open', async () => {
    const web = await visitAs('viewer');
    await web.go('settings/stream');
    await web.setting('streamBitrate').getByText('Needs Media_rw').waitFor();
    const users = server.store.get('users');
    const viewer = users['viewer'];
    if (viewer === undefined) throw new Error('no viewer');
    server.store.write({ users: { ...users, viewer: { ...viewer, role: 'operator' } } });
    await web.page.locator('#streamBitrate:enabled').waitFor();
    server.store.write({ users });
    await web.page.locator('#streamBitrate:disabled').waitFor();
  });
});

describe('settings', () => {
  it('changed elsewhere are on the page before anything else happens there', async () => {
    const web = await visitAs('admin');
    // Looks at the page in the task after the one in which the message came.
    await web.page.addInitScript(`(() => {
      const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
      Object.defineProperty(WebSocket.prototype, 'onmessage', {
        set(handler) {
          set.call(this, handler && ((event) => {
            handler.call(this, event);
            if (String(event.data).includes('7000000'))
              setTimeout(() => (globalThis.shownNext ??= document.getElementById('streamBitrate').value));
          }));
        },
      });
    })()`);
    await web.go('settings/stream');
    await web.page.reload();
    await web.page.locator('#streamBitrate:enabled').waitFor();
    await change('streamBitrate', 7_000_000);
    await expect.poll(() => web.page.evaluate('globalThis.shownNext')).toBe('7000000');
    await change('streamBitrate', 8_000_000);
  });

  it('changed on the page reach the server, say so, and return to the default on demand', async () => {
    const web = await visitAs('operator');
    await web.go('settings/stream');
    const row = web.setting('streamBitrate');
    await row.getByText('Default: 8 Mbit/s').waitFor();
    await row.locator('#streamBitrate').fill('5000000');
    await web.page.keyboard.press('Enter');
    await row.getByText('Applied').waitFor();
    expect(server.store.get('streamBitrate')).toBe(5_000_000);
    await row.getByRole('button', { name: 'Reset' }).click();
    await expect.poll(() => web.page.locator('#streamBitrate').inputValue()).toBe('8000000');
    expect(server.store.get('streamBitrate')).toBe(8_000_000);
    await web.setting('streamPassthrough').getByRole('switch').click();
    await web.setting('streamPassthrough').getByText('Applied').waitFor();
    expect(server.store.get('streamPassthrough')).toBe(false);
  });

  it('refused say why and what is in force, and can be put right', async () => {
    const web = await visitAs('admin', { viewport: { width: 390, height: 640 } });
    await web.go('settings/stream');
    const row = web.setting('streamResolution');
    const before = await row.locator('input').inputValue();
    await row.locator('input').fill('wide');
    await web.page.keyboard.press('Enter');
    await row.getByText(/Not applied: .*WIDTHxHEIGHT/).waitFor();
    const words = row.getByText(`Still in force: ${before}`);
    expect((await words.boundingBox())?.y).toBeLessThan(640);
    expect(await row.locator('input').inputValue()).toBe('wide');
    expect(await row.getAttribute('data-state')).toBe('failed');
    await row.locator('input').press('Escape');
    expect(await row.locator('input').inputValue()).toBe(before);
    await words.waitFor({ state: 'detached' });
    await row.locator('input').fill('wide');
    await web.page.keyboard.press('Enter');
    await words.waitFor();
    await row.locator('input').fill('1280x720');
    await web.page.keyboard.press('Enter');
    await row.getByText('Applied').waitFor();
    expect(server.store.get('streamResolution')).toBe('1280x720');
    server.store.write({ streamResolution: before });
  });

  it('emptied keep the value in force', async () => {
    const web = await visitAs('admin');
    await web.go('settings/stream');
    const row = web.setting('streamBitrate');
    await row.locator('#streamBitrate').fill('');
    await web.page.keyboard.press('Enter');
    await row.getByText('Nothing was entered; the value stays.').waitFor();
    expect(await row.locator('#streamBitrate').inputValue()).toBe('8000000');
  });

  it('overtaken by somebody else while one edits are not overwritten unasked', async () => {
    const web = await visitAs('admin');
    await web.go('settings/stream');
    const row = web.setting('streamFramerate');
    await row.locator('#streamFramerate').fill('25');
    await change('streamFramerate', 50);
    await row.getByText('Changed by operator in the meantime.').waitFor();
    await web.page.keyboard.press('Enter');
    await row.getByRole('button', { name: 'Keep theirs (50 frames/s)' }).waitFor();
    expect(server.store.get('streamFramerate')).toBe(50);
    expect(await row.locator('#streamFramerate').inputValue()).toBe('50');
    await row.getByRole('button', { name: 'Apply mine (25 frames/s)' }).click();
    await row.getByText('Applied').waitFor();
    expect(server.store.get('streamFramerate')).toBe(25);
  });

  it('of two pages stay what the first made of them, until the second wants it otherwise', async () => {
    const [first, second] = [await visitAs('operator'), await visitAs('admin')];
    for (const web of [first, second]) await web.go('settings/stream');
    const [early, late] = [first.setting('streamFramerate'), second.setting('streamFramerate')];
    await late.locator('#streamFramerate').fill('20');
    await early.locator('#streamFramerate').fill('40');
    await first.page.keyboard.press('Enter');
    await late.getByText('Changed by operator in the meantime.').waitFor();
    await second.page.keyboard.press('Enter');
    await late.getByRole('button', { name: 'Keep theirs' }).click();
    await expect.poll(() => late.locator('#streamFramerate').inputValue()).toBe('40');
    expect(server.store.get('streamFramerate')).toBe(40);
    // Who began after the other had finished is first.
    await late.locator('#streamFramerate').fill('20');
    await second.page.keyboard.press('Enter');
    await expect.poll(() => early.locator('#streamFramerate').inputValue()).toBe('20');
  });

  it('are the same on the command line', async () => {
    const web = await visitAs('admin');
    await web.go('settings/stream');
    const field = web.page.locator('#streamBitrate');
    await commandLine('set', 'streamBitrate=6500000');
    await expect.poll(() => field.inputValue()).toBe('6500000');
    await field.fill('5500000');
    await web.page.keyboard.press('Enter');
    await web.setting('streamBitrate').getByText('Applied').waitFor();
    expect(await commandLine('get', 'streamBitrate')).toBe('5500000\n');
    await change('streamBitrate', 8_000_000);
  });

  it('that are free text are checked before they are sent', async () => {
    const web = await visitAs('admin');
    await web.go('settings/webrtc');
    const row = web.setting('webrtcIceServers');
    await row.locator('textarea').fill('[{');
    await row.getByRole('button', { name: 'Apply' }).click();
    await row.getByText(/This is not JSON/).waitFor();
    await row.locator('textarea').fill('[{"urls":"http://wrong"}]');
    await row.getByRole('button', { name: 'Apply' }).click();
    await row.getByText(/Not applied: ./).waitFor();
    await row.locator('textarea').fill('[{"urls":"stun:192.0.2.1"}]');
    await row.getByRole('button', { name: 'Apply' }).click();
    await row.getByText('Applied').waitFor();
    expect(server.store.get('webrtcIceServers')).toEqual([{ urls: ['stun:192.0.2.1'] }]);
  });

  it('lose the word of a failure that somebody else brought about as soon as it is over', async () => {
    const web = await visitAs('admin');
    await web.go('settings/rtsp');
    const row = web.setting('rtspEnabled');
    await row.waitFor();
    const { statuses, revision } = server.store;
    statuses.own(['rtspEnabled']);
    statuses.report(['rtspEnabled'], { status: 'failed', revision, reason: 'out of order' });
    await row.getByText('Not applied: out of order').waitFor();
    statuses.report(['rtspEnabled'], { status: 'applied', revision });
    await row.getByText('Not applied: out of order').waitFor({ state: 'detached' });
    statuses.disown(['rtspEnabled']);
  });

  it('are found by what people call them', async () => {
    const web = await visitAs('admin');
    await web.go('settings');
    await web.page.getByRole('searchbox').fill('rtsp port');
    await web.setting('rtspPort').waitFor();
    expect(await web.page.locator('[data-setting]').count()).toBeLessThan(4);
    await web.page.getByRole('searchbox').fill('no such thing');
    await web.page.getByText('No setting matches.').waitFor();
  });

  it('are called in the language of whoever reads, and found in it', async () => {
    const web = await visitAs('admin', { locale: 'de-DE' });
    await web.go('settings/stream');
    const row = web.setting('streamFramerate');
    await row.getByRole('heading', { name: 'Bildrate' }).waitFor();
    await row.getByText('Bilder je Sekunde des Hauptstreams.').waitFor();
    await row.getByText('Bilder/s', { exact: true }).waitFor();
    await web.page.getByRole('link', { name: 'Belichtung und Weißabgleich' }).waitFor();
    expect(await web.page.locator('main [lang=en]').count()).toBe(0);
    await web.page.getByRole('searchbox').fill('rauschminderung');
    await web.setting('noiseSuppression').waitFor();
    await web.page.getByRole('searchbox').fill('noise reduction');
    await web.setting('noiseSuppression').waitFor();
    await web.page.locator('summary', { hasText: 'admin' }).click();
    await web.page.getByText('Rolle: Administrator').waitFor();
    await web.page.getByLabel('Sprache').selectOption('English');
    await web.setting('noiseSuppression').getByRole('heading', { name: 'Noise reduction' }).waitFor();
  });
});

/** Pages by their place, and what is on them as soon as they are whole. */
const others = [
  ['gallery', '.nothing, main [role=alert]'],
  ['account', '[data-session]'],
] as const;
const othersOfAdmin = [...others, ['users', '[data-role]']] as const;

describe('the page as a whole', () => {
  beforeAll(async () => {
    server.store.write({
      presets: { night: { values: { lightIntensity: 3, rtspPort: 9554 }, created: Date.now(), by: 'admin' } },
      webhookStatus: { nvr: { queued: 1, dropped: 0, lastError: 'refused', lastErrorAt: Date.now() } },
    });
    await server.store.settle();
  });

  it.each(['admin', 'operator', 'viewer'])(
    'has no barriers that axe knows of, in either theme: %s',
    async (username) => {
      // What axe brings along to look at the page is not of the page.
      const web = await visit({ bypassCSP: true });
      const isClear = async (): Promise<void> => {
        for (const colorScheme of ['light', 'dark'] as const) {
          await web.page.emulateMedia({ colorScheme });
          expect(await web.accessibilityFaults()).toEqual([]);
        }
      };
      await isClear();
      await web.logIn(username);
      await web.page.getByRole('link', { name: 'Live' }).waitFor();
      await web.page.locator('summary', { hasText: username }).click();
      await isClear();
      await web.go('settings');
      // Every setting at once, with every kind of control.
      await web.page.getByRole('searchbox').fill('e');
      await web.page.locator('[data-setting]').nth(40).waitFor();
      await isClear();
      await web.go('streams');
      await web.page.locator('#stream-stream1').waitFor();
      await isClear();
      // Without video there is nothing to be drawn, and that is said.
      for (const [place, words] of [
        ['statistics', 'There are no statistics'],
        ['pipelines', 'This server does without video'],
      ] as const) {
        await web.go(place);
        await web.page.getByText(words).waitFor();
        await isClear();
      }
      await web.go('presets');
      await web.page
        .getByRole('button', { name: /^Compare/ })
        .first()
        .click();
      await web.page.locator('[data-diff]').first().waitFor();
      await isClear();
      await web.page.keyboard.press('Escape');
      await isClear();
      await web.go('log');
      await web.page.locator('[data-seq]').first().waitFor();
      await isClear();
      await web.go('log/server');
      await web.page.locator('[role=option]').first().waitFor();
      await web.page.getByRole('listbox').press('End');
      await isClear();
      await web.go('system');
      await web.page.locator('[data-check]').first().waitFor();
      for (const summary of await web.page.locator('main summary').all()) await summary.click();
      // What lies under the head of the page, which stays, cannot be judged.
      await web.page.evaluate('scrollTo(0, 0)');
      await isClear();
      for (const [place, sign] of username === 'admin' ? othersOfAdmin : others) {
        await web.go(place);
        await web.page.locator(sign).first().waitFor();
        await isClear();
      }
    },
  );

  it('fits a narrow screen, and asks nobody but its server', async () => {
    const web = await visitAs('admin', { viewport: { width: 320, height: 640 } });
    for (const place of [
      'live',
      'settings/stream',
      'settings/camera',
      'streams',
      'statistics',
      'pipelines',
      'presets',
      'log',
      'log/server',
      'system',
      'users',
      'account',
      'gallery',
    ]) {
      await web.go(place);
      await web.page.locator('main section').first().waitFor();
      expect(await web.page.evaluate('document.documentElement.scrollWidth'), place).toBeLessThanOrEqual(320);
    }
    const hosts = new Set(web.requests.map((address) => new URL(address).host));
    expect([...hosts]).toEqual([new URL(server.url).host]);
  });

  it('can be used without a mouse', async () => {
    const web = await visitAs('admin');
    await web.page.keyboard.press('Tab');
    expect(await web.page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await web.page.keyboard.press('Enter');
    expect(await web.page.evaluate('document.activeElement.tagName')).toBe('MAIN');
    await web.page.getByRole('link', { name: 'Settings' }).focus();
    await web.page.keyboard.press('Enter');
    await web.page.getByRole('searchbox').focus();
    await web.page.keyboard.type('webrtcEnabled');
    const control = web.setting('webrtcEnabled').getByRole('switch');
    await control.focus();
    await web.page.keyboard.press('Space');
    await web.setting('webrtcEnabled').getByText('Applied').waitFor();
    expect(server.store.get('webrtcEnabled')).toBe(true);
    server.store.write({ webrtcEnabled: false });
  });

  it('says that the connection is lost, and recovers alone', async () => {
    const web = await visitAs('admin');
    await web.go('settings/stream');
    await web.setting('streamBitrate').waitFor();
    await server.stop();
    await web.page.getByText('Connection lost.').waitFor();
    expect(await web.page.locator('#streamBitrate').isDisabled()).toBe(true);
    server = await start();
    await web.page.locator('#streamBitrate:enabled').waitFor();
    await web.page.getByText('Connection lost.').waitFor({ state: 'detached' });
    await change('streamBitrate', 3_000_000);
    await expect.poll(() => web.page.locator('#streamBitrate').inputValue()).toBe('3000000');
  });
});
