// The flows that the reference product documents, run by clients that were written for it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../src/store/actor.js';
import {
  BrowserClient,
  PythonClient,
  PythonSdkClient,
  ReactHookClient,
  SdkClient,
  TestScriptClient,
  TokenInEveryMessageClient,
  type Door,
  type ReferenceClient,
} from '../support/referenceClients.js';
import { adminPassword, peoplePassword, runningServer, type TestServer } from '../support/runningServer.js';

let server: TestServer;
const clients: ReferenceClient[] = [];
beforeAll(async () => {
  server = await runningServer({ people: true });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connected<C extends ReferenceClient>(
  Client: new (door: Door) => C,
  username = 'admin',
): Promise<C> {
  const client = new Client({
    url: server.url,
    username,
    password: username === 'admin' ? adminPassword : peoplePassword,
  });
  clients.push(client);
  await client.connect();
  return client;
}

type Written = new (door: Door) => ReferenceClient;
const flat: readonly Written[] = [
  BrowserClient,
  ReactHookClient,
  PythonClient,
  TokenInEveryMessageClient,
  TestScriptClient,
];
const typed: readonly Written[] = [SdkClient, PythonSdkClient];
const all = [...flat, ...typed];

/** Another value every time, so that every set is a change. */
let serial = 0;
function fresh(): { brightness: number; contrast: number; light: boolean } {
  serial += 1;
  return { brightness: serial % 100, contrast: (serial * 3) % 100, light: serial % 2 === 0 };
}

describe.each(flat.map((Client) => [Client.name, Client] as const))('%s', (_name, Client) => {
  it('sets several keys: the confirmation comes first, the broadcast after it, and others hear of it', async () => {
    const other = await connected(BrowserClient, 'viewer');
    const client = await connected(Client);
    other.query(['brightness']);
    await other.message((message) => 'brightness' in message);
    const wish = fresh();
    client.set({ brightness: wish.brightness, contrast: wish.contrast, light0: wish.light });
    await client.message(({ info }) => Array.isArray(info) && info.includes('contrast'));
    const told = await client.message(
      (message) => !('info' in message) && message['contrast'] === wish.contrast,
    );
    const confirmation = client.heard.find(({ info }) => Array.isArray(info) && info.includes('contrast'));
    expect(confirmation).toEqual({
      ...{ brightness: wish.brightness, contrast: wish.contrast, light0: wish.light },
      info: ['brightness', 'contrast', 'light0'],
    });
    expect(client.heard.indexOf(told)).toBeGreaterThan(client.heard.indexOf(confirmation ?? {}));
    expect(told).not.toHaveProperty('info');
    await other.until(({ brightness }) => brightness === wish.brightness);
    expect(other.state).toMatchObject({ brightness: wish.brightness, contrast: wish.contrast });
  });

  it('asks for values', async () => {
    const client = await connected(Client);
    client.query(['hue', 'streamBitrate']);
    expect(await client.message((message) => 'hue' in message)).toEqual({
      hue: server.store.get('hue'),
      streamBitrate: server.store.get('streamBitrate'),
    });
  });

  it('is told what is wrong with a value, by the documented words, while the good ones apply', async () => {
    const client = await connected(Client);
    const before = server.store.get('brightness');
    const { contrast } = fresh();
    client.set({ brightness: 150, contrast });
    expect(await client.message((message) => 'error' in message)).toEqual({
      error: 'Invalid value',
      key: 'brightness',
      message: 'Value must be between 0 and 100',
    });
    expect(await client.message(({ info }) => Array.isArray(info))).toMatchObject({ contrast });
    expect(server.store.get('brightness')).toBe(before);
    expect(server.store.get('contrast')).toBe(contrast);
  });

  it('is told what it may not do, and changes nothing', async () => {
    const client = await connected(Client, 'viewer');
    const before = server.store.get('brightness');
    client.set({ brightness: (before + 1) % 100 });
    expect(await client.message((message) => 'error' in message)).toEqual({
      error: 'Permission denied',
      key: 'brightness',
    });
    expect(server.store.get('brightness')).toBe(before);
  });
});

describe.each(typed.map((Client) => [Client.name, Client] as const))('%s', (_name, Client) => {
  it('has the whole state after get_state, and hears of its own and of others’ changes', async () => {
    const client = await connected(Client);
    const other = await connected(Client, 'viewer');
    expect(client.state).toMatchObject({ streamResolution: server.store.get('streamResolution') });
    expect(other.state).not.toHaveProperty('users');
    const wish = fresh();
    client.set({ brightness: wish.brightness, contrast: wish.contrast });
    for (const each of [client, other]) {
      await each.until(({ contrast }) => contrast === wish.contrast);
      expect(each.state).toMatchObject({ brightness: wish.brightness, contrast: wish.contrast });
    }
  });

  it('starts and stops a recording by its own name for it', async () => {
    const client = await connected(Client);
    client.set({ 'camera.recording': true });
    await client.until(({ record }) => record === true);
    client.set({ 'camera.recording': false });
    await client.until(({ record }) => record === false);
  });

  it('is told what is wrong with a value and what it may not do', async () => {
    const [client, viewer] = [await connected(Client), await connected(Client, 'viewer')];
    client.set({ brightness: 150 });
    expect(await client.message(({ type }) => type === 'error')).toEqual({
      type: 'error',
      error: 'Invalid value',
      parameter: 'brightness',
      message: 'Value must be between 0 and 100',
    });
    viewer.set({ brightness: 1 });
    expect(await viewer.message(({ type }) => type === 'error')).toMatchObject({
      error: 'Permission denied',
      parameter: 'brightness',
    });
  });
});

it.each(all.map((Client) => [Client.name, Client] as const))(
  '%s, merging every message, ends with the state of the server',
  async (_name, Client) => {
    const { store } = server;
    const client = await connected(Client);
    client.query(['hue']);
    await client.message(() => client.heard.length > 0);
    // Only keys that bear the same name in every protocol.
    const keys = [
      'streamBitrate',
      'hue',
      'gamma',
      'lightIntensity',
      'denoiseStrength',
      'streamFramerate',
    ] as const;
    for (let round = 1; round <= 60; round += 1) {
      const outcome = await store.transact(systemActor(), {
        streamBitrate: 1_000_000 + round * 1000 + serial,
        hue: round,
        gamma: 100 + round,
        lightIntensity: round % 100,
        denoiseStrength: (round * 7) % 100,
        streamFramerate: 10 + (round % 50),
      });
      expect(outcome.ok).toBe(true);
    }
    serial += 1;
    const last = store.get('streamBitrate');
    await client.until(({ streamBitrate }) => streamBitrate === last);
    for (const key of keys) expect([key, client.state[key]]).toEqual([key, store.get(key)]);
  },
);

it('a hundred messages a second for ten seconds are all confirmed, in order, and everybody has the last', async () => {
  const client = await connected(BrowserClient);
  const watcher = await connected(ReactHookClient, 'viewer');
  watcher.query(['lightTemperature']);
  await watcher.message((message) => 'lightTemperature' in message);
  const wished: number[] = [];
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const value = 2000 + wished.length;
      wished.push(value);
      client.set({ lightTemperature: value });
      if (wished.length < 1000) return;
      clearInterval(timer);
      done();
    }, 10);
  });
  const last = wished.at(-1);
  await client.message(({ info, lightTemperature }) => info !== undefined && lightTemperature === last);
  await watcher.until(({ lightTemperature }) => lightTemperature === last);
  const confirmed = client.heard.filter(({ info }) => info !== undefined);
  expect(confirmed.map(({ lightTemperature }) => lightTemperature)).toEqual(wished);
  expect(client.heard.filter((message) => 'error' in message)).toEqual([]);
  expect(server.store.get('lightTemperature')).toBe(last);
}, 60_000);
