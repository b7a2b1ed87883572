import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { runningServer, type TestServer } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

let browser: Browser;
let server: TestServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([
    launchBrowser(),
    runningServer({ environment: { adminPassword: undefined } }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

it('the first visit makes the administrator with the code of the server, by keyboard alone, in either theme', async () => {
  const web = await WebPage.open(browser, server.url, {
    bypassCSP: true,
    viewport: { width: 320, height: 640 },
  });
  const { page } = web;
  await page.getByRole('heading', { name: 'Set up this server' }).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await web.accessibilityFaults()).toEqual([]);
  }
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);

  const type = async (...words: readonly string[]): Promise<void> => {
    for (const text of words) {
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
      await page.keyboard.press('Tab');
      // Past the button that shows a password.
      if ((await page.evaluate('document.activeElement.type')) === 'button') await page.keyboard.press('Tab');
    }
  };
  await page.locator('#code:focus').waitFor();
  await type('WRNG-CDEF', 'paula', 'Sealed-envelope-3', 'Sealed-envelope-4');
  await page.keyboard.press('Enter');
  await page.getByText('The two passwords differ.').waitFor();
  await page.keyboard.type('Sealed-envelope-3');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the code that the server has shown last.').waitFor();
  await page.locator('#code:focus').waitFor();
  await type(server.setupCode ?? '', 'paula', 'short', 'short');
  await page.keyboard.press('Enter');
  await page.getByText('The password must have at least 8 characters').waitFor();
  await page.locator('#password:focus').waitFor();
  await type('Sealed-envelope-3', 'Sealed-envelope-3');
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').first().waitFor();
  expect(server.store.get('users')).toMatchObject({ paula: { role: 'administrator' } });

  // From now on people log in.
  await page.locator('summary', { hasText: 'paula' }).click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  expect(web.faults).toEqual([]);
  await web.close();
});

it('whoever comes too late logs in instead', async () => {
  await server.stop();
  server = await runningServer({ environment: { adminPassword: undefined } });
  const web = await WebPage.open(browser, server.url, { locale: 'de-DE' });
  const { page } = web;
  await page.getByRole('heading', { name: 'Server einrichten' }).waitFor();
  const faster = await fetch(`${server.url}/api/setup`, {
    method: 'POST',
    body: JSON.stringify({ code: server.setupCode, username: 'rival', password: 'Battery-staple-2' }),
  });
  expect(faster.status).toBe(201);
  await page.locator('#code').fill(server.setupCode ?? '');
  await page.locator('#password').fill('Sealed-envelope-3');
  await page.locator('#repeated').fill('Sealed-envelope-3');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Anmelden' }).waitFor();
  expect(Object.keys(server.store.get('users'))).toEqual(['rival']);
  await web.close();
});
