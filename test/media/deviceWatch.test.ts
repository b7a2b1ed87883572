import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeviceWatch, type DeviceWatchParts } from '../../src/media/deviceWatch.js';

let place = '';
let folder = '';
const watches: DeviceWatch[] = [];
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'obscura-watch-'));
  folder = join(place, 'dev');
});
afterEach(async () => {
  for (const watch of watches.splice(0)) watch.close();
  await rm(place, { recursive: true });
});

/** What has been told so far, as the paths of the devices. */
function watch(
  ask: (path: string) => Promise<string>,
  times: Pick<DeviceWatchParts, 'lookEveryMs' | 'answersWithinMs'> = {},
): string[][] {
  const told: string[][] = [];
  watches.push(
    new DeviceWatch({
      ...{ folder, ask, ...times },
      onDevices: (devices) => told.push(devices.map(({ path }) => path)),
      log: () => undefined,
    }),
  );
  return told;
}

const camera = (path: string): Promise<string> => Promise.resolve(JSON.stringify({ path }));
const paths = (...numbers: number[]): string[] =>
  numbers.map((number) => join(folder, `video${String(number)}`));
async function plug(...numbers: number[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const path of paths(...numbers)) await writeFile(path, '');
}

it('tells the cameras at once, in the order of their numbers, and nothing else', async () => {
  await plug(10, 2, 0);
  await writeFile(join(folder, 'videos'), '');
  const told = watch((path) => (path.endsWith('video0') ? Promise.resolve('') : camera(path)));
  await expect.poll(() => told).toEqual([paths(2, 10)]);
});

it('tells what comes and goes', async () => {
  await plug(0);
  const told = watch(camera);
  await expect.poll(() => told).toEqual([paths(0)]);
  await plug(1);
  await expect.poll(() => told.at(-1)).toEqual(paths(0, 1));
  for (const path of paths(0)) await rm(path);
  await expect.poll(() => told.at(-1)).toEqual(paths(1));
});

it('tells the names that stay, also those that are made later', async () => {
  await plug(0);
  const [path = ''] = paths(0);
  const byId = join(folder, 'v4l/by-id');
  await mkdir(byId, { recursive: true });
  await symlink(path, join(byId, 'usb-one'));
  const told: (readonly string[])[] = [];
  watches.push(
    new DeviceWatch({
      ...{ folder, ask: camera, lookEveryMs: 20, log: () => undefined },
      onDevices: ([device]) => told.push(device?.links ?? []),
    }),
  );
  await expect.poll(() => told).toEqual([[join(byId, 'usb-one')]]);
  await symlink(path, join(byId, 'usb-other'));
  await expect.poll(() => told.at(-1)?.toSorted()).toEqual([join(byId, 'usb-one'), join(byId, 'usb-other')]);
});

it('finds a folder that is made later, by looking for it', async () => {
  const told = watch(camera, { lookEveryMs: 20 });
  await expect.poll(() => told).toEqual([[]]);
  await plug(3);
  await expect.poll(() => told).toEqual([[], paths(3)]);
});

it('does not ask a camera again that has not answered, and takes it when it does', async () => {
  await plug(0, 1);
  let answer: (json: string) => void = () => undefined;
  const asked: string[] = [];
  const told = watch(
    (path) => {
      asked.push(path);
      if (!path.endsWith('video0') || asked.filter((each) => each === path).length > 1) return camera(path);
      return new Promise((resolve) => (answer = resolve));
    },
    { answersWithinMs: 50 },
  );
  await expect.poll(() => told).toEqual([paths(1)]);
  await plug(2);
  await expect.poll(() => told.at(-1)).toEqual(paths(1, 2));
  expect(asked.filter((path) => path.endsWith('video0'))).toHaveLength(1);
  answer('');
  await expect.poll(() => told.at(-1)).toEqual(paths(0, 1, 2));
});
