// What settings make of the picture, as it is seen in decoded pictures: colours, turning, enlarging, the time, and the
// simulated head of the test picture.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ValueOf } from '../../src/observables/define.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { isLike, PictureViewer, type Picture } from '../support/PictureViewer.js';

type Head = ValueOf<AppRegistry['cameraHeadSettings']>['primary'];
type Colour = readonly [number, number, number];

const red = [255, 0, 0] as const;
const blue = [0, 0, 255] as const;
const white = [255, 255, 255] as const;
const black = [0, 0, 0] as const;
const [width, height] = [320, 180];

let server: MediaServer;
let viewer: PictureViewer;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-picture-'));
  server = await mediaServer();
  const { store } = server;
  await server.change({
    streamBitrate: 2_000_000,
    stream2: { ...store.get('stream2'), enabled: false },
    timestampOverlay: { ...store.get('timestampOverlay'), enabled: false },
  });
  await use({ device: 'red' });
  viewer = new PictureViewer(server.rtsp(), width, height);
  await viewer.until(isAll(red));
});
afterAll(async () => {
  await viewer.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});
afterEach(() => {
  expect(viewer.ended).toBeUndefined();
});

const isAll =
  (colour: Colour) =>
  (picture: Picture): boolean =>
    [0.05, 0.5, 0.95].every((place) => isLike(picture.at(place, place), colour));

async function use(head: Partial<Head>): Promise<void> {
  const heads = server.store.get('cameraHeadSettings');
  const primary = { ...heads.primary, source: 'test' as const, resolution: '640x360', fps: 30, ...head };
  expect(await server.change({ cameraHeadSettings: { ...heads, primary } })).toMatchObject({ ok: true });
}

async function change(patch: Parameters<MediaServer['change']>[0]): Promise<void> {
  expect(await server.change(patch)).toMatchObject({ ok: true });
}

const sum = ([r, g, b]: Colour): number => r + g + b;
const middle = (picture: Picture): Colour => picture.at(0.5, 0.5);

describe('the colours of the picture', () => {
  const neutral = { brightness: 50, contrast: 50, saturation: 50, hue: 0, sharpness: 50, gamma: 100 };

  it.each<readonly [string, Partial<typeof neutral>, (seen: Colour, usual: Colour) => boolean]>([
    ['more brightness', { brightness: 70 }, (seen, usual) => sum(seen) > sum(usual) + 80],
    ['no brightness', { brightness: 0 }, (seen, usual) => sum(seen) < sum(usual) - 80],
    ['less contrast', { contrast: 20 }, (seen, usual) => seen[0] < usual[0] - 30],
    ['more contrast', { contrast: 100 }, (seen, usual) => sum(seen) > sum(usual) + 80],
    ['no saturation', { saturation: 0 }, ([r, g, b]) => Math.max(r, g, b) - Math.min(r, g, b) < 12],
    ['another hue', { hue: 120 }, ([r, g, b]) => r < 100 && Math.max(g, b) > 80],
    ['the opposite hue', { hue: -180 }, ([r, g, b]) => r < 40 && g > 80 && b > 80],
    ['more gamma', { gamma: 250 }, (seen, usual) => sum(seen) > sum(usual) + 80],
    ['less gamma', { gamma: 40 }, (seen, usual) => seen[0] < usual[0] - 30],
  ])('change with %s, and are what they were when that is taken back', async (_name, adjusted, isSeen) => {
    const usual = middle(await viewer.until(isAll(red)));
    await change({ imageSettings: { ...neutral, ...adjusted } });
    await viewer.until((picture) => isSeen(middle(picture), usual));
    await change({ imageSettings: neutral });
    await viewer.until((picture) =>
      middle(picture).every((part, index) => Math.abs(part - (usual[index] ?? 0)) <= 2),
    );
  });

  it('are left alone by what is not available, which is said', async () => {
    const usual = middle(await viewer.until(isAll(red)));
    const { store } = server;
    await change({
      imageSettings: { ...neutral, sharpness: 90 },
      redGain: 100,
      whiteBalance: { mode: 'tungsten', temperature: 3200 },
      noiseSuppression: true,
      colorGrading: { ...store.get('colorGrading'), enabled: true },
    });
    for (const picture of await viewer.more(5)) expect(isLike(middle(picture), usual)).toBe(true);
    expect(store.get('capabilities').primary).toMatchObject(
      Object.fromEntries(
        ['sharpness', 'redGain', 'whiteBalance', 'noiseSuppression', 'denoiseStrength', 'colorGrading'].map(
          (name) => [name, { by: 'none' }],
        ),
      ),
    );
    expect(store.get('whiteBalance').mode).toBe('tungsten');
  });
});

describe('who carries out what', () => {
  const by = (...names: string[]): (string | undefined)[] =>
    names.map((name) => server.store.get('capabilities').primary[name]?.by);
  const names = [
    'brightness',
    'videoFlip',
    'digitalZoom',
    'gain',
    'lightEnabled',
    'discRotation',
    'logoOverlay',
  ];

  it.each([
    [
      { source: 'test' as const },
      ['picture', 'picture', 'picture', 'simulated', 'simulated', 'simulated', 'none'],
    ],
    [
      { source: 'rtsp' as const, url: 'rtsp://127.0.0.1:1/' },
      ['picture', 'picture', 'picture', 'none', 'none', 'none', 'none'],
    ],
    [{ source: 'none' as const }, Array.from({ length: 7 }, () => 'none')],
  ])('is told of %j', async (head, expected) => {
    await use(head);
    await expect.poll(() => by(...names)).toEqual(expected);
    await use({ device: 'red' });
  });
});

describe('the picture of a camera', () => {
  /** The colours of the four quarters, from the top left in the order of reading. */
  type Quarters = readonly [Colour, Colour, Colour, Colour];
  const dark = [0, 128, 0] as const;
  const quarters: Quarters = [red, dark, blue, white];

  beforeAll(async () => {
    const path = join(folder, 'quarters.mp4');
    const parts = ['red', 'green', 'blue', 'white'].flatMap((colour) => [
      ...['-f', 'lavfi', '-i', `color=${colour}:size=320x180:rate=30:duration=40`],
    ]);
    const whole = '[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack';
    const words = [
      '-v',
      'error',
      ...parts,
      '-filter_complex',
      whole,
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
    ];
    expect(await run('ffmpeg', [...words, '-pix_fmt', 'yuv420p', path])).toMatchObject({ code: 0 });
    await use({ source: 'file', device: path });
    await viewer.until(showsQuarters(quarters));
  });
  afterAll(async () => {
    await use({ device: 'white' });
  });

  /** Lying, or upright with black on both sides. */
  function showsQuarters(wanted: Quarters, isUpright = false): (picture: Picture) => boolean {
    // An upright picture of 9 to 16 takes 81 of 256 parts of the width.
    const part = isUpright ? 81 / 256 : 1;
    const [left, right] = [0.5 - part / 4, 0.5 + part / 4];
    const beside = isUpright ? [0.02, 0.5 - part / 2 - 0.03, 0.5 + part / 2 + 0.03, 0.98] : [];
    return (picture) =>
      [
        picture.at(left, 0.25),
        picture.at(right, 0.25),
        picture.at(left, 0.75),
        picture.at(right, 0.75),
      ].every((seen, index) => isLike(seen, wanted[index] ?? black)) &&
      beside.every((x) => isLike(picture.at(x, 0.5), black));
  }

  it.each<readonly [0 | 90 | 180 | 270, boolean, boolean, Quarters]>([
    [90, false, false, [blue, red, white, dark]],
    [180, false, false, [white, blue, dark, red]],
    [270, false, false, [dark, white, red, blue]],
    [0, true, false, [dark, red, white, blue]],
    [0, false, true, [blue, white, red, dark]],
    [0, true, true, [white, blue, dark, red]],
    [90, true, false, [red, blue, dark, white]],
    [270, false, true, [red, blue, dark, white]],
    [0, false, false, quarters],
  ])(
    'is turned by %d degrees, mirrored sideways: %s, upside down: %s',
    async (degrees, sideways, over, wanted) => {
      await change({ videoRotation: degrees, videoFlip: { horizontal: sideways, vertical: over } });
      await viewer.until(showsQuarters(wanted, degrees % 180 !== 0));
    },
  );

  it('keeps its form where it is upright, and fills a stream that is', async () => {
    await change({ videoRotation: 90 });
    await viewer.until(showsQuarters([blue, red, white, dark], true));
    await change({ streamResolution: '360x640' });
    await viewer.until(showsQuarters([blue, red, white, dark]));
    await change({ streamResolution: '640x360', videoRotation: 0 });
    await viewer.until(showsQuarters(quarters));
  });

  it('is enlarged where it is pointed at, as it is seen', async () => {
    const zoom = (panX: number, panY: number, level = 2) =>
      change({ digitalZoom: { enabled: true, level, panX, panY } });
    await zoom(-1, -1);
    await viewer.until(isAll(red));
    await zoom(1, 1, 4);
    await viewer.until(isAll(white));
    await zoom(0, 0, 10);
    await viewer.until(showsQuarters(quarters));
    await change({ videoRotation: 180 });
    await zoom(-1, -1);
    await viewer.until(isAll(white));
    await change({ videoRotation: 0, digitalZoom: { enabled: false, level: 2, panX: -1, panY: -1 } });
    await viewer.until(showsQuarters(quarters));
  });

  it('is turned in a picture of two cameras as well', async () => {
    const heads = server.store.get('cameraHeadSettings');
    const secondary = { ...heads.secondary, device: 'red', resolution: '640x360', fps: 30 };
    await change({
      cameraHeadSettings: { ...heads, secondary },
      pipEnabled: true,
      pipLayout: {
        ...{ mainSource: 'primary', pipSource: 'secondary', pipPosition: 'bottom-right' },
        ...{ pipScale: 0.5, pipBorder: false },
      },
    });
    await viewer.until(showsQuarters([red, dark, blue, red]));
    await change({ videoRotation: 90 });
    await viewer.until(showsQuarters([blue, red, white, red], true));
    await change({ videoRotation: 0 });
    await viewer.until(showsQuarters([red, dark, blue, red]));
    await change({ pipEnabled: false });
    await viewer.until(showsQuarters(quarters));
  });
});

describe('the time in the picture', () => {
  const usual = {
    enabled: true,
    format: "'HHHHHH'",
    fontSize: 42,
    color: '#00ff00',
    background: 'none',
  } as const;
  /** Of what is green, in parts of the picture: left, top, right and bottom. */
  function drawn(picture: Picture): readonly [number, number, number, number] | undefined {
    const places = Array.from({ length: width * height }, (_, index) => [
      ...[((index % width) + 0.5) / width, (Math.floor(index / width) + 0.5) / height],
    ]).filter(([x = 0, y = 0]) => {
      const [r, g, b] = picture.at(x, y);
      return g > 120 && r < 120 && b < 120;
    });
    if (places.length === 0) return undefined;
    const xs = places.map(([x = 0]) => x);
    const ys = places.map(([, y = 0]) => y);
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  }

  beforeAll(async () => {
    await use({ device: 'black' });
  });
  afterAll(async () => {
    await change({ timestampOverlay: { ...server.store.get('timestampOverlay'), enabled: false } });
  });

  it.each([
    ['top-left', [0, 0]],
    ['top-right', [1, 0]],
    ['bottom-left', [0, 1]],
    ['bottom-right', [1, 1]],
    ['center', [0.5, 0.5]],
  ] as const)('stands at the %s', async (position, [x, y]) => {
    await change({ timestampOverlay: { ...usual, position } });
    await viewer.until((picture) => {
      const [left, top, right, bottom] = drawn(picture) ?? [2, 2, 2, 2];
      // As far from the left as x says of the room that is left, and as high as it is to be.
      const [room, rise] = [1 - (right - left), 1 - (bottom - top)];
      const isHigh = Math.abs((bottom - top) * 360 - 42) < 5;
      return isHigh && Math.abs(left / room - x) < 0.1 && Math.abs(top / rise - y) < 0.1;
    });
  });

  it('is as high as it is to be, in the colour that is said', async () => {
    await change({ timestampOverlay: { ...usual, position: 'center', fontSize: 84 } });
    await viewer.until((picture) => {
      const [, top, , bottom] = drawn(picture) ?? [0, 0, 0, 0];
      return Math.abs((bottom - top) * 360 - 84) < 5;
    });
    await change({ timestampOverlay: { ...usual, position: 'center', color: 'blue' } });
    await viewer.until((picture) => drawn(picture) === undefined);
  });

  it('is that of the time zone', async () => {
    // One letter of the offset for each that UTC does not have.
    const shown = { ...usual, position: 'top-left', format: 'XXX' } as const;
    const across = (picture: Picture): number => {
      const [left, , right] = drawn(picture) ?? [0, 0, 0];
      return (right - left) * 640;
    };
    const letter = 6 * 6;
    await change({ timestampOverlay: shown, timezone: 'UTC' });
    await viewer.until((picture) => across(picture) > 0 && across(picture) < letter);
    await change({ timezone: 'Asia/Kolkata' });
    await viewer.until((picture) => across(picture) > 5 * letter);
  });
});

describe('the head that the test picture pretends to have', () => {
  const brightness = (picture: Picture): number => sum(middle(picture)) / 3;
  const near =
    (wanted: number) =>
    (picture: Picture): boolean =>
      Math.abs(brightness(picture) - wanted) < 15;

  beforeAll(async () => {
    await use({ device: 'white' });
    await viewer.until(isAll(white));
  });

  it('has a light', async () => {
    await change({ lightIntensity: 50 });
    await viewer.until(near(0.55 * 255));
    await change({ lightEnabled: false });
    await viewer.until(near(0.1 * 255));
    await change({ light0: true });
    await viewer.until(near(0.4 * 255));
    // That of the other camera.
    await change({ light0: false, light1: true });
    await viewer.until(near(0.1 * 255));
    await change({ light1: false, lightEnabled: true });
    await viewer.until(near(0.55 * 255));
  });

  it('has a gain and an exposure', async () => {
    await change({ gain: 0 });
    await viewer.until(near(0.275 * 255));
    const automatic = server.store.get('autoExposure');
    await change({ gain: 50, autoExposure: { ...automatic, compensation: -1 } });
    await viewer.until(near(0.275 * 255));
    const manual = server.store.get('manualExposure');
    await change({ autoExposure: { ...automatic, enabled: false } });
    await viewer.until(near(0.55 * 255));
    await change({ manualExposure: { ...manual, shutterSpeed: 8333 } });
    await viewer.until(near(0.275 * 255));
    await change({ autoExposure: automatic, manualExposure: manual, lightIntensity: 100 });
    await viewer.until(isAll(white));
  });

  it('has a light of another colour', async () => {
    await use({ device: 'red' });
    await viewer.until(isAll(red));
    await change({ lightTemperature: 15_000 });
    await viewer.until((picture) => !isLike(middle(picture), red));
    await change({ lightTemperature: 5500 });
    await viewer.until(isAll(red));
  });

  it('has a disc that turns, and a sensor that says where it is', async () => {
    const before = server.store.get('fpgaTemperature');
    await change({ discRotation: { enabled: true, direction: 'clockwise', speed: 5, position: 0 } });
    const position = (): number => server.store.get('discRotation').position;
    await expect.poll(position, { timeout: 4000 }).toBeGreaterThan(0);
    expect(server.store.get('headSensors').position).toBe(position());
    const somewhere = position();
    await expect.poll(position, { timeout: 4000 }).toBeGreaterThan(somewhere);
    await change({ discRotation: { ...server.store.get('discRotation'), speed: 10_000 } });
    await expect.poll(() => server.store.get('fpgaTemperature'), { timeout: 4000 }).toBeGreaterThan(before);
    await change({ discRotation: { enabled: false, direction: 'stopped', speed: 0, position: 0 } });
  });
});
