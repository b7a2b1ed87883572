import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { notifyServiceManager } from '../../src/system/notify.js';
import { ServiceManager } from '../support/ServiceManager.js';

const folder = mkdtempSync(join(tmpdir(), 'obscura-notify-'));

afterEach(() => {
  delete process.env['NOTIFY_SOCKET'];
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['in a folder', join(folder, 'socket')],
  ['in the abstract namespace', `@obscura-notify-${String(process.pid)}`],
])('reaches the service manager on a socket %s', async (_where, name) => {
  const systemd = await ServiceManager.listen(name);
  try {
    process.env['NOTIFY_SOCKET'] = name;
    expect(notifyServiceManager('READY=1\nSTATUS=two clients')).toBe(true);
    await expect.poll(() => systemd.heard).toEqual(['READY=1\nSTATUS=two clients']);
  } finally {
    await systemd.close();
  }
});

it('does nothing where no service manager asked for news', () => {
  expect(notifyServiceManager('READY=1')).toBe(false);
});

it.each([['/nowhere/at/all'], ['relative'], [`/${'x'.repeat(200)}`], ['']])(
  'is not troubled by the unusable socket "%s"',
  (name) => {
    process.env['NOTIFY_SOCKET'] = name;
    expect(notifyServiceManager('READY=1')).toBe(false);
  },
);
