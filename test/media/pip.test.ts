// Picture-in-picture, as it is seen in decoded pictures.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ValueOf } from '../../src/observables/define.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { isLike, PictureViewer, type Picture } from '../support/PictureViewer.js';
import { RtspViewer } from '../support/RtspViewer.js';
import { adminPassword } from '../support/runningServer.js';
import { TimeViewer } from '../support/TimeViewer.js';
import { WebPlayer } from '../support/WebPlayer.js';

type Layout = ValueOf<AppRegistry['pipLayout']>;

const [width, height] = [1280, 720];
const green = [0, 255, 0] as const;
const blue = [0, 0, 255] as const;
const white = [255, 255, 255] as const;
/** A 270th of the height. */
const edge = 3;

let server: MediaServer;
let viewer: PictureViewer;
beforeAll(async () => {
  server = await mediaServer();
  const heads = server.store.get('cameraHeadSettings');
  const camera = (device: string) => ({ resolution: '1280x720', fps: 30, device });
  expect(
    await server.change({
      streamResolution: '1280x720',
      streamFramerate: 10,
      streamBitrate: 4_000_000,
      timestampOverlay: { ...server.store.get('timestampOverlay'), enabled: false },
      cameraHeadSettings: {
        primary: { ...heads.primary, ...camera('green') },
        secondary: { ...heads.secondary, ...camera('blue') },
      },
    }),
  ).toMatchObject({ ok: true });
  viewer = new PictureViewer(server.rtsp(), width, height);
  await viewer.more(1);
}, 60_000);
afterAll(async () => {
  await viewer.stop();
  await server.stop();
});
afterEach(() => {
  expect(viewer.ended).toBeUndefined();
});

const usual = {
  mainSource: 'primary',
  pipSource: 'secondary',
  pipPosition: 'bottom-right',
  pipScale: 0.25,
  pipBorder: true,
} as const satisfies Layout;

async function show(layout: Partial<Layout>, enabled = true): Promise<void> {
  expect(await server.change({ pipEnabled: enabled, pipLayout: { ...usual, ...layout } })).toMatchObject({
    ok: true,
  });
}

/** The small picture with its border, where it is to be and nowhere else. */
function holds(
  picture: Picture,
  [x, y]: readonly [number, number],
  scale: number,
  [main, inset]: readonly [typeof green | typeof blue, typeof green | typeof blue],
  border = true,
): boolean {
  const at = (column: number, row: number): readonly [number, number, number] =>
    picture.at((column + 0.5) / width, (row + 0.5) / height);
  const isInside = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < width && row < height;
  const [right, bottom] = [x + width * scale, y + height * scale];
  const middle = [(x + right) / 2, (y + bottom) / 2] as const;
  const around = (distance: number): (readonly [number, number])[] =>
    (
      [
        [x - 1 - distance, middle[1]],
        [right + distance, middle[1]],
        [middle[0], y - 1 - distance],
        [middle[0], bottom + distance],
      ] as const
    ).filter(([column, row]) => isInside(column, row));
  return (
    around(-4).every(([column, row]) => isLike(at(column, row), inset)) &&
    isLike(at(...middle), inset) &&
    around(1).every(([column, row]) => isLike(at(column, row), border ? white : main)) &&
    around(edge + 3).every(([column, row]) => isLike(at(column, row), main))
  );
}

const small = [width * 0.25, height * 0.25] as const;
it.each([
  ['bottom-right', [width - small[0], height - small[1]]],
  ['top-left', [0, 0]],
  ['top-right', [width - small[0], 0]],
  ['bottom-left', [0, height - small[1]]],
  ['center', [(width - small[0]) / 2, (height - small[1]) / 2]],
] as const)('is at the %s, with its border', async (pipPosition, place) => {
  await show({ pipPosition });
  await viewer.until((picture) => holds(picture, place, 0.25, [green, blue]));
});

it('is as large as it is asked to be, without a border, and the other way round', async () => {
  await show({ pipPosition: 'top-left', pipScale: 0.5, pipBorder: false });
  await viewer.until((picture) => holds(picture, [0, 0], 0.5, [green, blue], false));
  await show({ pipPosition: 'top-left', pipScale: 0.5, mainSource: 'secondary', pipSource: 'primary' });
  await viewer.until((picture) => holds(picture, [0, 0], 0.5, [blue, green]));
});

it('is where it is dragged to, as a whole, with a border of any colour and width', async () => {
  await show({ x: 0.1, y: 0.2, borderColor: '#ff0000', borderWidth: 12 });
  const [left, top] = [width * 0.1, height * 0.2];
  const red = [255, 0, 0] as const;
  await viewer.until(
    (picture) =>
      isLike(picture.at(0.1 + 4 / width, 0.3), blue) &&
      isLike(picture.at((left - 6) / width, (top + 40) / height), red) &&
      isLike(picture.at((left + 40) / width, (top - 6) / height), red) &&
      isLike(picture.at((left - 18) / width, (top + 40) / height), green),
  );
  await show({ x: 1, y: 1 });
  await viewer.until((picture) => holds(picture, [width - small[0], height - small[1]], 0.25, [green, blue]));
});

it('lets what is behind it through, stands beside it, or waits unseen', async () => {
  await show({ opacity: 0.5, pipBorder: false });
  await viewer.until((picture) => isLike(picture.at(0.9, 0.9), [0, 128, 128]));
  await show({ arrangement: 'side-by-side' });
  await viewer.until(
    // Both keep their form, with black above and below.
    (picture) =>
      isLike(picture.at(0.25, 0.5), green) &&
      isLike(picture.at(0.75, 0.5), blue) &&
      isLike(picture.at(0.25, 0.1), [0, 0, 0]) &&
      isLike(picture.at(0.75, 0.9), [0, 0, 0]),
  );
  await show({ arrangement: 'main-only' });
  await viewer.until((picture) =>
    [0.02, 0.5, 0.98].every((place) => isLike(picture.at(place, place), green)),
  );
  await show({});
  await viewer.until((picture) => isLike(picture.at(0.9, 0.9), blue));
});

it('is the same in a browser', async () => {
  await server.change({ webrtcEnabled: true });
  await show({ pipPosition: 'top-left', pipScale: 0.5 });
  const browser = await launchBrowser();
  try {
    const authorization = `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`;
    const player = await WebPlayer.open(browser, server.url, { way: 'whep', authorization });
    const colours = (): Promise<number[][]> =>
      player.page.evaluate<number[][]>(`(() => {
        const video = document.querySelector('video');
        if (video === null || video.videoWidth === 0) return [];
        const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
        const context = canvas.getContext('2d');
        context.drawImage(video, 0, 0);
        const at = (x, y) => [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data.slice(0, 3)];
        return [at(0.1, 0.1), at(0.48, 0.48), at(0.6, 0.6), at(0.1, 0.6)];
      })()`);
    const seen = async (wanted: readonly (readonly [number, number, number])[]): Promise<boolean> =>
      (await colours()).every((each, index) =>
        isLike(each as [number, number, number], wanted[index] ?? white),
      ) && (await colours()).length === wanted.length;
    await expect.poll(() => seen([blue, blue, green, green]), { timeout: 20_000 }).toBe(true);
    await show({ pipPosition: 'bottom-right', pipScale: 0.5 });
    await expect.poll(() => seen([green, green, blue, green]), { timeout: 20_000 }).toBe(true);
  } finally {
    await browser.close();
  }
});

it('moves while it runs, as fast as it is dragged, and nobody misses a picture', async () => {
  await show({});
  const watching = new RtspViewer(server.rtsp('/stream2'));
  await watching.more(5);
  const { restarts } = server.pipelines().find(({ name }) => name === 'scene') ?? { restarts: -1 };
  const before = watching.frames.length;
  for (let step = 0; step <= 40; step += 1) {
    const pipLayout = { ...usual, pipScale: 0.1 + step / 100, pipPosition: 'center' as const };
    expect(await server.change({ pipLayout })).toMatchObject({ ok: true });
  }
  await watching.more(10);
  const times = watching.frames.slice(before).map(({ time }) => time);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  // The second stream runs at no more than the first.
  expect(Math.max(...gaps)).toBeLessThan(1.5 / 10);
  await watching.close();
  expect(server.pipelines().find(({ name }) => name === 'scene')).toMatchObject({
    restarts,
    state: 'running',
  });
});

it('comes and goes without anybody being disconnected', async () => {
  for (let round = 0; round < 3; round += 1) {
    await show({}, false);
    await viewer.until((picture) => isLike(picture.at(0.9, 0.9), green));
    await show({});
    await viewer.until((picture) => isLike(picture.at(0.9, 0.9), blue));
  }
  await show({}, false);
  await expect.poll(() => server.pipelines().map(({ name }) => name)).not.toContain('scene');
});

it('goes on with the card where one of the cameras gives nothing', async () => {
  await show({});
  const heads = server.store.get('cameraHeadSettings');
  const broken = { source: 'v4l2' as const, device: '/dev/video63' };
  const card = [32, 38, 46] as const;
  await server.change({ cameraHeadSettings: { ...heads, secondary: { ...heads.secondary, ...broken } } });
  await viewer.until(
    (picture) => isLike(picture.at(0.77, 0.77), card) && isLike(picture.at(0.3, 0.3), green),
  );
  await server.change({ cameraHeadSettings: { ...heads, primary: { ...heads.primary, ...broken } } });
  await viewer.until((picture) => isLike(picture.at(0.3, 0.3), card) && isLike(picture.at(0.9, 0.9), blue));
  await server.change({ cameraHeadSettings: heads });
  await viewer.until((picture) => isLike(picture.at(0.3, 0.3), green) && isLike(picture.at(0.9, 0.9), blue));
});

it('waits for a camera on the network, which is behind the other', async () => {
  await show({});
  const origin = await mediaServer();
  try {
    const theirs = origin.store.get('cameraHeadSettings');
    await origin.change({
      cameraHeadSettings: { ...theirs, primary: { ...theirs.primary, device: 'red' } },
      timestampOverlay: { ...origin.store.get('timestampOverlay'), enabled: false },
      timeBlock: true,
      streamFramerate: 10,
    });
    const heads = server.store.get('cameraHeadSettings');
    const camera = {
      ...{ source: 'rtsp' as const, url: `rtsp://127.0.0.1:${String(origin.rtspPort)}/stream1` },
      ...{ username: 'admin', password: adminPassword },
    };
    const red = [255, 0, 0] as const;
    const isRight = (picture: Picture): boolean =>
      isLike(picture.at(0.3, 0.3), red) && isLike(picture.at(0.9, 0.9), blue);
    await server.change({ cameraHeadSettings: { ...heads, primary: { ...heads.primary, ...camera } } });
    await viewer.until(isRight);
    // And goes on to show both: none is left out because it is late.
    expect((await viewer.more(30)).filter((picture) => !isRight(picture))).toEqual([]);
    // Each of its pictures is seen, and none twice: this one reads when the other server took them.
    const reader = new TimeViewer(server.rtsp(), 'tcp');
    await reader.more(10);
    const begin = reader.frames.length;
    await reader.more(30);
    await reader.close();
    const taken = reader.frames.slice(begin).map(({ captured }) => captured ?? 0);
    const steps = taken.slice(1).map((time, index) => Math.round((time - (taken[index] ?? 0)) / 100_000));
    expect(steps.filter((step) => step === 1).length).toBeGreaterThanOrEqual(steps.length - 2);
    await server.change({ cameraHeadSettings: heads });
    await viewer.until((picture) => isLike(picture.at(0.3, 0.3), green));
  } finally {
    await origin.stop();
  }
});
