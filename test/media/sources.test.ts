// Every kind of source, with real senders: their picture is shown, and when they go a card is, until they come back.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { colours, isLike, shows } from '../support/PictureViewer.js';
import { PrimaryCamera } from '../support/PrimaryCamera.js';
import { freePorts } from '../support/ports.js';
import { RtspSocket } from '../support/RtspSocket.js';
import { adminPassword, basic } from '../support/runningServer.js';

let server: MediaServer;
let folder = '';
const children: ChildProcess[] = [];
let primary: PrimaryCamera;
beforeAll(async () => {
  server = await mediaServer();
  primary = new PrimaryCamera(server);
  folder = await mkdtemp(join(tmpdir(), 'obscura-sources-'));
  await server.change({ stream2: { ...server.store.get('stream2'), enabled: false } });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await primary.nobodyWatches();
  for (const child of children.splice(0)) await end(child);
});

function ffmpeg(...words: string[]): ChildProcess {
  const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...words], { stdio: 'ignore' });
  children.push(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

const colour = (name: string): string[] => [
  '-re',
  ...['-f', 'lavfi', '-i', `color=${name}:size=320x180:rate=25`],
];

describe('a camera that speaks RTSP', () => {
  let origin: MediaServer;
  beforeAll(async () => {
    origin = await mediaServer();
    const heads = origin.store.get('cameraHeadSettings');
    await origin.change({
      cameraHeadSettings: { ...heads, primary: { ...heads.primary, device: 'white' } },
      timestampOverlay: { ...origin.store.get('timestampOverlay'), enabled: false },
    });
  });
  afterAll(() => origin.stop());

  const url = (path = '/stream1'): string => `rtsp://127.0.0.1:${String(origin.rtspPort)}${path}`;
  const account = { username: 'admin', password: adminPassword };

  it.each(['tcp', 'udp'] as const)('is shown, over %s', async (transport) => {
    const viewer = await primary.watch();
    await primary.use({ source: 'rtsp', url: url(), ...account, transport });
    await viewer.until(shows(colours.white));
    await expect.poll(() => primary.status().state).toBe('live');
    await viewer.more(20);
    await primary.use({});
    await viewer.until((picture) => !shows(colours.white)(picture));
  });

  it('may go and come back', async () => {
    await primary.use({ source: 'rtsp', url: url(), ...account });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.white));
    await origin.change({ rtspEnabled: false });
    await viewer.until(shows(colours.card));
    await expect.poll(() => primary.status().state).toBe('no signal');
    await origin.change({ rtspEnabled: true });
    await viewer.until(shows(colours.white));
    await expect.poll(() => primary.status().state).toBe('live');
    expect(viewer.ended).toBe(undefined);
  });

  it('keeps its password to itself', async () => {
    await primary.use({ source: 'rtsp', url: url(), ...account });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.white));
    const headers = {
      authorization: basic('admin', adminPassword),
    };
    for (const path of [
      '/api/pipelines',
      '/api/pipelines/graph?name=capture/primary',
      '/api/pipelines/graph?name=capture/primary&format=svg',
      '/api/pipelines/graph?name=capture/primary&format=json',
      '/api/settings',
    ]) {
      const answer = await fetch(server.url + path, { headers });
      expect(answer.status).toBe(200);
      const text = await answer.text();
      expect([path, text.includes(adminPassword)]).toEqual([path, false]);
    }
  });

  it('tells what is the matter', async () => {
    const viewer = await primary.watch();
    const [nobody = 0] = await freePorts(1);
    for (const [head, problem] of [
      [{ url: url('/nothing'), ...account }, 'not-found'],
      [{ url: `rtsp://127.0.0.1:${String(nobody)}/stream1` }, 'unreachable'],
      [{ url: url(), ...account, password: 'Wrong-horse-1' }, 'unauthorized'],
    ] as const) {
      await primary.use({ source: 'rtsp', ...head });
      await viewer.until(shows(colours.card));
      await expect
        .poll(() => primary.status(), { timeout: 5000 })
        .toMatchObject({
          state: 'no signal',
          problem,
          reason: expect.any(String) as string,
        });
    }
    // It was tried once, and the camera has not shut its door.
    await primary.use({ source: 'rtsp', url: url(), ...account });
    await viewer.until(shows(colours.white));
    await expect.poll(() => primary.status()).toMatchObject({ state: 'live' });
    expect(primary.status()).not.toHaveProperty('problem');
    await primary.use({});
    await viewer.until((picture) => !shows(colours.white)(picture));
  });
});

it('H.264 from a TCP port is shown, as Raspberry Pi cameras offer it, again and again', async () => {
  const [port = 0] = await freePorts(1);
  const offer = (name: string): ChildProcess =>
    ffmpeg(
      ...colour(name),
      ...['-c:v', 'libx264', '-tune', 'zerolatency', '-g', '25', '-f', 'h264'],
      `tcp://127.0.0.1:${String(port)}?listen=1`,
    );
  const first = offer('red');
  const viewer = await primary.watch();
  await primary.use({ source: 'tcp', url: `tcp://127.0.0.1:${String(port)}` });
  await viewer.until(shows(colours.red));
  await expect.poll(() => primary.status().state).toBe('live');
  await end(first);
  await viewer.until(shows(colours.card));
  offer('blue');
  await viewer.until(shows(colours.blue));
});

describe('MJPEG over HTTP', () => {
  let camera: Server;
  let watching: ServerResponse[] = [];
  let picture: Buffer;
  let sends = true;
  let timer: NodeJS.Timeout;
  beforeAll(async () => {
    const path = join(folder, 'green.jpg');
    expect(
      (await run('ffmpeg', ['-v', 'error', ...colour('green').slice(1), '-frames:v', '1', path])).code,
    ).toBe(0);
    picture = await readFile(path);
    camera = createServer((request, response) => {
      if (request.headers.authorization !== basic('eye', 'secret')) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
        return;
      }
      if (request.url !== '/video') {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=next' });
      watching.push(response);
      response.on('close', () => (watching = watching.filter((each) => each !== response)));
    });
    timer = setInterval(() => {
      if (!sends) return;
      for (const response of watching) {
        response.write(
          `--next\r\nContent-Type: image/jpeg\r\nContent-Length: ${String(picture.length)}\r\n\r\n`,
        );
        response.write(picture);
        response.write('\r\n');
      }
    }, 50);
    camera.listen(0, '127.0.0.1');
    await once(camera, 'listening');
  });
  afterAll(() => {
    clearInterval(timer);
    camera.closeAllConnections();
    camera.close();
  });
  const url = (path = '/video'): string =>
    `http://127.0.0.1:${String((camera.address() as AddressInfo).port)}${path}`;

  it('is shown, and when it falls silent the card is', async () => {
    await primary.use({ source: 'http', url: url(), username: 'eye', password: 'secret' });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.green));
    sends = false;
    await viewer.until(shows(colours.card));
    await expect.poll(() => primary.status()).toMatchObject({ state: 'no signal', problem: 'silent' });
    sends = true;
    await viewer.until(shows(colours.green));
    await expect.poll(() => primary.status().state).toBe('live');
  });

  it('tells what is the matter', async () => {
    await primary.use({ source: 'http', url: url(), username: 'eye', password: 'wrong' });
    const viewer = await primary.watch();
    await viewer.until(shows(colours.card));
    await expect.poll(() => primary.status().problem, { timeout: 5000 }).toBe('unauthorized');
    await primary.use({ source: 'http', url: url('/other'), username: 'eye', password: 'secret' });
    await expect.poll(() => primary.status().problem, { timeout: 5000 }).toBe('not-found');
  });
});

it('a file is shown from the beginning again and again', async () => {
  const path = join(folder, 'film.mp4');
  const film = [...colour('red').slice(1), '-f', 'lavfi', '-i', 'color=blue:size=320x180:rate=25'];
  expect(
    (
      await run('ffmpeg', [
        ...['-v', 'error', ...film, '-filter_complex', '[0]trim=0:0.6[a];[1]trim=0:0.6[b];[a][b]concat'],
        ...['-c:v', 'libx264', '-t', '1.2', path],
      ])
    ).code,
  ).toBe(0);
  await primary.use({ source: 'file', device: path });
  const viewer = await primary.watch();
  // What it gets of the time before the film is the source before.
  await viewer.until(shows(colours.red));
  const before = viewer.pictures.length;
  for (let round = 0; round < 3; round += 1) {
    await viewer.until(shows(colours.red));
    await viewer.until(shows(colours.blue));
  }
  // Nobody sees where it begins again.
  expect(viewer.pictures.slice(before).some(shows(colours.card))).toBe(false);
  await primary.use({ source: 'file', device: join(folder, 'nothing.mp4') });
  await viewer.until(shows(colours.card));
  await expect.poll(() => primary.status().problem).toBe('not-found');
});

it('a camera that is slow is not taken for one that is gone', async () => {
  await primary.use({ fps: 1 });
  const restarts = (): number | undefined =>
    server.pipelines().find(({ name }) => name === 'capture/primary')?.restarts;
  const before = restarts();
  const viewer = await RtspSocket.play(server.rtspPort, '/stream1', `admin:${adminPassword}`);
  await viewer.until(({ pictures }) => pictures >= 6);
  expect([restarts(), primary.status().state]).toEqual([before, 'live']);
  await viewer.stop();
  await primary.use({ fps: 30 });
});

it('a camera that is not plugged in, and no camera at all, show the card', async () => {
  const viewer = await primary.watch();
  await primary.use({ source: 'v4l2', device: '/dev/video63' });
  await viewer.until(shows(colours.card));
  await expect.poll(() => primary.status().problem).toBe('not-found');
  await primary.use({ source: 'none' });
  await viewer.more(3);
  expect(viewer.pictures.at(-1)?.at(0.1, 0.2)).toSatisfy((seen: readonly [number, number, number]) =>
    isLike(seen, colours.card),
  );
  await primary.use({});
  await viewer.until((picture) => !shows(colours.card)(picture));
});

it.each([
  [{ source: 'rtsp' as const }, 'Value at primary.url is missing; a source of type rtsp needs it'],
  [
    { source: 'rtsp' as const, url: 'http://192.0.2.7/' },
    'Value at primary.url must be like rtsp://192.0.2.7:554/stream',
  ],
  [
    { source: 'tcp' as const, url: 'tcp://192.0.2.7' },
    'Value at primary.url must be like tcp://192.0.2.7:8888',
  ],
  [
    { source: 'http' as const, url: 'file:///etc/passwd' },
    'Value at primary.url must be like http://192.0.2.7/video.mjpg',
  ],
])('an address that cannot be is refused: %j', async (head, message) => {
  const heads = server.store.get('cameraHeadSettings');
  expect(
    await server.change({ cameraHeadSettings: { ...heads, primary: { ...heads.primary, ...head } } }),
  ).toMatchObject({ ok: false, error: { key: 'cameraHeadSettings', message } });
});
