// The server as a process of its own: started as the README says, told to stop, killed, started again.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { JsonSocket } from '../support/JsonSocket.js';
import { ServiceManager } from '../support/ServiceManager.js';
import {
  dataFolder,
  endProcesses,
  processPassword,
  startProcess as start,
  type ServerProcess,
} from '../support/serverProcess.js';

const password = processPassword;

afterEach(endProcesses);

async function client(url: string): Promise<JsonSocket> {
  const socket = await JsonSocket.open(`${url.replace('http', 'ws')}/api/v2`);
  await socket.ask({ op: 'auth', username: 'admin', password });
  return socket;
}

it('told to stop, it closes its clients, exits with 0, and has lost nothing', async () => {
  const folder = await dataFolder();
  const first = await start(folder);
  const socket = await client(first.url);
  const { revision, epoch } = await socket.ask({ op: 'watch', keys: ['streamBitrate', 'gain'] });
  await socket.ask({ op: 'set', set: { streamBitrate: 4_000_000 } });
  first.child.kill('SIGTERM');
  expect(await socket.whenClosed()).toMatchObject({ code: 1001 });
  expect(await first.exit()).toBe(0);

  const second = await start(folder);
  const again = await client(second.url);
  // A client that was away over the restart is told what changed, and nothing else.
  expect(
    await again.ask({ op: 'watch', keys: ['streamBitrate', 'gain'], since: revision, epoch }),
  ).toMatchObject({
    changes: { streamBitrate: 4_000_000 },
  });
  again.close();
});

it('killed again and again, it has everything that was acknowledged', { timeout: 60_000 }, async () => {
  const folder = await dataFolder();
  let acknowledged = 0;
  for (let round = 0; round < 4; round += 1) {
    const running = await start(folder);
    const socket = await client(running.url);
    const { state } = await socket.ask({ op: 'get', keys: ['timelapseInterval'] });
    expect((state as { timelapseInterval: number }).timelapseInterval).toBeGreaterThanOrEqual(acknowledged);
    const killAfter = 10 + round * 17;
    for (let count = 0; count < killAfter; count += 1) {
      const value = 10_000 + round * 1000 + count;
      await socket.ask({ op: 'set', set: { timelapseInterval: value } });
      acknowledged = value;
    }
    // One more is under way when the end comes.
    socket.send({ id: 0, op: 'set', set: { timelapseInterval: acknowledged + 1 } });
    running.child.kill('SIGKILL');
    expect(await running.exit()).toBe('SIGKILL');
  }
});

it('without a password shows a code for the set-up, another one at each start, until it has been used', async () => {
  const folder = await dataFolder();
  const codeOf = async (server: ServerProcess): Promise<string> => {
    await expect.poll(server.output).toMatch(/set-up code {2}\S+\n/);
    return /set-up code {2}(\S+)/.exec(server.output())?.[1] ?? '';
  };
  const setUp = (url: string, code: string): Promise<Response> =>
    fetch(`${url}/api/setup`, {
      method: 'POST',
      body: JSON.stringify({ code, username: 'paula', password: 'Sealed-envelope-3' }),
    });
  const first = await start(folder, { OBSCURA_ADMIN_PASSWORD: '' });
  const old = await codeOf(first);
  first.child.kill('SIGTERM');
  await first.exit();
  const second = await start(folder, { OBSCURA_ADMIN_PASSWORD: '' });
  const code = await codeOf(second);
  // The log itself may be read over the network.
  expect(
    second
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join(),
  ).not.toContain(code);
  expect((await setUp(second.url, old)).status).toBe(401);
  expect((await setUp(second.url, code)).status).toBe(201);
  expect((await setUp(second.url, code)).status).toBe(409);
  second.child.kill('SIGTERM');
  await second.exit();
  for (const name of await readdir(folder, { recursive: true }))
    if (/\.(json|ndjson|key|pem)$/.test(name)) {
      const text = await readFile(join(folder, name), 'utf8');
      expect(text, name).not.toContain(code);
      expect(text, name).not.toContain('Sealed-envelope-3');
    }
});

it('takes what people chose before the environment, that before the factory file, that before the defaults', async () => {
  const folder = await dataFolder();
  const factory = join(folder, 'factory.yaml');
  await writeFile(
    factory,
    [
      'settings:',
      '  rtspPort: 7001',
      '  timezone: Europe/Berlin',
      '  streamFramerate: 25',
      'accounts:',
      '  - { username: chief, password: Sealed-envelope-3, role: administrator }',
    ].join('\n'),
  );
  const environment = {
    OBSCURA_FACTORY: factory,
    OBSCURA_RTSP_PORT: '7002',
    CAMERA_CAPTURE_INTERVAL: '3600',
  };
  const first = await start(folder, environment);
  const socket = await JsonSocket.open(`${first.url.replace('http', 'ws')}/api/v2`);
  const auth = { op: 'auth', username: 'chief', password: 'Sealed-envelope-3' };
  expect(await socket.ask(auth)).toMatchObject({ ok: true });
  const keys = ['rtspPort', 'timezone', 'streamFramerate', 'streamBitrate', 'httpPort', 'photoInterval'];
  expect(await socket.ask({ op: 'get', keys })).toMatchObject({
    state: {
      ...{ rtspPort: 7002, timezone: 'Europe/Berlin', streamFramerate: 25, streamBitrate: 8_000_000 },
      photoInterval: 3600,
    },
  });
  expect(await socket.ask({ op: 'set', set: { httpPort: 9999 } })).toMatchObject({
    error: {
      code: 'failed',
      key: 'httpPort',
      message: expect.stringContaining('OBSCURA_HTTP_PORT') as string,
    },
  });
  await socket.ask({ op: 'set', set: { rtspPort: 7003, timezone: 'UTC', photoInterval: 0 } });
  first.child.kill('SIGTERM');
  await first.exit();

  const second = await start(folder, environment);
  const again = await JsonSocket.open(`${second.url.replace('http', 'ws')}/api/v2`);
  await again.ask(auth);
  expect(await again.ask({ op: 'get', keys })).toMatchObject({
    state: { rtspPort: 7003, timezone: 'UTC', streamFramerate: 25, photoInterval: 0 },
  });
  again.close();
});

it('takes its camera from the variables that guides for camera servers use', async () => {
  const password = 'Correct-horse-1';
  const login = { OBSCURA_ADMIN_PASSWORD: password };
  const headers = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` };
  const camera = { CAMERA_RTSP_URL: 'rtsp://eye:p%40ss@192.0.2.7:554/main?x=a@b', CAMERA_DEVICE_KEY: 'yard' };
  const ask = async (url: string, path: string): Promise<unknown> =>
    await (await fetch(url + path, { headers })).json();
  const on = await start(await dataFolder(), { ...login, ...camera, CAMERA_ENABLED: 'true' });
  expect(await ask(on.url, '/api/settings/cameraHeadSettings')).toMatchObject({
    value: {
      primary: {
        ...{ name: 'yard', source: 'rtsp', url: 'rtsp://192.0.2.7:554/main?x=a@b' },
        ...{ username: 'eye', passwordSet: true },
      },
      secondary: { source: 'test' },
    },
  });
  expect(await ask(on.url, '/api/devices')).toMatchObject({
    devices: [{ key: 'yard', type: 'rtsp', enabled: true }, { key: 'secondary' }],
  });
  const off = await start(await dataFolder(), { ...login, ...camera, CAMERA_ENABLED: 'false' });
  expect(await ask(off.url, '/api/devices')).toMatchObject({
    devices: [{ key: 'yard', type: 'none', enabled: false }, { key: 'secondary' }],
  });
});

it.each([
  [{ OBSCURA_HTTP_PORT: 'eighty' }, 'OBSCURA_HTTP_PORT must be a port'],
  [{ CAMERA_CAPTURE_INTERVAL: '1h' }, 'CAMERA_CAPTURE_INTERVAL must be seconds from 0 to 604800'],
  [{ CAMERA_ENABLED: 'perhaps' }, 'CAMERA_ENABLED must be true or false'],
  [{ CAMERA_RTSP_URL: 'http://192.0.2.7/' }, 'CAMERA_RTSP_URL must be like rtsp://'],
  [{ OBSCURA_FACTORY: '/nowhere/factory.json' }, 'The factory file /nowhere/factory.json cannot be read'],
  [{ OBSCURA_ADMIN_PASSWORD: 'short' }, 'OBSCURA_ADMIN_PASSWORD cannot be used'],
  [{ OBSCURA_DATA: '/proc/obscura/data' }, 'The data folder /proc/obscura/data cannot be used'],
  [{ OBSCURA_DATA: import.meta.filename }, 'cannot be used: it is not a folder'],
  [{ OBSCURA_BIND: '192.0.2.77' }, 'cannot be used: listen EADDRNOTAVAIL'],
])('refuses to start with %o, in words', async (environment, words) => {
  await expect(start(await dataFolder(), environment)).rejects.toThrow(words);
});

it.each([
  ['{"settings":{"brightness":1000}}', 'brightness: Value must be between 0 and 100'],
  ['{"settings":{"filmSpeed":1}}', 'filmSpeed: There is no setting named filmSpeed'],
  ['settings: [', 'cannot be read'],
])('refuses to start with the factory file %s, in words', async (text, words) => {
  const folder = await dataFolder();
  const factory = join(folder, 'factory.yaml');
  await writeFile(factory, text);
  await expect(start(folder, { OBSCURA_FACTORY: factory })).rejects.toThrow(words);
});

it('whose device key was lost lets the administrator in with a new password, and keeps the settings', async () => {
  const folder = await dataFolder();
  const first = await start(folder);
  const socket = await client(first.url);
  expect(await socket.ask({ op: 'set', set: { lightIntensity: 42 } })).toMatchObject({ ok: true });
  first.child.kill('SIGTERM');
  await first.exit();
  await writeFile(join(folder, 'device.key'), '');
  await writeFile(join(folder, 'tls', 'key.pem'), 'nonsense');
  const second = await start(folder, { OBSCURA_ADMIN_PASSWORD: 'Another-horse-2' });
  expect(second.output()).toContain('The device key was damaged');
  expect(second.output()).toContain('The certificate in');
  const again = await JsonSocket.open(`${second.url.replace('http', 'ws')}/api/v2`);
  const auth = { op: 'auth', username: 'admin', password: 'Another-horse-2' };
  expect(await again.ask(auth)).toMatchObject({ ok: true });
  expect(await again.ask({ op: 'get', keys: ['lightIntensity'] })).toMatchObject({
    state: { lightIntensity: 42 },
  });
  again.close();
});

it('refuses a data folder that another server uses', async () => {
  const folder = await dataFolder();
  await start(folder);
  await expect(start(folder)).rejects.toThrow('in use by process');
});

it('starts anew by its own action, with a new picture of nothing lost, as the service manager is told', async () => {
  const folder = await dataFolder();
  const name = join(folder, 'notify');
  const systemd = await ServiceManager.listen(name);
  try {
    const running = await start(join(folder, 'data'), { NOTIFY_SOCKET: name });
    const socket = await client(running.url);
    expect(await socket.ask({ op: 'set', set: { restart: true } })).toMatchObject({ ok: true });
    await socket.whenClosed();
    await expect.poll(() => running.output().match(/listens/g)?.length, { timeout: 10_000 }).toBe(2);
    // STOPPING would have it wait for an end that does not come.
    await expect
      .poll(() => systemd.heard.filter((message) => !message.startsWith('STATUS')))
      .toEqual(['READY=1', expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/), 'READY=1']);
  } finally {
    await systemd.close();
  }
});
