// RTSP with real players: what they get, who may watch, and what is known of them.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../support/JsonSocket.js';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { freePorts } from '../support/ports.js';
import { longestGap, RtspAudience, seenOf } from '../support/RtspAudience.js';
import { RtspSocket } from '../support/RtspSocket.js';
import { adminPassword, peoplePassword } from '../support/runningServer.js';

let server: MediaServer;
const audience = new RtspAudience();
const watch = (url = server.rtsp(), transport?: 'tcp' | 'udp') => audience.watch(url, transport);

beforeAll(async () => {
  server = await mediaServer();
});
afterAll(() => server.stop());
afterEach(() => audience.leave());

/** The answer to a request with Basic, which players only use where nothing else is offered. */
function requestWith(method: string, credentials: string, headers = ''): Promise<string> {
  const url = server.rtsp('/stream1', '');
  const basic = Buffer.from(credentials).toString('base64');
  return new Promise((resolve, reject) => {
    const socket = connect(server.store.get('rtspPort'), '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.write(`${method} ${url} RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic ${basic}\r\n${headers}\r\n`);
  });
}

describe('players', () => {
  it.each(['tcp', 'udp'] as const)(
    'get pictures over %s, with digest as their libraries do it',
    async (transport) => {
      const viewer = await watch(server.rtsp(), transport);
      await viewer.more(20);
      expect(viewer.frames[0]).toMatchObject({ width: 640, height: 360, isKey: true });
    },
  );

  it('that map everything find one video and nothing else', async () => {
    const { code, out } = await run('ffprobe', [
      ...['-v', 'error', '-rtsp_transport', 'tcp', '-show_entries', 'stream=index,codec_name,width'],
      ...['-of', 'csv=p=0', server.rtsp()],
    ]);
    expect([code, out.trim()]).toEqual([0, '0,h264,640']);
    const all = ['-v', 'error', '-rtsp_transport', 'tcp', '-i', server.rtsp(), '-t', '1', '-map', '0'];
    expect(await run('ffmpeg', [...all, '-c', 'copy', '-f', 'null', '-'])).toMatchObject({ code: 0 });
  });

  it.each(['/live', '/onvif/profile_1', '/stream2'])('find a stream at %s', async (path) => {
    const viewer = await watch(server.rtsp(path));
    const size = path === '/stream2' ? { width: 1280, height: 720 } : { width: 640, height: 360 };
    expect(viewer.frames[0]).toMatchObject(size);
  });

  it('of GStreamer work, and curl is told what can be asked', async () => {
    const source = ['rtspsrc', `location=${server.rtsp()}`, 'protocols=tcp', 'latency=0'];
    const rest = ['!', 'rtph264depay', '!', 'h264parse', '!', 'fakesink', 'num-buffers=20'];
    const player = await run('gst-launch-1.0', ['-q', ...source, ...rest]);
    expect([player.code, player.err]).toEqual([0, '']);
    expect((await run('curl', ['-sS', server.rtsp('/stream1', '')])).code).toBe(0);
  });

  it('of OpenCV read pictures, as the Python clients of the reference product do', async () => {
    const program = [
      'import cv2, sys',
      'capture = cv2.VideoCapture(sys.argv[1])',
      'shapes = [capture.read()[1].shape for _ in range(100)]',
      'print(len(shapes), shapes[0], shapes[-1])',
    ].join('\n');
    // Debian's own, for which the package is.
    const { code, out } = await run('/usr/bin/python3', ['-c', program, server.rtsp()]);
    expect([code, out.trim()]).toEqual([0, '100 (360, 640, 3) (360, 640, 3)']);
  });

  it('record what they get, as ffmpeg and GStreamer do it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'obscura-rtsp-'));
    const [byFfmpeg, byGst] = [join(folder, 'ffmpeg.mp4'), join(folder, 'gst.mp4')];
    const tcp = ['-v', 'error', '-rtsp_transport', 'tcp', '-i', server.rtsp()];
    expect(await run('ffmpeg', [...tcp, '-t', '2', '-c', 'copy', byFfmpeg])).toMatchObject({ code: 0 });
    const source = [
      'rtspsrc',
      `location=${server.rtsp()}`,
      'latency=100',
      '!',
      'rtph264depay',
      '!',
      'h264parse',
    ];
    // The end of the stream finalises the file, as Ctrl-C does with -e.
    const sink = ['!', 'identity', 'eos-after=45', '!', 'mp4mux', '!', 'filesink', `location=${byGst}`];
    await run('gst-launch-1.0', ['-q', '-e', ...source, ...sink]);
    for (const file of [byFfmpeg, byGst]) {
      const words = [
        '-v',
        'error',
        '-count_frames',
        '-show_entries',
        'stream=width,nb_read_frames',
        '-of',
        'csv=p=0',
      ];
      const { out, err } = await run('ffprobe', [...words, file]);
      const [width, frames] = out.trim().split(',').map(Number);
      expect([width, (frames ?? 0) > 25, err]).toEqual([640, true, '']);
    }
    await rm(folder, { recursive: true });
  });

  it.each([
    ['baseline', 'Constrained Baseline'],
    ['main', 'Main'],
    ['high', 'High'],
  ] as const)('see the profile %s as %s', async (encoderProfile, name) => {
    expect(await server.change({ encoderProfile })).toMatchObject({ ok: true });
    expect(await seenOf(server.rtsp(), 'profile')).toContain(name);
  });

  it('wait for no keyframe that comes by itself, however soon after each other they come', async () => {
    const play = () => RtspSocket.play(server.rtspPort, '/stream1', `admin:${adminPassword}`);
    const stays = await play();
    await stays.until(({ pictures }) => pictures > 3);
    for (let count = 0; count < 3; count += 1) {
      const before = stays.pictures;
      const next = await play();
      await next.until(({ pictures }) => pictures > 0);
      // Keyframes come by themselves every 60 pictures.
      expect(stays.pictures - before).toBeLessThan(20);
      await next.stop();
    }
    await stays.stop();
  });

  it('cannot touch the session of another, even where they know its name', async () => {
    const victim = await RtspSocket.play(server.rtspPort, '/stream1', `admin:${adminPassword}`);
    await victim.until(({ pictures }) => pictures > 3);
    for (const method of ['TEARDOWN', 'PAUSE', 'GET_PARAMETER'])
      expect(await requestWith(method, `viewer:${peoplePassword}`, `Session: ${victim.session}\r\n`)).toMatch(
        /^RTSP\/1.0 454 /,
      );
    const { pictures } = victim;
    await victim.until((player) => player.pictures > pictures + 10);
    await victim.stop();
  });

  it.each([
    ['nobody', ''],
    ['a wrong password', 'admin:Wrong-horse-9'],
    ['somebody who may not watch', `guest:${peoplePassword}`],
  ])('are refused as %s', async (_who, credentials) => {
    const { code, err } = await run('ffprobe', ['-v', 'error', server.rtsp('/stream1', credentials)]);
    expect(code).not.toBe(0);
    expect(err).toContain('401 Unauthorized');
  });

  it('come in by a token in the address, and by Basic', async () => {
    const login = await fetch(`${server.url}/api/login`, {
      method: 'POST',
      body: JSON.stringify({ username: 'viewer', password: peoplePassword }),
    });
    const { token } = (await login.json()) as { token: string };
    const made = await fetch(`${server.url}/api/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'player' }),
    });
    const api = (await made.json()) as { token: string };
    for (const each of [token, api.token]) await watch(server.rtsp(`/stream1?token=${each}`, ''));
    expect(await requestWith('DESCRIBE', `viewer:${peoplePassword}`)).toMatch(/^RTSP\/1.0 200 OK/);
    expect(await requestWith('DESCRIBE', 'viewer:Wrong-horse-9')).toMatch(/^RTSP\/1.0 401 /);
  });
});

describe('renditions', () => {
  it('are what the address asks for, leave the stream alone, and go with the last who plays them', async () => {
    const [stream, small] = [
      await watch(),
      await watch(server.rtsp('/live?resolution=320x180&fps=10&bitrate=300')),
    ];
    expect(small.frames[0]).toMatchObject({ width: 320, height: 180, isKey: true });
    await small.more(10);
    expect(longestGap(small.frames.slice(-10), 10)).toBeCloseTo(1, 0);
    await stream.more(5);
    expect(stream.frames.at(-1)).toMatchObject({ width: 640 });
    expect(server.store.get('streamRenditions')).toEqual(['stream1@320x180@10@300']);
    await small.close();
    await expect.poll(() => server.store.get('streamRenditions'), { timeout: 15_000 }).toEqual([]);
    await expect
      .poll(() => server.pipelines().map(({ name }) => name))
      .not.toContain('encode/stream1@320x180@10@300');
    await expect.poll(() => Object.keys(server.media?.report().channels ?? {}).join()).not.toContain('@');
  });

  it.each([
    ['resolution=31x1', '400'],
    ['fps=1000', '400'],
    ['bitrate=many', '400'],
  ])('are refused where %s makes no sense', async (query, code) => {
    const { err } = await run('ffprobe', ['-v', 'error', server.rtsp(`/stream1?${query}`)]);
    expect(err).toContain(code);
  });

  it('are only so many', async () => {
    const play = (fps: number): Promise<RtspSocket> =>
      RtspSocket.play(server.rtspPort, `/stream2?fps=${String(fps)}&tcp`, `admin:${adminPassword}`);
    const four = [await play(1), await play(2), await play(3), await play(4)];
    await expect(play(5)).rejects.toThrow('DESCRIBE was answered RTSP/1.0 453');
    for (const each of [...four, await play(4)]) await each.stop();
  });
});

describe('encrypted', () => {
  it('players get the same streams, with the certificate of the web server', async () => {
    const [rtspsPort = 0] = await freePorts(1);
    expect(await server.change({ rtspsEnabled: true, rtspsPort })).toMatchObject({ ok: true });
    const source = [
      'rtspsrc',
      `location=${server
        .rtsp()
        .replace('rtsp:', 'rtsps:')
        .replace(/:[0-9]+\/stream1/, `:${String(rtspsPort)}/stream1`)}`,
    ];
    const rest = ['!', 'rtph264depay', '!', 'h264parse', '!', 'fakesink', 'num-buffers=20'];
    const words = ['-q', ...source, 'tls-validation-flags=0', 'latency=0', ...rest];
    const player = await run('gst-launch-1.0', words);
    // At the end of its pictures rtspsrc now and then closes while it still asks for a pause, and complains of itself.
    expect(player.err).not.toMatch(/Could not open|Unauthorized|not-negotiated|certificate/);
    const viewer = await RtspSocket.play(rtspsPort, '/stream1', `admin:${adminPassword}`, { secure: true });
    await viewer.until(({ pictures }) => pictures > 5);
    await expect
      .poll(() => server.media?.report().clients)
      .toMatchObject([{ secure: true, transport: 'tcp', user: 'admin' }]);
    const secure = server
      .rtsp()
      .replace('rtsp:', 'rtsps:')
      .replace(`:${String(server.rtspPort)}/`, `:${String(rtspsPort)}/`);
    expect(await seenOf(secure, 'width')).toContain('640');
    const fingerprint = async (port: number): Promise<string> => {
      const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    expect(await fingerprint(rtspsPort)).toBe(await fingerprint(server.httpsPort ?? 0));
    expect(await server.change({ rtspsEnabled: false })).toMatchObject({ ok: true });
    await expect(viewer.until(() => false)).rejects.toThrow('closed');
  });
});

it('only so many play at once; one more is turned away and may come when another has gone', async () => {
  expect(await server.change({ rtspMaxSessions: 2 })).toMatchObject({ ok: true });
  const play = (): Promise<RtspSocket> =>
    RtspSocket.play(server.rtspPort, '/stream1', `admin:${adminPassword}`);
  const [first, second] = [await play(), await play()];
  await expect(play()).rejects.toThrow('SETUP was answered RTSP/1.0 503');
  await first.stop();
  await expect.poll(() => server.media?.report().clients.length).toBe(1);
  await (await play()).stop();
  await second.stop();
  expect(await server.change({ rtspMaxSessions: 10 })).toMatchObject({ ok: true });
});

describe('whoever looks after the server', () => {
  const ask = async (path: string, method = 'GET', who = `admin:${adminPassword}`) => {
    const authorization = `Basic ${Buffer.from(who).toString('base64')}`;
    const answer = await fetch(server.url + path, { method, headers: { authorization } });
    const text = await answer.text();
    const type = answer.headers.get('content-type');
    return {
      status: answer.status,
      type,
      text,
      body: (text.startsWith('{') ? JSON.parse(text) : {}) as Json,
    };
  };
  interface Client extends Json {
    readonly id: string;
    readonly bytes: number;
  }

  it('sees what players say of how the stream reaches them', async () => {
    // GStreamer reports over both transports, and soon.
    const players = ['tcp', 'udp'].map((protocols) =>
      spawn('gst-launch-1.0', [
        ...['-q', 'rtspsrc', `location=${server.rtsp()}`, `protocols=${protocols}`],
        ...['!', 'fakesink'],
      ]),
    );
    const report = { lossPercent: 0, lost: 0, jitterMs: expect.any(Number) as number };
    await expect
      .poll(async () => (await ask('/api/clients')).body['clients'], { timeout: 20_000 })
      .toMatchObject([{ report }, { report }]);
    for (const player of players) {
      const gone = new Promise((resolve) => player.once('exit', resolve));
      player.kill();
      await gone;
    }
    await expect.poll(() => server.media?.report().clients.length).toBe(0);
  });

  it('sees who watches, and can end it', async () => {
    const [tcp, udp] = [
      await watch(),
      await watch(server.rtsp('/stream1', `viewer:${peoplePassword}`), 'udp'),
    ];
    await expect
      .poll(async () =>
        ((await ask('/api/clients')).body['clients'] as Client[]).map(({ bytes }) => bytes > 0),
      )
      .toEqual([true, true]);
    const clients = (await ask('/api/clients')).body['clients'] as Client[];
    expect(clients).toMatchObject([
      {
        protocol: 'rtsp',
        user: 'admin',
        stream: '/stream1',
        transport: 'tcp',
        address: '127.0.0.1',
        secure: false,
      },
      { protocol: 'rtsp', user: 'viewer', stream: '/stream1', transport: 'udp' },
    ]);
    await expect.poll(() => server.store.get('streamStats').clientCount).toBe(2);
    expect((await ask('/api/clients', 'GET', `guest:${peoplePassword}`)).status).toBe(403);
    const id = clients[1]?.id ?? '';
    expect((await ask(`/api/clients/${id}`, 'DELETE', `viewer:${peoplePassword}`)).status).toBe(403);
    expect((await ask(`/api/clients/${id}`, 'DELETE')).status).toBe(204);
    await udp.whenEnded();
    await tcp.more(5);
    expect((await ask('/api/clients/999999', 'DELETE')).status).toBe(404);
  });

  it('sees the pipelines, what joins them, and each as a graph', async () => {
    await watch();
    const { body } = await ask('/api/pipelines');
    expect(body).toMatchObject({
      state: 'running',
      version: expect.stringContaining('GStreamer 1.') as string,
      pipelines: [
        {
          name: 'capture/primary',
          state: 'running',
          text: expect.stringContaining('videotestsrc') as string,
        },
        { name: 'encode/stream1', state: 'running', text: expect.stringContaining('bitrate="') as string },
        { name: 'encode/stream2' },
      ],
    });
    await expect
      .poll(async () => (await ask('/api/pipelines')).body['channels'])
      .toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: 'stream1', producing: true, consumers: 1, dropped: 0 }),
        ]),
      );
    const graph = await ask('/api/pipelines/graph?name=encode/stream1');
    expect(graph.text).toMatch(/^digraph pipeline/);
    expect(graph.text).toContain('GstX264Enc');
    const drawing = await ask('/api/pipelines/graph?name=encode/stream1&format=svg');
    expect(drawing.type).toBe('image/svg+xml; charset=utf-8');
    expect(drawing.text).toMatch(/^<svg xmlns[^]*<\/svg>\n$/);
    for (const text of ['x264enc', 'hubsrc', 'hubsink', 'video/x-h264', '640x360', '30 fps'])
      expect(drawing.text).toContain(`>${text}</text>`);
    expect(drawing.text).toMatch(/bitrate=\d+/);
    expect((await ask('/api/pipelines/graph?name=encode/stream9&format=svg')).status).toBe(404);
    const refused = await ask('/api/pipelines/graph?name=encode/stream1&format=png');
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('format')]);
  });
});

it('nothing runs while nobody watches', async () => {
  const viewer = await watch();
  expect(server.pipelines().every(({ state }) => state === 'running' || state === 'idle')).toBe(true);
  await viewer.close();
  await expect
    .poll(() => server.pipelines().map(({ state }) => state), { timeout: 15_000 })
    .toEqual(['idle', 'idle', 'idle']);
});
