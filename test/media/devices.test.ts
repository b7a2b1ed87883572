// Cameras of the machine: listed as they are plugged in, shown, and set by their controls. The driver is a fake (see
// test/support/FakeCameras.ts), because machines that run tests have neither cameras nor a loopback device.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeCameras } from '../support/FakeCameras.js';
import { JsonSocket } from '../support/JsonSocket.js';
import type { MediaServer } from '../support/mediaServer.js';
import { isLike, PictureViewer, type Picture } from '../support/PictureViewer.js';
import { adminPassword, basic } from '../support/runningServer.js';

const ids = {
  brightness: 0x980900,
  contrast: 0x980901,
  saturation: 0x980902,
  autoWhiteBalance: 0x98090c,
  gamma: 0x980910,
  gain: 0x980913,
  temperature: 0x98091a,
  sharpness: 0x98091b,
  exposureMode: 0x9a0901,
  exposureTime: 0x9a0902,
  triggerSource: 0x98c900,
  triggerMode: 0x98c901,
} as const;

const webcam = [
  'name Fake webcam',
  'format YUYV 640 480 30 15',
  'format YUYV 320 240 30',
  'format MJPG 1280 720 60 30',
  'control 980900 integer Brightness -64 64 1 0',
  'control 980901 integer Contrast 0 95 1 1',
  'control 98090c boolean White_Balance,_Automatic 0 1 1 1',
  'control 980910 integer Gamma 100 300 1 100',
  'control 980913 integer Gain 0 128 4 64',
  'control 98091a integer White_Balance_Temperature 2800 6500 10 4600',
  'control 98091b integer Sharpness 1 7 1 2',
  'control 9a0901 menu Auto_Exposure 0 3 1 3 1=Manual_Mode 3=Aperture_Priority_Mode',
  'control 9a0902 integer Exposure_Time,_Absolute 10 2500 1 156',
  'refuse 980901',
];
const card = [32, 38, 46] as const;

let cameras: FakeCameras;
let server: MediaServer;
let viewer: PictureViewer;
beforeAll(async () => {
  cameras = await FakeCameras.make();
  server = await cameras.server();
  const heads = server.store.get('cameraHeadSettings');
  const primary = { ...heads.primary, source: 'v4l2' as const, device: cameras.path(0) };
  expect(
    await server.change({
      streamFramerate: 15,
      stream2: { ...server.store.get('stream2'), enabled: false },
      timestampOverlay: { ...server.store.get('timestampOverlay'), enabled: false },
      cameraHeadSettings: {
        ...heads,
        primary: { ...primary, format: 'YUY2', resolution: '640x480', fps: 15 },
      },
    }),
  ).toMatchObject({ ok: true });
  viewer = new PictureViewer(server.rtsp());
  await viewer.until((picture) => isLike(picture.at(0.5, 0.2), card));
});
afterAll(async () => {
  await viewer.stop();
  await server.stop();
  await cameras.remove();
});
afterEach(() => {
  expect(viewer.ended).toBeUndefined();
});

const devices = () => server.store.get('videoDevices');
const capabilities = () => server.store.get('capabilities');
const shows =
  (brightness: number) =>
  (picture: Picture): boolean =>
    isLike(picture.at(0.5, 0.2), [brightness, brightness, brightness]);
/** The last value of each control. */
const set = async (number: number): Promise<Readonly<Record<number, number>>> =>
  Object.fromEntries(await cameras.wasSet(number));

it('is listed when it is plugged in, with what it can do, and shown', async () => {
  expect(devices()).toEqual([]);
  expect([server.store.get('cam0Exists'), server.store.get('cam1Exists')]).toEqual([false, true]);
  expect(capabilities().primary['brightness']).toEqual({ by: 'picture' });
  await cameras.plug(0, webcam);
  await expect.poll(devices).toMatchObject([
    {
      ...{ path: cameras.path(0), name: 'Fake webcam', driver: 'uvcvideo', bus: 'usb-fake-1', links: [] },
      formats: [
        {
          format: 'YUY2',
          sizes: [
            { width: 640, height: 480, rates: [15, 30] },
            { width: 320, height: 240, rates: [30] },
          ],
        },
        { format: 'MJPG', sizes: [{ width: 1280, height: 720, rates: [30, 60] }] },
      ],
    },
  ]);
  expect(devices()[0]?.controls.map(({ name }) => name)).toHaveLength(9);
  expect(devices()[0]?.controls).toContainEqual({
    ...{ id: ids.exposureMode, name: 'Auto Exposure', kind: 'menu', minimum: 0, maximum: 3, step: 1 },
    default: 3,
    choices: [
      { value: 1, name: 'Manual Mode' },
      { value: 3, name: 'Aperture Priority Mode' },
    ],
  });
  await expect
    .poll(() => server.store.get('uvcDevices'))
    .toEqual([{ path: cameras.path(0), name: 'Fake webcam' }]);
  expect(server.store.get('cam0Exists')).toBe(true);
  await viewer.until(shows(127));
  await expect.poll(() => server.store.get('cameraStatus').primary.state).toBe('live');
});

it('says who carries out which setting', () => {
  expect(capabilities().primary).toMatchObject({
    brightness: { by: 'device', control: 'Brightness', minimum: -64, maximum: 64, default: 0 },
    contrast: { by: 'device' },
    saturation: { by: 'picture' },
    hue: { by: 'picture' },
    gamma: { by: 'device' },
    sharpness: { by: 'device' },
    gain: { by: 'device' },
    redGain: { by: 'none' },
    whiteBalance: { by: 'device', minimum: 2800 },
    autoExposure: { by: 'device' },
    manualExposure: { by: 'device', maximum: 2500 },
    videoRotation: { by: 'picture' },
    light0: { by: 'none' },
    colorGrading: { by: 'none' },
  });
  expect(capabilities().secondary).toMatchObject({
    brightness: { by: 'picture' },
    gain: { by: 'simulated' },
    light1: { by: 'simulated' },
    sharpness: { by: 'none' },
  });
});

describe('its controls', () => {
  it('are all set when it is opened', async () => {
    await expect
      .poll(() => set(0))
      .toEqual({
        [ids.brightness]: 0,
        [ids.autoWhiteBalance]: 1,
        [ids.gamma]: 100,
        [ids.gain]: 64,
        [ids.sharpness]: 2,
        [ids.exposureMode]: 3,
      });
  });

  it('follow the settings, over HTTP and WebSocket, and only what has changed is set', async () => {
    const before = (await cameras.wasSet(0)).length;
    const answer = await fetch(`${server.url}/api/state`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', authorization: basic('admin', adminPassword) },
      body: JSON.stringify({ set: { brightness: 100 } }),
    });
    expect(answer.status).toBe(200);
    // Seen, and not made brighter once more by the server.
    await viewer.until(shows(255));
    expect((await cameras.wasSet(0)).slice(before)).toEqual([[ids.brightness, 64]]);
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
    await socket.ask({ op: 'auth', username: 'admin', password: adminPassword });
    expect(await socket.ask({ op: 'set', set: { brightness: 25 } })).toMatchObject({ ok: true });
    socket.close();
    await viewer.until(shows(64));
    await expect
      .poll(async () => (await cameras.wasSet(0)).slice(before))
      .toEqual([
        [ids.brightness, 64],
        [ids.brightness, -32],
      ]);
  });

  it('are set in the order in which they set each other free', async () => {
    const before = (await cameras.wasSet(0)).length;
    const since = async () => (await cameras.wasSet(0)).slice(before);
    await server.change({
      autoExposure: { ...server.store.get('autoExposure'), enabled: false },
      manualExposure: { ...server.store.get('manualExposure'), shutterSpeed: 20_000 },
      whiteBalance: { mode: 'tungsten', temperature: 5500 },
      gain: 100,
      imageSettings: { ...server.store.get('imageSettings'), sharpness: 75, gamma: 150 },
    });
    expect(await since()).toEqual([
      [ids.autoWhiteBalance, 0],
      [ids.temperature, 3200],
      [ids.exposureMode, 1],
      [ids.exposureTime, 200],
      [ids.gain, 128],
      [ids.sharpness, 5],
      [ids.gamma, 150],
    ]);
    await server.change({ whiteBalance: { mode: 'auto', temperature: 5500 } });
    expect((await since()).slice(7)).toEqual([[ids.autoWhiteBalance, 1]]);
  });

  it('that are refused are told, and stop nothing', async () => {
    const { store } = server;
    await expect
      .poll(() => store.status('imageSettings'))
      .toMatchObject({
        status: 'applied',
        reason: 'The primary camera refuses it: Contrast: the device is busy',
      });
    expect(store.status('gain').reason).toBeUndefined();
    expect(store.get('cameraStatus').primary.state).toBe('live');
  });
});

it('leaves the card when it is unplugged, comes back by itself, and is set as before', async () => {
  await cameras.unplug(0);
  await viewer.until((picture) => isLike(picture.at(0.5, 0.2), card));
  await expect.poll(devices).toEqual([]);
  await expect.poll(() => server.store.get('cameraStatus').primary.state).toBe('no signal');
  expect(server.store.get('cam0Exists')).toBe(false);
  expect(capabilities().primary['gain']).toEqual({ by: 'none' });
  await server.change({ brightness: 75 });
  await cameras.plug(0, webcam);
  await viewer.until(shows(192));
  await expect.poll(devices).toHaveLength(1);
  await expect
    .poll(() => set(0))
    .toMatchObject({ [ids.brightness]: 32, [ids.exposureTime]: 200, [ids.gain]: 128 });
});

it('is found by a name that stays', async () => {
  const heads = server.store.get('cameraHeadSettings');
  const device = await cameras.link('usb-fake-index0', 0);
  await expect.poll(() => devices()[0]?.links).toEqual([device]);
  await server.change({
    cameraHeadSettings: { ...heads, primary: { ...heads.primary, device } },
  });
  await expect.poll(() => capabilities().primary['brightness']?.by).toBe('device');
  expect(server.store.get('cam0Exists')).toBe(true);
  await server.change({ cameraHeadSettings: heads });
});

it('says what it does not have, where it is set to that', async () => {
  const { store } = server;
  const heads = store.get('cameraHeadSettings');
  expect(store.status('cameraHeadSettings').reason).toBeUndefined();
  await server.change({
    cameraHeadSettings: { ...heads, primary: { ...heads.primary, resolution: '800x600' } },
  });
  await viewer.until((picture) => isLike(picture.at(0.5, 0.2), card));
  expect(store.status('cameraHeadSettings')).toMatchObject({
    status: 'applied',
    reason: 'The primary camera has no 800x600 as YUY2, but 640x480, 320x240',
  });
  await server.change({ cameraHeadSettings: heads });
  await viewer.until(shows(192));
  expect(store.status('cameraHeadSettings').reason).toBeUndefined();
});

describe('a camera with a trigger', () => {
  const triggered = [
    ...webcam,
    'control 98c900 menu Trigger_Source 0 1 1 0 0=Line_0 1=Line_1',
    'control 98c901 menu Trigger_Mode 0 2 1 0 0=Off 1=External 2=Self',
    'pulses 98c901 1',
  ];
  const align = (patch: object) =>
    server.change({ streamAlignment: { ...server.store.get('streamAlignment'), ...patch } });
  const inWords = () => server.store.get('alignmentStatus').triggers;
  const replug = async (lines: readonly string[]) => {
    await cameras.unplug(0);
    await viewer.until((picture) => isLike(picture.at(0.5, 0.2), card));
    await expect.poll(devices).toEqual([]);
    await cameras.plug(0, lines);
    await viewer.until(shows(192));
  };

  it('runs by itself while nobody asks for anything else, whatever the method', async () => {
    await replug(triggered);
    await expect
      .poll(inWords)
      .toEqual({ primary: 'not used: Trigger Source, Trigger Mode', secondary: 'none' });
    expect(capabilities().primary['trigger']).toMatchObject({ by: 'device', control: 'Trigger Source' });
    expect(capabilities().secondary['trigger']).toEqual({ by: 'none' });
    await align({ method: 'hardware' });
    expect(await set(0)).toMatchObject({ [ids.triggerSource]: 0, [ids.triggerMode]: 0 });
  });

  it('takes its pictures as it is told while the clocks of devices are trusted', async () => {
    const before = (await cameras.wasSet(0)).length;
    await align({ triggers: { primary: { trigger_source: 'Line 1', 'Trigger Mode': 2 } } });
    expect((await cameras.wasSet(0)).slice(before)).toEqual([
      [ids.triggerSource, 1],
      [ids.triggerMode, 2],
    ]);
    await expect
      .poll(inWords)
      .toEqual({ primary: 'Trigger Source is Line 1; Trigger Mode is 2', secondary: 'none' });
    await viewer.more(5);
  });

  it('that waits for pulses in vain shows the card, and comes back when the method is left', async () => {
    await align({ triggers: { primary: { 'Trigger Mode': 'External' } } });
    await viewer.until((picture) => isLike(picture.at(0.5, 0.2), card));
    await expect.poll(() => server.store.get('cameraStatus').primary.problem).toBe('silent');
    await align({ method: 'timestamp' });
    await viewer.until(shows(192));
    expect(await set(0)).toMatchObject({ [ids.triggerSource]: 0, [ids.triggerMode]: 0 });
    await expect.poll(() => inWords().primary).toBe('not used: Trigger Source, Trigger Mode');
  });

  it('that refuses is told, and what it does not have as well', async () => {
    await replug([...triggered, 'refuse 98c901']);
    await align({
      method: 'hardware',
      triggers: { primary: { 'Trigger Mode': 'Self', Brightness: 1 }, secondary: { 'Trigger Mode': true } },
    });
    await expect
      .poll(() => server.store.status('streamAlignment'))
      .toMatchObject({
        status: 'applied',
        reason: 'The primary camera refuses it: Trigger Mode: the device is busy',
      });
    await expect.poll(inWords).toEqual({
      primary: 'Trigger Mode is Self; the camera has no trigger called Brightness',
      secondary: 'the camera has no trigger called Trigger Mode',
    });
    await align({ method: 'timestamp', triggers: {} });
  });
});

it('tells in the forms of the reference product what it really has', async () => {
  const answer = await fetch(`${server.url}/api/camera/info`, {
    headers: { authorization: basic('admin', adminPassword) },
  });
  expect(await answer.json()).toMatchObject({
    device: { path: cameras.path(0), name: 'Fake webcam', driver: 'uvcvideo' },
    capabilities: {
      resolutions: [
        { width: 1280, height: 720 },
        { width: 640, height: 480 },
        { width: 320, height: 240 },
      ],
      formats: ['YUY2', 'MJPG'],
      frame_rates: [15, 30, 60],
    },
  });
});

it('that does not answer keeps nobody waiting', async () => {
  await cameras.plug(1, [...webcam, 'hang']);
  await cameras.plug(2, ['name Second', 'format NV12 640 360 30']);
  await expect
    .poll(() => devices().map(({ name }) => name), { timeout: 8000 })
    .toEqual(['Fake webcam', 'Second']);
  await viewer.more(5);
  await cameras.unplug(2);
  await expect.poll(() => devices().map(({ name }) => name)).toEqual(['Fake webcam']);
  await cameras.unplug(1);
});
