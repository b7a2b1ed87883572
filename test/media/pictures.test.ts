// Pictures one by one, with real clients: to look at, as MJPEG, and every so many for programs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { timeBlockCell } from '../../src/pipelines/overlay.js';
import { launchBrowser } from '../support/browser.js';
import { decodePicture } from '../support/decodePicture.js';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { MultipartViewer, type Part } from '../support/MultipartViewer.js';
import { adminPassword, basic, peoplePassword } from '../support/runningServer.js';
import { readTimeBlock } from '../support/timeBlock.js';
import { TimeViewer } from '../support/TimeViewer.js';

let server: MediaServer;
const viewers: MultipartViewer[] = [];
beforeAll(async () => {
  server = await mediaServer();
  await server.change({
    timeBlock: true,
    rateLimits: { ...server.store.get('rateLimits'), imagesPerSecond: 1000 },
  });
});
afterAll(async () => {
  // Who still watches does not hold up the end.
  const last = await open('/api/camera/stream');
  await last.more(1);
  await server.stop();
  await last.whenEnded();
});
afterEach(() => {
  for (const viewer of viewers.splice(0)) viewer.close();
});

const admin = { authorization: basic('admin', adminPassword) };
const viewer = { authorization: basic('viewer', peoplePassword) };

const ask = (path: string, options: RequestInit = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers: admin, ...options });

async function open(
  path: string,
  headers: Readonly<Record<string, string>> = admin,
): Promise<MultipartViewer> {
  const opened = await MultipartViewer.open(`${server.url}${path}`, headers);
  viewers.push(opened);
  return opened;
}

async function bodyOf(answer: Response): Promise<Buffer> {
  return Buffer.from(await answer.arrayBuffer());
}

const codeOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  ((await answer.json()) as { error: { code: string } }).error.code,
];

const made = (): string[] =>
  server
    .pipelines()
    .filter(({ name, state }) => name.startsWith('picture/') && state === 'running')
    .map(({ name }) => name);

async function useCamera(change: object): Promise<void> {
  const heads = server.store.get('cameraHeadSettings');
  await server.change({ cameraHeadSettings: { ...heads, primary: { ...heads.primary, ...change } } });
}

describe('the picture of this moment', () => {
  it.each([
    ['', 'image/jpeg', 'mjpeg', 1280, 720],
    ['?width=640', 'image/jpeg', 'mjpeg', 640, 360],
    ['?width=301&format=webp', 'image/webp', 'webp', 300, 169],
    // Nothing is gained by more pixels than there are.
    ['?width=3840', 'image/jpeg', 'mjpeg', 1280, 720],
  ])('%s is what was asked for', async (query, type, codec, width, height) => {
    const answer = await ask(`/camera.jpeg${query}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    const { gray: _gray, ...seen } = await decodePicture(await bodyOf(answer));
    expect(seen).toEqual({ codec, width, height });
  });

  it('is fresh, and says when it was captured', async () => {
    for (const query of ['format=jpeg', 'format=webp', 'format=jpeg']) {
      const began = Date.now() * 1000;
      const answer = await ask(`/image?addTimestamp=true&${query}`);
      const ended = Date.now() * 1000;
      const { gray, width } = await decodePicture(await bodyOf(answer));
      const drawn = readTimeBlock(gray, width, timeBlockCell(width)) ?? 0;
      expect(drawn).toBeGreaterThanOrEqual(began - 5000);
      expect(drawn).toBeLessThanOrEqual(ended + 1000);
      expect(Math.abs(Number(answer.headers.get('x-timestamp')) * 1e6 - drawn)).toBeLessThan(5000);
    }
  });

  it('carries no time where none is asked for', async () => {
    const { gray, width } = await decodePicture(await bodyOf(await ask('/image')));
    expect(readTimeBlock(gray, width, timeBlockCell(width))).toBeUndefined();
  });

  it('is larger in better quality', async () => {
    const sizes = [];
    for (const quality of [5, 50, 95])
      sizes.push((await bodyOf(await ask(`/image?quality=${String(quality)}`))).length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(new Set(sizes).size).toBe(3);
    await server.change({ pictureQuality: 0 });
    expect((await bodyOf(await ask('/image'))).length).toBeLessThan(sizes[1] ?? 0);
    await server.change({ pictureQuality: 85 });
  });

  it.each(['/camera.jpeg', '/image', '/api/snapshot', '/api/camera/snapshot', '/api/v1/camera/snapshot'])(
    'is at %s, for whoever may see it, also where JSON is asked for',
    async (path) => {
      const answer = await ask(path, { headers: { ...viewer, accept: 'application/json' } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
      expect((await bodyOf(answer)).subarray(0, 3).toString('hex')).toBe('ffd8ff');
      expect((await ask(path, { headers: {} })).status).toBe(401);
      const guest = { authorization: basic('guest', peoplePassword) };
      expect((await ask(path, { headers: guest })).status).toBe(403);
    },
  );

  it('can be had with a token in the address, and by HEAD', async () => {
    const { token } = (await (
      await ask('/api/login', {
        method: 'POST',
        body: JSON.stringify({ username: 'viewer', password: peoplePassword }),
      })
    ).json()) as { token: string };
    expect((await ask(`/camera.jpeg?token=${token}`, { headers: {} })).status).toBe(200);
    const head = await ask('/camera.jpeg', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1000);
  });

  it.each([
    'quality=0',
    'quality=101',
    'quality=x',
    'width=15',
    'width=3841',
    'format=png',
    'addTimestamp=perhaps',
  ])('is refused with %s', async (query) => {
    expect(await codeOf(await ask(`/image?${query}`))).toEqual([400, 'INVALID_REQUEST']);
  });

  it('comes as an answer to POST as well, in another size', async () => {
    const post = (body: object): Promise<Response> =>
      ask('/api/camera/snapshot', {
        method: 'POST',
        headers: { ...viewer, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = await post({ format: 'webp', quality: 50, resolution: '320x180' });
    expect(await decodePicture(await bodyOf(answer))).toMatchObject({
      codec: 'webp',
      width: 320,
      height: 180,
    });
    expect(await codeOf(await post({ resolution: 'large' }))).toEqual([422, 'INVALID_RESOLUTION']);
    // Keeping it takes more.
    expect(await codeOf(await post({ save_to_storage: true }))).toEqual([403, 'PERMISSION_DENIED']);
  });
});

describe('MJPEG', () => {
  it('is read by ffmpeg, in the size that was asked for', async () => {
    const url = `${server.url.replace('//', `//admin:${adminPassword}@`)}/api/camera/stream?width=320&fps=60`;
    const { code, out, err } = await run('ffprobe', [
      ...['-v', 'error', '-f', 'mpjpeg', '-read_intervals', '%+#30', '-count_frames'],
      ...['-show_entries', 'stream=codec_name,width,height,nb_read_frames', '-of', 'csv=p=0', url],
    ]);
    expect([code, err, out.trim()]).toEqual([0, '', 'mjpeg,320,180,30']);
  });

  it('has the type that is promised, also for HEAD, which does not wait for its end', async () => {
    const head = await ask('/api/camera/stream', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([
      200,
      'multipart/x-mixed-replace; boundary=frame',
    ]);
    const { headers } = await open('/api/camera/stream');
    expect(headers).toMatchObject({
      'content-type': 'multipart/x-mixed-replace; boundary=frame',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
  });

  it('carries the time of capture in each part, at the rate that was asked for, and the overlay of the video', async () => {
    const parts = await (await open('/api/camera/stream?fps=10')).more(8);
    const times = parts.map(({ headers }) => Number(headers['x-timestamp']));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    // The first two may follow each other closely; at the rate of the camera it would be 0.23 seconds.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(0.5);
    const [{ body, headers } = { body: Buffer.alloc(0), headers: {} }] = parts;
    expect(headers['content-type']).toBe('image/jpeg');
    const { gray, width } = await decodePicture(body);
    const drawn = readTimeBlock(gray, width, timeBlockCell(width)) ?? 0;
    expect(Math.abs(drawn / 1e6 - (times[0] ?? 0))).toBeLessThan(0.005);
  });

  it('moves in an image tag', async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ extraHTTPHeaders: admin });
      await page.goto(`${server.url}/livez`);
      const differs = await page.evaluate<boolean>(`(async () => {
        const image = new Image();
        image.src = '/api/camera/stream?width=320&fps=10';
        document.body.append(image);
        const canvas = document.createElement('canvas');
        const look = () => {
          canvas.width = image.naturalWidth;
          canvas.height = image.naturalHeight;
          if (canvas.width === 0) return '';
          canvas.getContext('2d').drawImage(image, 0, 0);
          return canvas.toDataURL();
        };
        const seen = new Set();
        while (seen.size < 4) {
          await new Promise((resolve) => requestAnimationFrame(resolve));
          const now = look();
          if (now !== '') seen.add(now);
        }
        return canvas.width === 320;
      })()`);
      expect(differs).toBe(true);
    } finally {
      await browser.close();
    }
  });

  it('and a photo are shown by any page that knows a token, and by no other page', async () => {
    const login = await fetch(`${server.url}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: adminPassword }),
    });
    const { token } = (await login.json()) as { readonly token: string };
    // Of another origin.
    const elsewhere = createServer((_request, response) => response.end('<!doctype html><p>elsewhere'));
    elsewhere.listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${String((elsewhere.address() as AddressInfo).port)}/`);
      const shows = (path: string): Promise<boolean> =>
        page.evaluate<boolean>(`new Promise((resolve) => {
          const image = new Image();
          image.onload = () => resolve(image.naturalWidth > 0);
          image.onerror = () => resolve(false);
          image.src = '${server.url}${path}';
        })`);
      expect(await shows(`/camera.jpeg?width=160&token=${token}`)).toBe(true);
      expect(await shows(`/api/camera/stream?width=160&token=${token}`)).toBe(true);
      expect(await shows('/camera.jpeg?width=160&token=wrong')).toBe(false);
    } finally {
      await browser.close();
      elsewhere.close();
    }
  });

  it('is made once for all who watch the same, and not at all when nobody does', async () => {
    const form = 'picture/jpeg-298-85-0-1-stream';
    const crowd = await Promise.all(
      Array.from({ length: 5 }, () => open('/api/camera/stream?width=299&fps=60')),
    );
    for (const each of crowd) await each.more(3);
    await expect.poll(made).toContain(form);
    expect(made().filter((each) => each.includes('-298-'))).toEqual([form]);
    const status = await (await ask('/api/camera/stream/status')).json();
    expect(status).toEqual({ is_streaming: true, viewer_count: 5, stream_type: 'mjpeg' });
    for (const each of crowd) each.close();
    await expect.poll(made, { timeout: 15_000 }).not.toContain(form);
    expect(server.store.get('pictureVariants')).not.toContain(form);
    expect(await (await ask('/api/camera/stream/status')).json()).toMatchObject({ viewer_count: 0 });
  });

  it('leaves nothing behind for somebody who is gone before it is found out who it is', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    // A password that was not used before takes its time.
    const authorization = basic('operator', peoplePassword);
    const words = `GET /api/camera/stream?width=64 HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}`;
    await new Promise((resolve) => socket.end(`${words}\r\n\r\n`, () => resolve(undefined)));
    socket.destroy();
    const form = 'picture/jpeg-64-85-0-1-stream';
    await expect.poll(() => server.store.get('pictureVariants'), { interval: 10 }).toContain(form);
    await expect.poll(() => server.media?.pictures.list()).toEqual([]);
  });

  it('has an end to how many forms there are', async () => {
    for (let width = 100; width < 180; width += 10) await open(`/api/camera/stream?width=${String(width)}`);
    await expect(open('/api/camera/stream?width=200')).rejects.toThrow(/429.*RATE_LIMITED/);
    // One of those that are there is no other.
    await (await open('/api/camera/stream?width=170')).more(2);
    viewers.splice(0, 1)[0]?.close();
    await expect.poll(() => open('/api/camera/stream?width=200').then(() => 'opened', String)).toBe('opened');
  });

  it.each(['fps=0', 'fps=61', 'width=8', 'quality=0', 'fps=fast'])('is refused with %s', async (query) => {
    expect(await codeOf(await ask(`/api/camera/stream?${query}`))).toEqual([400, 'INVALID_REQUEST']);
  });
});

describe('a viewer that takes nothing', () => {
  it('delays nobody and fills no memory', async () => {
    const rawBytes = 1280 * 720 * 3;
    const slow = await open('/api/camera/frames?format=raw');
    const quick = await open('/api/camera/frames?format=raw');
    slow.stall();
    interface Told {
      readonly bytes: number;
      readonly bitrate: number;
      readonly backlogBytes: number;
      readonly delayMs?: number;
      readonly rttMs: number;
      readonly framesDropped: number;
    }
    const told = async (): Promise<Told[]> =>
      ((await (await ask('/api/clients')).json()) as { clients: Told[] }).clients;
    const sentTo = async (): Promise<number[]> => (await told()).map(({ bytes }) => bytes);
    await quick.more(12);
    const [before = 0] = await sentTo();
    await quick.more(20);
    const [after = 0, others = 0] = await sentTo();
    // What it is given fits into what the systems on both sides keep for it, and then there is an end.
    expect(after).toBe(before);
    expect(others).toBeGreaterThan(2 * after);
    const [slowest, quickest] = await told();
    expect(slowest?.backlogBytes).toBeGreaterThan(0);
    expect(slowest?.framesDropped).toBeGreaterThan(10);
    expect(quickest?.framesDropped).toBeLessThan(slowest?.framesDropped ?? 0);
    // Most of it waits where only the system knows of it.
    expect(slowest?.backlogBytes).toBeGreaterThan(rawBytes);
    expect([slowest, quickest].every((each) => (each?.rttMs ?? 0) > 0)).toBe(true);
    await expect.poll(async () => (await told())[0]?.bitrate).toBe(0);
    const [stalled, flowing] = await told();
    expect(stalled).not.toHaveProperty('delayMs');
    expect(flowing?.bitrate).toBeGreaterThan(8 * rawBytes);
    expect(flowing?.delayMs).toBeGreaterThanOrEqual(0);
  });
});

describe('frames for programs', () => {
  it('are every so many of those that were captured', async () => {
    const parts = await (await open('/api/camera/frames?every=3&width=320')).more(8);
    const seen = parts.map(
      ({ headers }) => [Number(headers['x-sequence']), Number(headers['x-timestamp'])] as const,
    );
    // The camera captures thirty a second, whatever the machine is busy with.
    for (const [index, [sequence, time]] of seen.slice(1).entries()) {
      const [before, then] = seen[index] ?? [0, 0];
      expect((time - then) * 30).toBeCloseTo((sequence - before) * 3, 0);
    }
  });

  it('are pixels where they are raw', async () => {
    await useCamera({ device: 'red' });
    const viewer = await open('/api/camera/frames?format=raw&width=322');
    const isRed = ({ body }: Part): boolean => {
      const [red = 0, green = 255, blue = 255] = body.subarray(322 * 3 * 90 + 9);
      return red > 230 && green < 25 && blue < 25;
    };
    let [part] = await viewer.more(1);
    while (part !== undefined && !isRed(part)) [part] = await viewer.more(1);
    expect(part?.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-width': '322',
      'x-height': '181',
    });
    expect(part?.body.length).toBe(322 * 181 * 3);
    await useCamera({ device: 'test' });
  });

  it('come over a WebSocket as well, each with a message before it', async () => {
    const socket = new WebSocket(`${server.socketUrl}/api/camera/frames?every=2&width=320`, {
      headers: admin,
    });
    const heard: (Buffer | Record<string, unknown>)[] = [];
    socket.on('message', (data: Buffer, isBinary) => {
      heard.push(isBinary ? data : (JSON.parse(data.toString()) as Record<string, unknown>));
    });
    await expect.poll(() => heard.length, { timeout: 15_000 }).toBeGreaterThan(8);
    const told = async (): Promise<Record<string, unknown>> =>
      ((await (await ask('/api/clients')).json()) as { clients: Record<string, unknown>[] }).clients[0] ?? {};
    await expect.poll(async () => Number((await told())['bitrate'])).toBeGreaterThan(0);
    const { bytes = 0, since = 0, ...client } = await told();
    expect(client).toMatchObject({
      protocol: 'frames',
      transport: 'http',
      rttMs: expect.any(Number) as number,
    });
    expect([Number(bytes) > 0, Number(since) <= Date.now(), Number(client['backlogBytes']) >= 0]).toEqual([
      ...[true, true, true],
    ]);
    await expect
      .poll(() => server.store.get('streamStats').totalBytesStreamed)
      .toBeGreaterThanOrEqual(Number(bytes));
    await expect.poll(() => server.store.get('streamStats')).toMatchObject({ clientCount: 1 });
    await expect.poll(() => server.store.get('streamStats').currentBitrate).toBeGreaterThan(0);
    socket.terminate();
    for (let index = 0; index < 8; index += 2) {
      const [about, bytes] = [heard[index] as Record<string, unknown>, heard[index + 1] as Buffer];
      expect(about).toMatchObject({ width: 320, height: 180, format: 'jpeg', bytes: bytes.length });
      expect(Math.abs(Number(about['capturedAt']) / 1000 - Date.now())).toBeLessThan(60_000);
      expect(bytes.subarray(0, 3).toString('hex')).toBe('ffd8ff');
    }
    const numbers = heard.flatMap((each) => (Buffer.isBuffer(each) ? [] : [Number(each['sequence'])]));
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  });

  it.each([
    ['', {}, 401],
    ['', { authorization: basic('guest', peoplePassword) }, 403],
    ['?every=0', admin, 400],
    ['?format=gif', admin, 400],
  ])('are refused over a WebSocket with "%s" and %j: %i', async (query, headers, status) => {
    const socket = new WebSocket(`${server.socketUrl}/api/camera/frames${query}`, { headers });
    const answered = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, { statusCode }) => {
        resolve(statusCode);
      });
      socket.once('open', () => {
        resolve('open');
      });
      socket.on('error', () => undefined);
    });
    socket.terminate();
    expect(answered).toBe(status);
  });
});

describe('whoever may not watch any more', () => {
  it('is let go when the token is withdrawn, and others are not', async () => {
    const { token, id } = (await (
      await ask('/api/tokens', {
        method: 'POST',
        headers: { ...admin, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'eye', permissions: ['Media_r'] }),
      })
    ).json()) as { token: string; id: string };
    const mine = await open(`/api/camera/stream?width=320&token=${token}`, {});
    const other = await open('/api/camera/stream?width=320', viewer);
    const socket = new WebSocket(`${server.socketUrl}/api/camera/frames?width=320&token=${token}`);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('message', resolve));
    await mine.more(2);
    expect((await ask(`/api/tokens/${id}`, { method: 'DELETE' })).ok).toBe(true);
    await mine.whenEnded();
    expect(await closed).toBe(1008);
    await other.more(5);
    expect(other.ended).toBe(false);
  });

  it('is let go when the role is taken away, and when an administrator says so', async () => {
    const mine = await open('/api/camera/stream?width=320', viewer);
    const kicked = await open('/api/camera/stream?width=320');
    await mine.more(2);
    await kicked.more(2);
    const { clients } = (await (await ask('/api/clients')).json()) as {
      clients: { id: string; protocol: string; user: string }[];
    };
    expect(clients).toMatchObject([
      { protocol: 'mjpeg', user: 'viewer' },
      { protocol: 'mjpeg', user: 'admin' },
    ]);
    expect((await ask(`/api/clients/${clients[1]?.id ?? ''}`, { method: 'DELETE' })).status).toBe(204);
    await kicked.whenEnded();
    expect(mine.ended).toBe(false);
    const change = (role: string): Promise<Response> =>
      ask('/api/users/viewer', {
        method: 'PATCH',
        headers: { ...admin, 'content-type': 'application/json' },
        body: JSON.stringify({ role }),
      });
    expect((await change('guest')).ok).toBe(true);
    await mine.whenEnded();
    expect((await change('viewer')).ok).toBe(true);
  });
});

describe('when the camera or the process behind it goes', () => {
  it('photos are refused, and MJPEG shows the card and goes on', async () => {
    const mjpeg = await open('/api/camera/stream?width=320');
    await mjpeg.more(2);
    await useCamera({ source: 'file', device: '/nowhere/at/all' });
    await expect.poll(() => server.store.get('cameraStatus').primary.state).toBe('no signal');
    expect(await codeOf(await ask('/camera.jpeg'))).toEqual([503, 'CAMERA_NOT_CONNECTED']);
    expect(await codeOf(await ask('/snapshot', { method: 'POST' }))).toEqual([503, 'CAMERA_NOT_CONNECTED']);
    expect(server.store.get('photoStatus')).toMatchObject({
      count: 0,
      failure: expect.stringContaining('No picture comes') as string,
    });
    expect(await (await ask('/api/camera/stream/status')).json()).toMatchObject({ is_streaming: false });
    await mjpeg.more(10);
    await useCamera({ source: 'test', device: 'test' });
    await expect.poll(async () => (await ask('/camera.jpeg')).status, { timeout: 15_000 }).toBe(200);
    await mjpeg.more(10);
    expect(mjpeg.ended).toBe(false);
  });

  it('there is no photo of no camera', async () => {
    await useCamera({ source: 'none' });
    expect(await codeOf(await ask('/camera.jpeg'))).toEqual([503, 'CAMERA_NOT_CONNECTED']);
    await useCamera({ source: 'test' });
  });

  it('a viewer stays when the media process dies, and goes on with the next', async () => {
    const mjpeg = await open('/api/camera/stream?width=320');
    await mjpeg.more(2);
    const { pid } = server.mediaState();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => [0, pid].includes(server.mediaState().pid), { timeout: 15_000 }).toBe(false);
    await mjpeg.more(5);
    expect(mjpeg.ended).toBe(false);
  });
});

it('nobody who watches the video misses a picture for photos in all forms', async () => {
  const video = new TimeViewer(server.rtsp(), 'tcp');
  const missedMeanwhile = async (): Promise<number> => {
    await video.more(10);
    const begin = video.frames.length;
    for (const query of ['', '?format=webp&width=640', '?addTimestamp=true', '?width=320'])
      expect((await ask(`/camera.jpeg${query}`)).status).toBe(200);
    const { count } = server.store.get('photoStatus');
    await server.change({ photoInterval: 1 });
    await expect
      .poll(() => server.store.get('photoStatus').count, { timeout: 15_000 })
      .toBeGreaterThan(count);
    await server.change({ photoInterval: 0 });
    await video.more(10);
    const times = video.frames
      .slice(begin)
      .flatMap(({ captured }) => (captured === undefined ? [] : [captured]));
    return times
      .slice(1)
      .reduce((sum, time, index) => sum + Math.round(((time - (times[index] ?? 0)) * 30) / 1e6) - 1, 0);
  };
  try {
    // What photos cost they cost each time; what a busy machine costs it does not.
    const missed = (await missedMeanwhile()) === 0 ? 0 : await missedMeanwhile();
    expect(missed).toBe(0);
    // One camera, opened once.
    expect(server.pipelines().find(({ name }) => name === 'capture/primary')?.restarts).toBe(0);
  } finally {
    await video.close();
  }
});

it('photos leave nothing behind in the process that makes them', async () => {
  const { pid } = server.mediaState();
  const held = (): number[] =>
    ['fd', 'task'].map((what) => readdirSync(`/proc/${String(pid)}/${what}`).length);
  // WebP is made anew for each.
  const photos = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1)
      expect((await ask('/camera.jpeg?format=webp&width=64')).status).toBe(200);
  };
  await photos(10);
  const [files = 0, threads = 0] = held();
  await photos(30);
  await expect.poll(() => held()[0]).toBeLessThanOrEqual(files + 5);
  await expect.poll(() => held()[1]).toBeLessThanOrEqual(threads + 3);
});

it('a curl on a thin line gets what is whole, and delays nobody', async () => {
  const curl = spawn('curl', [
    ...['-s', '--no-buffer', '--limit-rate', '1k', '-u', `admin:${adminPassword}`],
    `${server.url}/api/camera/stream?width=160`,
  ]);
  let text = '';
  curl.stdout.on('data', (data: Buffer) => (text += data.toString('latin1')));
  const quick = await open('/api/camera/stream?width=160');
  await quick.more(30);
  await expect.poll(() => text).toContain('--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ');
  const ended = new Promise((resolve) => curl.once('close', resolve));
  curl.kill('SIGKILL');
  await ended;
});
