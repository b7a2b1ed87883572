// When viewers over RTSP have to go, and how they come back.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../src/store/actor.js';
import { JsonSocket } from '../support/JsonSocket.js';
import { mediaServer, run, type MediaServer } from '../support/mediaServer.js';
import { RtspAudience, seenOf } from '../support/RtspAudience.js';
import { adminPassword } from '../support/runningServer.js';

let server: MediaServer;
const audience = new RtspAudience();
const watch = (url = server.rtsp(), transport?: 'tcp' | 'udp') => audience.watch(url, transport);

beforeAll(async () => {
  server = await mediaServer();
});
afterAll(() => server.stop());
afterEach(() => audience.leave());

describe('a viewer must go', () => {
  it.each(['h265', 'mjpeg'] as const)(
    'when the codec becomes %s, unless it watches the other stream',
    async (codec) => {
      const [main, other] = [await watch(), await watch(server.rtsp('/stream2'))];
      expect(await server.change({ videoEncoder: codec })).toMatchObject({ ok: true });
      await main.whenEnded();
      expect((await seenOf(server.rtsp(), 'codec_name')).split('\n')[0]).toBe(
        codec === 'h265' ? 'hevc' : codec,
      );
      await other.more(5);
      expect(await server.change({ videoEncoder: 'h264' })).toMatchObject({ ok: true });
      await watch();
    },
  );

  it('when the server is switched off, and may come back when it is on again', async () => {
    const viewer = await watch();
    await server.change({ rtspEnabled: false });
    await viewer.whenEnded();
    expect((await run('ffprobe', ['-v', 'error', server.rtsp()])).code).not.toBe(0);
    await server.change({ rtspEnabled: true });
    await watch();
  });

  it.each(['account', 'role', 'password', 'session', 'token'])(
    'when the %s it came by is no more',
    async (what) => {
      const { store } = server;
      const root = systemActor();
      const users = { ...store.get('users'), ann: { role: 'viewer' } };
      await store.transact(root, { users });
      await store.submit(root, { userPasswords: { ann: 'Ann-has-1-password' } });
      const login = await fetch(`${server.url}/api/login`, {
        method: 'POST',
        body: JSON.stringify({ username: 'ann', password: 'Ann-has-1-password' }),
      });
      const { token } = (await login.json()) as { token: string };
      const made = await fetch(`${server.url}/api/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'short' }),
      });
      const api = (await made.json()) as { token: string; id: string };
      const url =
        what === 'token'
          ? server.rtsp(`/stream1?token=${api.token}`, '')
          : what === 'session'
            ? server.rtsp(`/stream1?token=${token}`, '')
            : server.rtsp('/stream1', 'ann:Ann-has-1-password');
      const [hers, mine] = [await watch(url), await watch()];
      if (what === 'account') {
        const { ann: _ann, ...others } = users;
        await store.transact(root, { users: others });
      } else if (what === 'role') await store.transact(root, { users: { ...users, ann: { role: 'guest' } } });
      else if (what === 'token') {
        const tokens = store.get('apiTokens');
        const { [api.id]: short } = tokens;
        if (short === undefined) throw new Error('There is no such token');
        // It runs out by itself, and nobody says a word.
        const expires = Date.now() + 500;
        await store.transact(root, { apiTokens: { ...tokens, [api.id]: { ...short, expires } } });
      } else if (what === 'password')
        await store.submit(root, { userPasswords: { ann: 'Ann-has-2-passwords' } });
      else
        await fetch(`${server.url}/api/logout`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        });
      await hers.whenEnded();
      await mine.more(5);
    },
  );
});

it.each([
  ['is killed', 'SIGKILL'],
  ['hangs', 'SIGSTOP'],
] as const)(
  'a media process that %s comes back with everything; the sockets notice nothing',
  async (_what, signal) => {
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
    await socket.ask({ op: 'auth', username: 'admin', password: adminPassword });
    await socket.ask({ op: 'watch', keys: ['streamBitrate'] });
    const viewer = await watch();
    const { pid } = server.mediaState();
    // A wish that only the next process can carry out.
    const streamBitrate = server.store.get('streamBitrate') + 100_000;
    process.kill(pid, signal);
    await viewer.whenEnded();
    expect(await socket.ask({ op: 'set', set: { streamBitrate } })).toMatchObject({ ok: true });
    // Whoever asks for video now is told so, or waits until it is back.
    const graph = await fetch(`${server.url}/api/pipelines/graph?name=nothing`, {
      headers: { authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}` },
    });
    expect(graph.status).toBeOneOf([404, 503]);
    // The pid is 0 while there is none.
    await expect.poll(() => [0, pid].includes(server.mediaState().pid), { timeout: 15_000 }).toBe(false);
    await expect.poll(() => server.store.status('streamBitrate').status, { timeout: 15_000 }).toBe('applied');
    const again = await watch();
    expect(again.frames[0]).toMatchObject({ width: 640, height: 360 });
    expect(socket.closed).toBeUndefined();
    socket.close();
  },
);
