import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JsonSocket, type Json } from '../../support/JsonSocket.js';
import {
  adminPassword,
  peoplePassword,
  runningServer,
  type TestServer,
} from '../../support/runningServer.js';

let server: TestServer;
const sockets: JsonSocket[] = [];

beforeAll(async () => {
  server = await runningServer({ people: true });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

async function open(path = '/api/v1', options = {}): Promise<JsonSocket> {
  const socket = await JsonSocket.open(server.socketUrl + path, options);
  sockets.push(socket);
  return socket;
}

async function loggedIn(username = 'admin', password = adminPassword): Promise<JsonSocket> {
  const socket = await open();
  socket.send({ username, password });
  expect(await socket.next()).toMatchObject({ authenticated: true });
  return socket;
}

async function token(username = 'admin', password = adminPassword): Promise<string> {
  const response = await fetch(`${server.url}/api/login`, {
    method: 'POST',
    body: JSON.stringify({ username, password }),
  });
  return ((await response.json()) as { token: string }).token;
}

describe('log-in', () => {
  it('by name and password tells the permissions', async () => {
    const socket = await open();
    socket.send({ username: 'viewer', password: peoplePassword });
    expect(await socket.next()).toEqual({
      authenticated: true,
      permissions: ['Device_r', 'Media_r', 'Storage_r', 'System_r'],
    });
  });

  it('by token works, as a message, in every message, in the URL and in a header', async () => {
    const mine = await token();
    const byMessage = await open();
    byMessage.send({ token: mine });
    expect(await byMessage.next()).toMatchObject({ authenticated: true });
    const inEvery = await open();
    inEvery.send({ token: mine, get: ['brightness'] });
    expect(await inEvery.next()).toEqual({ brightness: 50 });
    for (const socket of [
      await open(`/api/v1?token=${mine}`),
      await open('/api/v1', { headers: { authorization: `Bearer ${mine}` } }),
    ]) {
      socket.send({ get: ['brightness'] });
      expect(await socket.next()).toEqual({ brightness: 50 });
    }
  });

  it('that fails is answered and leaves the connection as it was', async () => {
    const socket = await open();
    socket.send({ username: 'viewer', password: 'not it' });
    expect(await socket.next()).toEqual({ authenticated: false, error: 'Invalid credentials' });
    socket.send({ get: ['brightness'] });
    expect(await socket.next()).toEqual({ error: 'Permission denied', key: 'brightness' });
  });
});

describe('setting', () => {
  it('is confirmed to the sender first and then told to everybody, the sender included', async () => {
    const [sender, other] = [await loggedIn(), await loggedIn('viewer', peoplePassword)];
    sender.send({ saturation: 61, sharpness: 62 });
    expect(await sender.next()).toEqual({ saturation: 61, sharpness: 62, info: ['saturation', 'sharpness'] });
    expect(await sender.next()).toMatchObject({ saturation: 61, sharpness: 62 });
    const told = await other.next();
    expect(told).toMatchObject({ saturation: 61, sharpness: 62 });
    expect(told).not.toHaveProperty('info');
  });

  it('to the value it has is confirmed and told to nobody', async () => {
    const [sender, other] = [await loggedIn(), await loggedIn()];
    sender.send({ contrast: 50 });
    expect(await sender.next()).toEqual({ contrast: 50, info: ['contrast'] });
    sender.send({ gain: 51 });
    expect(await other.next()).toEqual({ gain: 51 });
  });

  it('applies the good keys of a message and answers each bad one', async () => {
    const socket = await loggedIn();
    socket.send({ contrast: 64, brightness: 400, fps: 3, nonsense: 1, rtspPath: '/x' });
    expect(await socket.next()).toEqual({ contrast: 64, info: ['contrast'] });
    const errors = [
      await socket.next(isError),
      await socket.next(isError),
      await socket.next(isError),
      await socket.next(isError),
    ];
    expect(errors.toSorted((a, b) => String(a['key']).localeCompare(String(b['key'])))).toEqual([
      { error: 'Invalid value', key: 'brightness', message: 'Value must be between 0 and 100' },
      { error: 'Invalid value', key: 'fps', message: 'Value must be between 5 and 60' },
      { error: 'Unknown key', key: 'nonsense' },
      { error: 'Permission denied', key: 'rtspPath' },
    ]);
    expect(server.store.get('contrast')).toBe(64);
    expect(server.store.get('brightness')).toBe(50);
  });

  it('is refused to those who may not, and to nobody in particular', async () => {
    const viewer = await loggedIn('viewer', peoplePassword);
    const anonymous = await open();
    for (const socket of [viewer, anonymous]) {
      socket.send({ streamBitrate: 1_000_000 });
      expect(await socket.next()).toEqual({ error: 'Permission denied', key: 'streamBitrate' });
    }
    expect(server.store.get('streamBitrate')).toBe(8_000_000);
  });

  it('of a password never repeats it', async () => {
    const [socket, other] = [await loggedIn(), await loggedIn()];
    socket.send({ userPasswords: { guest: 'Another-canary-9' } });
    expect(await socket.next()).toEqual({ info: ['userPasswords'] });
    other.send({ get: ['brightness'] });
    await other.next();
    expect(JSON.stringify([...socket.heard, ...other.heard])).not.toContain('canary');
  });
});

function isError(message: Json): boolean {
  return 'error' in message;
}

describe('the older names', () => {
  const values: readonly (readonly [string, unknown, string, unknown])[] = [
    ['cam1-light', true, 'light0', true],
    ['cam2-light', true, 'light1', true],
    ['main-camera', 2, 'activeCameraHead', 1],
    ['cam1-sensor', 2, 'cam0SelectedSensor', 2],
    ['cam2-sensor', 3, 'cam1SelectedSensor', 3],
    ['pip-mode', 'top-left', 'pipEnabled', true],
    ['red-gain', 11, 'redGain', 11],
    ['blue-gain', 12, 'blueGain', 12],
    ['auto-exposure', 'manual', 'exposure', 'manual'],
    ['auto-white-balance', 'tungsten', 'whiteBalance', { mode: 'tungsten', temperature: 3200 }],
    ['noise-supression', true, 'noiseSuppression', true],
    ['jpeg-quality', 70, 'pictureQuality', 70],
    ['resolution', '1280x720', 'streamResolution', '1280x720'],
    ['fps', 25, 'streamFramerate', 25],
  ];
  it.each(values)('%s can be set, read and heard of', async (name, value, key, stored) => {
    const [socket, other] = [await loggedIn(), await loggedIn()];
    socket.send({ [name]: value });
    expect(await socket.next()).toEqual({ [name]: value, info: [name] });
    expect(await other.next((message) => name in message)).toMatchObject({ [name]: value });
    socket.send({ get: [name] });
    expect(await socket.next((message) => Object.keys(message).length === 1 && name in message)).toEqual({
      [name]: value,
    });
    expect(server.store.snapshot().values).toMatchObject({ [key]: stored });
  });

  it('and the names of the observables both work, each answered as it was asked', async () => {
    const socket = await loggedIn();
    socket.send({ get: ['cam1-light', 'light0', 'cam1-exists', 'whiteBalance', 'auto-white-balance'] });
    const answer = await socket.next();
    expect(answer['light0']).toBe(answer['cam1-light']);
    expect(answer['cam1-exists']).toBe(true);
    expect(answer['whiteBalance']).toHaveProperty('mode', answer['auto-white-balance']);
  });

  it('take what older clients send in place of modes', async () => {
    const socket = await loggedIn();
    for (const [sent, shown] of [
      [true, 'auto'],
      [false, 'manual'],
    ]) {
      socket.send({ 'auto-white-balance': sent });
      expect(await socket.next((message) => 'info' in message)).toMatchObject({
        'auto-white-balance': shown,
      });
    }
    for (const [sent, shown] of [
      ['on', true],
      ['pause', 'pause'],
      ['pause_release', true],
      ['off', false],
    ]) {
      socket.send({ record: sent });
      expect(await socket.next((message) => 'info' in message)).toMatchObject({ record: shown });
    }
    socket.send({ record: 'pause' });
    expect(await socket.next((message) => 'error' in message)).toMatchObject({
      error: 'Invalid value',
      key: 'record',
    });
  });
});

describe('asking', () => {
  it('gets one flat object, under either word for it', async () => {
    const socket = await loggedIn();
    socket.send({ get: ['hue', 'gamma'] });
    expect(await socket.next()).toEqual({ hue: 0, gamma: 100 });
    socket.send({ info: ['hue'] });
    expect(await socket.next()).toEqual({ hue: 0 });
  });

  it('is answered before anything that was not asked for', async () => {
    const quiet = await open(`/api/v1?token=${await token()}`);
    const busy = await loggedIn();
    busy.send({ gain: 77 });
    await busy.next((message) => 'info' in message);
    await busy.next((message) => message['gain'] === 77);
    quiet.send({ get: ['hue'] });
    expect(await quiet.next()).toEqual({ hue: 0 });
    expect(await quiet.next((message) => 'gain' in message)).toMatchObject({ gain: 77 });
  });

  it('for what may not be read is refused key by key', async () => {
    const socket = await loggedIn('viewer', peoplePassword);
    socket.send({ get: ['hue', 'users', 'nonsense'] });
    expect(await socket.next()).toEqual({ hue: 0 });
    expect(await socket.next()).toEqual({ error: 'Permission denied', key: 'users' });
    expect(await socket.next()).toEqual({ error: 'Unknown key', key: 'nonsense' });
  });
});

describe('the other dialects', () => {
  it('takes setState and getState', async () => {
    const socket = await loggedIn();
    socket.send({ action: 'setState', key: 'lightIntensity', value: 40 });
    expect(await socket.next((message) => 'key' in message)).toEqual({ key: 'lightIntensity', value: 40 });
    socket.send({ action: 'getState', key: 'lightIntensity' });
    expect(await socket.next((message) => 'key' in message)).toEqual({ key: 'lightIntensity', value: 40 });
    const viewer = await loggedIn('viewer', peoplePassword);
    viewer.send({ action: 'setState', key: 'lightIntensity', value: 41 });
    expect(await viewer.next()).toMatchObject({ error: 'Permission denied', key: 'lightIntensity' });
  });

  it('speaks the names of the observables on /api, recording in commands', async () => {
    const socket = await open(`/api?token=${await token()}`);
    socket.send({ light0: false, record: 'start' });
    expect(await socket.next((message) => 'info' in message)).toEqual({
      light0: false,
      record: 'start',
      info: ['light0', 'record'],
    });
    expect(await socket.next((message) => 'record' in message)).toMatchObject({ record: 'start' });
    socket.send({ record: 'stop' });
    expect(await socket.next((message) => 'info' in message)).toMatchObject({ record: 'stop' });
  });

  it('serves an SDK class on /ws: subscribe, state, set, updates and errors', async () => {
    const sdk = await open(`/ws?token=${await token()}`);
    const states: Json = {};
    sdk.send({ type: 'subscribe', event: 'state_changes' });
    sdk.send({ type: 'get_state' });
    const { state } = (await sdk.next((message) => message['type'] === 'state')) as { state: Json };
    expect(state['hue']).toBe(0);
    sdk.send({ type: 'set_parameter', parameter: 'hue', value: 12 });
    for (;;) {
      const update = await sdk.next((message) => message['type'] === 'state_update');
      states[String(update['parameter'])] = update['value'];
      if (update['parameter'] === 'hue' && update['value'] === 12) break;
    }
    sdk.send({ type: 'set_parameter', parameter: 'hue', value: 900 });
    expect(await sdk.next((message) => message['type'] === 'error')).toMatchObject({
      parameter: 'hue',
      error: 'Invalid value',
    });
    sdk.send({ type: 'set_parameter', parameter: 'hue', value: 0 });
  });

  it('serves channels and commands on /api/v1/ws', async () => {
    const socket = await open('/api/v1/ws', { headers: { authorization: `Bearer ${await token()}` } });
    socket.send({ type: 'subscribe', channel: 'status', id: 's1' });
    expect(await socket.next()).toEqual({ type: 'subscription_confirmed', channel: 'status', id: 's1' });
    socket.send({ type: 'command', command: 'recording_start', id: 'c1' });
    const update = await socket.next(
      (message) => message['type'] === 'status_update' && 'recording' in (message['data'] as Json),
    );
    expect(update).toMatchObject({ data: { recording: true } });
    expect(await socket.next((message) => message['type'] === 'command_response')).toEqual({
      type: 'command_response',
      id: 'c1',
      success: true,
    });
    socket.send({ type: 'command', command: 'fly', id: 'c2' });
    expect(await socket.next((message) => message['id'] === 'c2')).toMatchObject({ success: false });
    server.store.write({ recordingState: 'stopped' });
  });
});

describe('a client that misbehaves', () => {
  it('is told what is wrong with its messages', async () => {
    const socket = await loggedIn();
    for (const text of ['{"brightness":', '[1]', '{}']) {
      socket.send(text);
      expect(await socket.next()).toMatchObject({ error: 'Invalid message' });
    }
    socket.send({ hue: 0 });
    expect(await socket.next()).toMatchObject({ info: ['hue'] });
  });

  it('may send a burst of a hundred and fifty messages, each of which is confirmed', async () => {
    const socket = await loggedIn();
    for (let count = 0; count < 150; count += 1) socket.send({ gain: count % 100 });
    for (let count = 0; count < 150; count += 1)
      expect(await socket.next((message) => 'info' in message)).not.toHaveProperty('error');
  });

  it('that sends without measure is slowed down, then cut off', async () => {
    const socket = await loggedIn();
    for (let count = 0; count < 400; count += 1) socket.send({ get: ['hue'] });
    expect(await socket.next((message) => message['error'] === 'Rate limit exceeded')).toMatchObject({
      limit: 100,
      period: 'second',
    });
    expect(await socket.whenClosed()).toMatchObject({ code: 4029 });
  });

  it('from another site does not get in', async () => {
    await expect(open('/api/v1', { headers: { origin: 'http://evil.example' } })).rejects.toThrow('403');
    const own = await open('/api/v1', { headers: { origin: server.url } });
    own.send({ get: ['hue'] });
    expect(await own.next()).toMatchObject({ error: 'Permission denied' });
  });
});

it('a plain request to the path of the sockets is answered', async () => {
  const response = await fetch(`${server.url}/api/v1`);
  expect(response.status).toBe(200);
});
