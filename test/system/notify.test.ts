import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { notifyServiceManager } from '../../src/system/notify.js';

/** Node has no datagram sockets of this kind, so Python stands in for systemd. It prints the first message and ends. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name[0] == '@' else name)
s.settimeout(15)
print('listening', flush=True)
print(s.recv(4096).decode(), end='', flush=True)
`;

const folder = mkdtempSync(join(tmpdir(), 'obscura-notify-'));

afterEach(() => {
  delete process.env['NOTIFY_SOCKET'];
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['in a folder', join(folder, 'socket')],
  ['in the abstract namespace', `@obscura-notify-${String(process.pid)}`],
])('reaches the service manager on a socket %s', async (_where, name) => {
  const systemd = spawn('python3', ['-c', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(systemd, 'close');
  try {
    let heard = '';
    systemd.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await once(systemd.stdout, 'data');
    process.env['NOTIFY_SOCKET'] = name;
    expect(notifyServiceManager('READY=1\nSTATUS=two clients')).toBe(true);
    await ended;
    expect(heard).toBe('listening\nREADY=1\nSTATUS=two clients');
  } finally {
    systemd.kill();
    await ended;
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
