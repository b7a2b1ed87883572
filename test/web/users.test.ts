import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { isLastManager, rightsOf, toggled } from '../../src/web/people/permissions.js';
import { launchBrowser } from '../support/browser.js';
import { basic, passwordOf, runningServer, type TestServer } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

let browser: Browser;
let server: TestServer;
const opened: WebPage[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), runningServer({ people: true })]);
});
afterEach(async () => {
  const faults = opened.flatMap((page) => page.faults);
  await Promise.all(opened.splice(0).map((page) => page.close()));
  expect(faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function visitAs(username: string, place: string): Promise<WebPage> {
  const web = await WebPage.openAs(browser, server.url, username, { bypassCSP: true });
  opened.push(web);
  await web.go(place);
  return web;
}

async function status(authorization: string, path = '/api/state/hue'): Promise<number> {
  return (await fetch(server.url + path, { headers: { authorization } })).status;
}

it('an administrator makes an account, gives it rights, and deletes it after being asked, by keyboard alone', async () => {
  const web = await visitAs('admin', 'users');
  const { page } = web;
  await page.getByRole('button', { name: 'New account' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Paula Müller');
  await page.getByLabel('Role', { exact: true }).selectOption('Viewer');
  await page.locator('#account-password').fill('weak');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('A name is up to 32 letters').waitFor();
  await page.locator('#account-name[aria-invalid=true]:focus').fill('paula');
  await page.keyboard.press('Enter');
  // What the server says of it, at the field that is wrong.
  await page.getByText('The password must have at least 8 characters').waitFor();
  await page.locator('#account-password:focus').fill('Sealed-envelope-3');
  expect(await web.accessibilityFaults()).toEqual([]);
  await page.keyboard.press('Enter');
  const row = page.locator('[data-account="paula"]');
  await row.getByText('Viewer').waitFor();
  expect(await status(basic('paula', 'Sealed-envelope-3'))).toBe(200);
  // The focus is back where it came from.
  expect(await page.evaluate('document.activeElement.textContent')).toBe('New account');

  await row.getByRole('button', { name: 'Change' }).click();
  await page.locator('dialog summary').click();
  const matrix = page.getByRole('table');
  // What the role gives cannot be taken away.
  expect(await matrix.locator('[name=Media_r]').isDisabled()).toBe(true);
  await matrix.getByRole('checkbox', { name: 'Change Network' }).press('Space');
  expect(await matrix.locator('[name=Network_r]').isChecked()).toBe(true);
  await page.getByLabel('May use ONVIF').check();
  await page.getByRole('button', { name: 'Save' }).click();
  // ONVIF cannot do without a password that is given anew.
  expect(await page.locator('#account-password:invalid').count()).toBe(1);
  await page.locator('#account-password').fill('Sealed-envelope-4');
  await page.getByRole('button', { name: 'Save' }).click();
  await row.getByText('ONVIF').waitFor();
  expect(server.store.get('users')['paula']).toMatchObject({
    additionalPermissions: ['Network_r', 'Network_rw'],
    onvif: true,
  });
  expect(server.store.get('credentials')['paula']?.password).toBeDefined();

  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Delete the account paula?').waitFor();
  await page.keyboard.press('Escape');
  expect(server.store.get('users')).toHaveProperty('paula');
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });
  expect(server.store.get('users')).not.toHaveProperty('paula');
});

it('the last who manages accounts cannot be deleted, and why is said', async () => {
  const { page } = await visitAs('admin', 'users');
  const own = page.locator('[data-account="admin"]');
  await own.getByText('nobody else manages accounts').waitFor();
  expect(await own.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
  // Somebody else may do it from now on, as this page hears at once.
  const users = server.store.get('users');
  server.store.write({ users: { ...users, second: { role: 'administrator' } } });
  await own.getByText('nobody else manages accounts').waitFor({ state: 'detached' });
  expect(await own.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(false);
  // What the server refuses is told where it was asked for.
  await own.getByRole('button', { name: 'Delete' }).click();
  server.store.write({ users });
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('alert').getByText('must leave at least one account').waitFor();
});

it('a role of one’s own is made, changed and deleted, but not while somebody has it', async () => {
  const { page } = await visitAs('admin', 'users');
  await page.getByRole('button', { name: 'New role' }).click();
  await page.getByLabel('Name of the role').fill('viewer');
  await page.getByRole('checkbox', { name: 'Change Media' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('There is a role viewer already.').waitFor();
  await page.getByLabel('Name of the role').fill('night-watch');
  await page.keyboard.press('Enter');
  const row = page.locator('[data-role="night-watch"]');
  await row.getByText('Changes: Media').waitFor();
  await row.getByRole('button', { name: 'Change' }).click();
  await page.getByRole('checkbox', { name: 'See Media' }).uncheck();
  await page.getByRole('checkbox', { name: 'See Camera' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await row.getByText('Sees: Camera').waitFor();
  expect(server.store.get('customRoles')['night-watch']?.permissions).toEqual(['Device_r']);

  const users = server.store.get('users');
  server.store.write({ users: { ...users, paula: { role: 'night-watch' } } });
  await row.getByText('Accounts: 1').waitFor();
  expect(await row.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
  server.store.write({ users });
  await row.getByText('Accounts: 0').waitFor();
  await row.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });

  await page.locator('[data-role="operator"]').getByRole('button', { name: 'Show' }).click();
  expect(await page.getByRole('dialog').getByRole('checkbox', { disabled: false }).count()).toBe(0);
});

it('who may only look finds everything locked, and who may not look finds no such page', async () => {
  const users = server.store.get('users');
  const { viewer } = users;
  if (viewer === undefined) throw new Error('no viewer');
  server.store.write({ users: { ...users, viewer: { ...viewer, additionalPermissions: ['User_r'] } } });
  const { page } = await visitAs('viewer', 'users');
  await page.getByText('Needs User_rw').waitFor();
  await page.locator('[data-account="admin"]').waitFor();
  for (const name of ['New account', 'New role', 'Change', 'Delete'])
    for (const button of await page.getByRole('button', { name }).all())
      expect(await button.isDisabled(), name).toBe(true);
  // Rights that are taken away take the page along.
  server.store.write({ users });
  await page.getByText('This page is not for your role.').waitFor();
  expect(await page.locator('main section').count()).toBe(0);
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
});

it('everybody changes their own password with the old one, and stays logged in here alone', async () => {
  const elsewhere = await visitAs('operator', 'settings');
  await elsewhere.page.getByRole('searchbox').waitFor();
  const { page } = await visitAs('operator', 'live');
  await page.locator('summary', { hasText: 'operator' }).click();
  await page.getByRole('link', { name: 'My account' }).click();
  const change = async (old: string, wanted: string, again = wanted): Promise<void> => {
    await page.locator('#password-old').fill(old);
    await page.locator('#password-wanted').fill(wanted);
    await page.locator('#password-repeated').fill(again);
    await page.keyboard.press('Enter');
  };
  await change(passwordOf('operator'), 'Another-horse-5', 'Another-horse-6');
  await page.getByText('The two passwords differ.').waitFor();
  await change('wrong', 'Another-horse-5');
  await page.getByText('The password of now is wrong.').waitFor();
  await page.locator('#password-old:focus').waitFor();
  await change(passwordOf('operator'), 'operator');
  await page.getByRole('alert').getByText('must not be the account name').waitFor();
  await change(passwordOf('operator'), 'Another-horse-5');
  await page.locator('form').getByText('The password is changed.').waitFor();
  await elsewhere.page.getByText('Your log-in has ended.').waitFor();
  expect(await status(basic('operator', 'Another-horse-5'))).toBe(200);
  expect(await page.getByText('this one').count()).toBe(1);
});

it('everybody makes tokens with a part of their own rights, sees each once, and revokes them', async () => {
  const web = await visitAs('viewer', 'account');
  const { page } = web;
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('What it is for').fill('wall display');
  const box = (name: string) => page.getByRole('dialog').locator(`[name=${name}]`);
  expect(await box('Media_rw').isDisabled()).toBe(true);
  await box('System_r').uncheck();
  await page.getByLabel('Good for').selectOption('30 days');
  expect(await web.accessibilityFaults()).toEqual([]);
  await page.getByRole('button', { name: 'Make token' }).click();
  const token = await page.locator('code.token').innerText();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('dialog').getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(token);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

  const row = page.locator('[data-token="wall display"]');
  await row.getByText('Not used since the server started').waitFor();
  const [made] = Object.values(server.store.get('apiTokens'));
  expect(made).toMatchObject({ username: 'viewer', permissions: ['Device_r', 'Media_r', 'Storage_r'] });
  expect(await status(`Bearer ${token}`)).toBe(200);
  await page.reload();
  await row.getByText('Last used').waitFor();
  expect(await page.content()).not.toContain(token);
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await row.waitFor({ state: 'detached' });
  expect(await status(`Bearer ${token}`)).toBe(401);
});

it('log-ins of others are ended by an administrator', async () => {
  const other = await visitAs('guest', 'account');
  await other.page.getByText('this one').waitFor();
  const { page } = await visitAs('admin', 'users');
  await page.locator('[data-session="guest"]').getByRole('button', { name: 'End' }).click();
  await other.page.getByText('Your log-in has ended.').waitFor();
  await page.locator('[data-session="guest"]').waitFor({ state: 'detached' });
});

it('who may change may look, and who may not look may not change', () => {
  expect(toggled([], 'Media_rw')).toEqual(['Media_rw', 'Media_r']);
  expect(toggled(['Media_r', 'Media_rw'], 'Media_r')).toEqual([]);
  expect(toggled(['Media_r', 'Media_rw'], 'Media_rw')).toEqual(['Media_r']);
  expect(toggled([], 'Reboot_rw')).toEqual(['Reboot_rw']);
});

it('rights are those of the role and those beyond it', () => {
  const roles = [{ name: 'chief', permissions: ['User_rw'], builtIn: false }];
  expect([...rightsOf({ role: 'chief', additionalPermissions: ['Media_r'] }, roles)]).toEqual([
    'User_rw',
    'Media_r',
  ]);
  const one = { a: { role: 'chief' }, b: { role: 'gone' } };
  expect(isLastManager('a', one, roles)).toBe(true);
  expect(isLastManager('b', one, roles)).toBe(false);
  expect(isLastManager('a', { ...one, b: { role: 'x', additionalPermissions: ['User_rw'] } }, roles)).toBe(
    false,
  );
});
