// The editor of the small picture, held against the pixels that the browser has decoded.
import type { Browser, Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ValueOf } from '../../src/observables/define.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { basic, passwordOf } from '../support/runningServer.js';
import { WebPage } from '../support/WebPage.js';

type Layout = ValueOf<AppRegistry['pipLayout']>;

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Change {
  readonly old: Layout;
  readonly new: Layout;
}

const usual = {
  mainSource: 'primary',
  pipSource: 'secondary',
  pipPosition: 'center',
  pipScale: 0.25,
  pipBorder: false,
} as const satisfies Layout;

let browser: Browser;
let server: MediaServer;
const opened: WebPage[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), mediaServer()]);
  const heads = server.store.get('cameraHeadSettings');
  const camera = (device: string) => ({ resolution: '640x360', fps: 30, device });
  const outcome = await server.change({
    webrtcEnabled: true,
    timestampOverlay: { ...server.store.get('timestampOverlay'), enabled: false },
    cameraHeadSettings: {
      primary: { ...heads.primary, ...camera('green') },
      secondary: { ...heads.secondary, ...camera('blue') },
    },
    pipEnabled: true,
    stream2: { ...server.store.get('stream2'), resolution: '640x480', bitrate: 1_000_000 },
  });
  expect(outcome).toMatchObject({ ok: true });
});
beforeEach(async () => {
  await server.change({ pipLayout: usual });
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

/** At the open editor. */
async function edit(
  username: string,
  ...options: Parameters<typeof WebPage.openAs> extends [unknown, unknown, unknown, ...infer O] ? O : never
): Promise<WebPage> {
  const web = await WebPage.openAs(browser, server.url, username, ...options);
  opened.push(web);
  await web.page.getByRole('button', { name: 'Picture-in-picture' }).click();
  await frameOf(web).waitFor();
  return web;
}

function frameOf({ page }: WebPage): Locator {
  return page.getByRole('slider', { name: 'Small picture' });
}

async function boxOf(web: WebPage): Promise<Box> {
  const { x, y, width, height } = (await frameOf(web).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { left: x, top: y, width, height };
}

/** Where on the page the decoded picture is blue, as the small one is; nothing while it is nowhere. */
function blue({ page }: WebPage): Promise<Box | null> {
  return page.evaluate<Box | null>(`(() => {
    const shown = document.querySelector('.stage img') ?? document.querySelector('.stage video');
    const width = shown.videoWidth ?? shown.naturalWidth;
    const height = shown.videoHeight ?? shown.naturalHeight;
    if (!(width > 0) || shown.readyState < 2) return null;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    context.drawImage(shown, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    let [left, top, right, bottom] = [width, height, 0, 0];
    for (let y = 0; y < height; y += 1)
      for (let x = 0; x < width; x += 1) {
        const [red, green, blue] = data.subarray(4 * (y * width + x));
        if (blue < 150 || green > 90 || red > 90) continue;
        [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
      }
    if (right === 0) return null;
    const area = shown.getBoundingClientRect();
    const scale = Math.min(area.width / width, area.height / height);
    return {
      left: area.left + (area.width - width * scale) / 2 + left * scale,
      top: area.top + (area.height - height * scale) / 2 + top * scale,
      width: (right - left) * scale,
      height: (bottom - top) * scale,
    };
  })()`);
}

/** Within what colours of neighbouring pixels run into each other, in pixels of the screen. */
const tolerance = 5;

function isNear(one: Box, other: Box): boolean {
  return (['left', 'top', 'width', 'height'] as const).every(
    (side) => Math.abs(one[side] - other[side]) <= tolerance,
  );
}

/** The frame is on the picture of the second camera, and elsewhere than before. */
async function untilThere(web: WebPage, before?: Box): Promise<Box> {
  let there: Box | undefined;
  await expect
    .poll(async () => {
      const [frame, picture] = [await boxOf(web), await blue(web)];
      const isThere = picture !== null && isNear(frame, picture) && (!before || !isNear(frame, before));
      there = isThere ? frame : undefined;
      return isThere ? 'there' : { frame, picture };
    })
    .toBe('there');
  if (there === undefined) throw new Error('The frame has gone');
  return there;
}

/** What was kept of the layout by these people, the newest first. */
async function kept(user: string): Promise<Change[]> {
  const response = await fetch(`${server.url}/api/audit?key=pipLayout&outcome=done&user=${user}`, {
    headers: { authorization: basic('admin', passwordOf('admin')) },
  });
  const { records } = (await response.json()) as {
    readonly records: readonly { readonly changes: readonly (Change & { readonly key: string })[] }[];
  };
  return records.flatMap(({ changes }) => changes.filter(({ key }) => key === 'pipLayout'));
}

async function takeHold({ page }: WebPage, { left, top, width, height }: Box): Promise<[number, number]> {
  const [x, y] = [left + width / 2, top + height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  return [x, y];
}

describe('the small picture', () => {
  it('follows the mouse while it is dragged, is kept once when it is let go of, and returns with Esc', async () => {
    const web = await edit('admin');
    const { mouse, keyboard } = web.page;
    const before = await untilThere(web);
    const lines = (await kept('admin')).length;
    const [x, y] = await takeHold(web, before);
    for (let step = 1; step <= 30; step += 1) await mouse.move(x - 5 * step, y - 3 * step);
    // Nothing is let go of so far.
    const held = await untilThere(web, before);
    expect(held.left).toBeCloseTo(before.left - 150, 0);
    expect(await kept('admin')).toHaveLength(lines);
    await mouse.move(x - 250, y - 60);
    const dragged = await untilThere(web, held);
    await mouse.up();
    await expect.poll(() => kept('admin')).toHaveLength(lines + 1);
    const [newest] = await kept('admin');
    expect(newest).toMatchObject({ old: usual, new: server.store.get('pipLayout') });
    expect(await untilThere(web)).toEqual(dragged);

    // A movement that is given up leaves no trace.
    await takeHold(web, dragged);
    await mouse.move(x + 50, y + 50);
    await untilThere(web, dragged);
    await keyboard.press('Escape');
    await expect.poll(async () => isNear(await boxOf(web), dragged)).toBe(true);
    await mouse.move(x, y);
    await mouse.up();
    expect(isNear(await untilThere(web), dragged)).toBe(true);
    expect(await kept('admin')).toHaveLength(lines + 1);

    // And after it, everything since the editing began is given up.
    await keyboard.press('Escape');
    expect(isNear(await untilThere(web, dragged), before)).toBe(true);
    await expect.poll(() => server.store.get('pipLayout')).toEqual(usual);
  });

  it('is pulled at its corners, and never leaves the picture', async () => {
    const web = await edit('operator');
    const { mouse } = web.page;
    const before = await untilThere(web);
    await mouse.move(before.left + before.width - 2, before.top + before.height - 2);
    await mouse.down();
    await mouse.move(before.left + before.width + 158, before.top + before.height + 88, { steps: 5 });
    await mouse.up();
    const larger = await untilThere(web, before);
    expect([larger.left, larger.top]).toEqual([
      expect.closeTo(before.left, 0) as number,
      expect.closeTo(before.top, 0) as number,
    ]);
    expect(larger.width).toBeGreaterThan(before.width + 100);
    await takeHold(web, larger);
    await mouse.move(0, 0, { steps: 3 });
    await mouse.up();
    await untilThere(web, larger);
    // In the corner, which has a name.
    await expect.poll(() => server.store.get('pipLayout')).toMatchObject({ pipPosition: 'top-left' });
    expect(server.store.get('pipLayout')).not.toHaveProperty('x');
  });

  it('moves by keys, a hundredth or a tenth, and what was typed in a row is one change', async () => {
    const web = await edit('admin');
    const before = await untilThere(web);
    const lines = (await kept('admin')).length;
    const frame = frameOf(web);
    await frame.focus();
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowDown', 'Shift+ArrowUp', '+'])
      await web.page.keyboard.press(key);
    await expect.poll(() => kept('admin')).toHaveLength(lines + 1);
    expect(server.store.get('pipLayout')).toEqual({ ...usual, pipScale: 0.26, x: 0.355, y: 0.285 });
    expect(await frame.getAttribute('aria-valuetext')).toBe(
      '35.5 % from the left, 28.5 % from the top, size 26 %',
    );
    const moved = await untilThere(web, before);
    await web.page.keyboard.press('Escape');
    expect(isNear(await untilThere(web, moved), before)).toBe(true);
    expect(await kept('admin')).toHaveLength(lines + 2);
  });

  it('is where numbers and the nine positions put it, and changes places with the large one', async () => {
    const web = await edit('operator');
    const { page } = web;
    const write = async (label: string, value: string): Promise<void> => {
      await page.getByRole('spinbutton', { name: label, exact: true }).fill(value);
      await page.keyboard.press('Enter');
    };
    let last = await untilThere(web);
    await write('Left', '10');
    last = await untilThere(web, last);
    await write('Top', '5');
    last = await untilThere(web, last);
    await write('Size', '40');
    last = await untilThere(web, last);
    expect(server.store.get('pipLayout')).toMatchObject({ x: 0.1, y: 0.05, pipScale: 0.4 });
    await page.getByRole('button', { name: 'Bottom centre' }).click();
    last = await untilThere(web, last);
    expect(server.store.get('pipLayout')).toMatchObject({ x: 0.3, y: 0.6 });
    await page.getByRole('button', { name: 'Top right' }).click();
    await untilThere(web, last);
    expect(server.store.get('pipLayout')).toMatchObject({ pipPosition: 'top-right' });
    // What is at an edge stays there when it grows.
    await write('Size', '50');
    await expect.poll(() => server.store.get('pipLayout')).toMatchObject({ pipScale: 0.5 });
    expect(server.store.get('pipLayout')).not.toHaveProperty('x');
    await page.getByRole('button', { name: 'Swap' }).click();
    await expect.poll(() => server.store.get('pipLayout').mainSource).toBe('secondary');
    // Now the other three quarters are blue.
    await expect.poll(async () => (await blue(web))?.width).toBeGreaterThan(last.width * 2);
    await page.getByRole('button', { name: 'Main only' }).click();
    await frameOf(web).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Inset' }).click();
    await frameOf(web).waitFor();
    await page.getByRole('switch').click();
    await frameOf(web).waitFor({ state: 'detached' });
    expect(server.store.get('pipEnabled')).toBe(false);
    await page.getByRole('switch').click();
    await frameOf(web).waitFor();
  });

  it('is framed where it is in a stream of another form, and as MJPEG', async () => {
    const web = await edit('viewer', { viewport: { width: 900, height: 700 } });
    const wide = await untilThere(web);
    await web.page.getByRole('button', { name: 'Second stream' }).click();
    await web.page.getByText('640 × 480').waitFor();
    // 4:3 in the 16:9 of the page, with the 16:9 of the cameras within.
    const narrow = await untilThere(web, wide);
    expect(narrow.width / wide.width).toBeCloseTo(0.75, 1);
    await server.change({ webrtcEnabled: false });
    await web.page.locator('.transport[data-transport="mjpeg"]').waitFor();
    expect(isNear(await untilThere(web, narrow), wide)).toBe(true);
    await server.change({ webrtcEnabled: true });
    await web.page.locator('.transport[data-transport="webrtc"]').waitFor();
  });
});

describe('those who edit', () => {
  it('without the right to do so see where it is, and which right it takes', async () => {
    const web = await edit('viewer');
    const before = await untilThere(web);
    await web.page.getByRole('region', { name: 'Picture-in-picture' }).getByText('Needs Media_rw').waitFor();
    expect(await frameOf(web).getAttribute('aria-disabled')).toBe('true');
    for (const role of ['spinbutton', 'switch'] as const)
      for (const each of await web.page.getByRole(role).all()) expect(await each.isDisabled()).toBe(true);
    await takeHold(web, before);
    await web.page.mouse.move(before.left, before.top - 50, { steps: 3 });
    await web.page.mouse.up();
    await web.page.keyboard.press('ArrowLeft');
    expect(await boxOf(web)).toEqual(before);
    expect(server.store.get('pipLayout')).toEqual(usual);
  });

  it('at the same time learn who was first, and the later hand holds nothing any more', async () => {
    const [mine, theirs] = [await edit('admin'), await edit('operator')];
    const before = await untilThere(mine);
    await untilThere(theirs);
    const [x, y] = await takeHold(mine, before);
    await mine.page.mouse.move(x - 40, y - 40);
    await untilThere(mine, before);
    await theirs.page.getByRole('button', { name: 'Bottom right' }).click();
    await expect.poll(() => server.store.get('pipLayout')).toEqual({ ...usual, pipPosition: 'bottom-right' });
    await mine.page.mouse.move(x - 80, y - 80);
    const panel = mine.page.getByRole('region', { name: 'Picture-in-picture' });
    await panel.getByText('Changed by operator in the meantime.').waitFor();
    await mine.page.mouse.move(x - 120, y - 120);
    await mine.page.mouse.up();
    const there = await untilThere(theirs);
    expect(isNear(await untilThere(mine), there)).toBe(true);
    expect(server.store.get('pipLayout')).toEqual({ ...usual, pipPosition: 'bottom-right' });
    // There is nothing of one's own left to return to.
    expect(await mine.page.getByRole('button', { name: 'Revert' }).isDisabled()).toBe(true);
    await mine.page.getByRole('button', { name: 'Top left', exact: true }).click();
    await expect.poll(() => server.store.get('pipLayout')).toMatchObject({ pipPosition: 'top-left' });
  });

  it('meet no barriers that axe knows of, in either theme, and have it all on a narrow screen', async () => {
    const web = await edit('admin', { bypassCSP: true });
    for (const colorScheme of ['light', 'dark'] as const) {
      await web.page.emulateMedia({ colorScheme });
      expect(await web.accessibilityFaults()).toEqual([]);
    }
    await web.page.setViewportSize({ width: 320, height: 640 });
    await untilThere(web);
    expect(await web.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
  });
});
