// WebRTC with a real browser, as the reference product's page does it and as WHEP players do.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemActor } from '../../src/store/actor.js';
import { JsonSocket } from '../support/JsonSocket.js';
import { launchBrowser } from '../support/browser.js';
import { mediaServer, type MediaServer } from '../support/mediaServer.js';
import { adminPassword, peoplePassword } from '../support/runningServer.js';
import { offerScript, showTrack, statsScript, WebPlayer, type Way } from '../support/WebPlayer.js';

let server: MediaServer;
let browser: Browser;
const pages: Page[] = [];
beforeAll(async () => {
  server = await mediaServer();
  await server.change({ webrtcEnabled: true });
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await server.stop();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

interface Player {
  readonly page: Page;
  readonly status: number;
  readonly answer: string;
  readonly location: string | null;
  size(): Promise<{ width: number; height: number }>;
  state(): Promise<string>;
  transport(): Promise<string>;
  more(count: number): Promise<void>;
  shows(): Promise<boolean>;
}

async function play(
  way: Way = 'offer',
  {
    who = `viewer:${peoplePassword}`,
    authorization = `Basic ${Buffer.from(who).toString('base64')}`,
    video = true,
    stream = 'stream1',
  } = {},
): Promise<Player> {
  const player = await WebPlayer.open(browser, server.url, { way, authorization, video, stream });
  const { page, status, answer, location } = player;
  pages.push(page);
  return {
    ...{ page, status, answer, location },
    size: async () => {
      const { width, height } = await player.inbound();
      return { width, height };
    },
    state: () => player.state(),
    transport: () => player.transport(),
    shows: () => player.shows(),
    more: async (count) => {
      const before = (await player.inbound()).frames;
      await expect
        .poll(async () => (await player.inbound()).frames, { timeout: 15_000 })
        .toBeGreaterThan(before + count);
    },
  };
}

/** A page of the server that has made an offer, which it leaves to the test to send. */
async function offering(): Promise<{ readonly page: Page; readonly sdp: string }> {
  const page = await browser.newPage();
  pages.push(page);
  await page.goto(`${server.url}/livez`);
  return { page, sdp: await page.evaluate<string>(offerScript) };
}

const decoded = async (page: Page): Promise<number> =>
  (await page.evaluate<{ frames: number }>(statsScript)).frames;

describe('a browser', () => {
  it.each(['offer', 'whep'] as const)('plays by %s', async (way) => {
    const player = await play(way);
    expect([player.status, player.answer.slice(0, 60)]).toEqual([
      way === 'whep' ? 201 : 200,
      expect.anything(),
    ]);
    // What repairs the picture and measures the network is agreed upon.
    for (const agreed of ['nack pli', 'transport-cc', 'apt=', 'transport-wide-cc'])
      expect(player.answer).toContain(agreed);
    await player.more(20);
    expect(await player.size()).toEqual({ width: 640, height: 360 });
    expect(await player.state()).toBe('connected');
    // Chromium reports every second or so.
    const jitterMs = expect.any(Number) as number;
    await expect
      .poll(() => server.media?.webrtc.list().at(-1), { timeout: 10_000 })
      .toMatchObject({ bytes: expect.any(Number) as number, report: { lossPercent: 0, jitterMs } });
    expect(server.media?.webrtc.list().at(-1)?.bytes).toBeGreaterThan(10_000);
  });

  it('plays and shows the second stream, which begins to run only then', async () => {
    await expect
      .poll(() => server.pipelines().find(({ name }) => name === 'encode/stream2')?.state)
      .not.toBe('running');
    const player = await play('whep', { stream: 'stream2' });
    // The source of the pictures, and not only that of packets that are sent again.
    expect(player.answer).toMatch(/a=ssrc-group:FID ([1-9]\d*) \d+[^]*a=ssrc:\1 msid/);
    await player.more(10);
    expect(await player.size()).toEqual({ width: 1280, height: 720 });
    await expect.poll(() => player.shows()).toBe(true);
  });

  it('may be given the other stream by the server, and is where it wished to be when that ends', async () => {
    const player = await play();
    await player.more(5);
    const { webrtc } = server.media ?? {};
    const watcher = () => webrtc?.list().at(-1);
    const viewer = watcher()?.viewer ?? '';
    expect(watcher()).toMatchObject({ stream: 'stream1', wished: 'stream1' });
    await webrtc?.move(viewer, 'stream2');
    expect(watcher()).toMatchObject({ viewer, stream: 'stream2', wished: 'stream1' });
    await expect.poll(async () => (await player.size()).width, { timeout: 15_000 }).toBe(1280);
    await expect(webrtc?.move('webrtc-999', 'stream2')).rejects.toMatchObject({ code: 'unknown' });
    const stream2 = server.store.get('stream2');
    await server.change({ stream2: { ...stream2, enabled: false } });
    await expect.poll(() => watcher()?.stream, { timeout: 15_000 }).toBe('stream1');
    await expect.poll(async () => (await player.size()).width, { timeout: 15_000 }).toBe(640);
    await server.change({ stream2 });
    expect(await player.state()).toBe('connected');
  });

  it('stays while the picture is changed, and sees the change', async () => {
    const player = await play();
    await player.more(10);
    for (const [patch, width] of [
      [{ streamBitrate: 2_000_000 }, 640],
      [{ streamResolution: '1280x720' }, 1280],
      [{ encoderPreset: 'fast' }, 1280],
      [{ streamFramerate: 15 }, 1280],
      [{ streamResolution: '640x360', streamFramerate: 30, encoderPreset: 'ultrafast' }, 640],
    ] as const) {
      expect(await server.change(patch)).toMatchObject({ ok: true });
      await expect.poll(async () => (await player.size()).width, { timeout: 15_000 }).toBe(width);
      await player.more(10);
    }
    expect(await player.state()).toBe('connected');
  });

  it('plays by the WebSocket, as long as that is open', async () => {
    const { page, sdp } = await offering();
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
    expect(await socket.ask({ op: 'webrtc.offer', sdp })).toMatchObject({ error: { code: 'forbidden' } });
    await socket.ask({ op: 'auth', username: 'viewer', password: peoplePassword });
    expect(await socket.ask({ op: 'webrtc.offer', sdp: 'v=0' })).toMatchObject({
      error: { code: 'invalid' },
    });
    const answer = await socket.ask({ op: 'webrtc.offer', sdp, stream: 'stream2' });
    expect(answer).toMatchObject({ ok: true, session: expect.any(String) as string });
    const { session } = answer;
    const candidate = 'candidate:1 1 UDP 1 192.0.2.9 9 typ host';
    expect(await socket.ask({ op: 'webrtc.candidate', session, line: 0, candidate })).toMatchObject({
      ok: true,
    });
    await page.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer['sdp'])} })`);
    await expect.poll(() => decoded(page), { timeout: 15_000 }).toBeGreaterThan(10);
    const other = await JsonSocket.open(`${server.socketUrl}/api/v2`);
    await other.ask({ op: 'auth', username: 'admin', password: adminPassword });
    expect(await other.ask({ op: 'webrtc.close', session })).toMatchObject({ error: { code: 'unknown' } });
    other.close();
    socket.close();
    await expect.poll(() => server.media?.webrtc.list().some((each) => each.session === session)).toBe(false);
  });

  it('is told the addresses of the server one by one, where it asks for that', async () => {
    const { page, sdp } = await offering();
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
    await socket.ask({ op: 'auth', username: 'viewer', password: peoplePassword });
    const answer = await socket.ask({ op: 'webrtc.offer', sdp, trickle: true });
    expect(answer).toMatchObject({ ok: true });
    expect(answer['sdp']).not.toContain('a=candidate');
    await page.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer['sdp'])} })`);
    const theirs = await socket.next((message) => message['op'] === 'webrtc.candidate');
    expect(theirs).toMatchObject({ session: answer['session'], line: 0 });
    await page.evaluate(
      `pc.addIceCandidate(${JSON.stringify({ candidate: theirs['candidate'], sdpMLineIndex: theirs['line'] })})`,
    );
    const own = await page.evaluate<{ candidate: string; sdpMLineIndex: number }[]>('own');
    for (const { candidate, sdpMLineIndex: line } of own)
      expect(
        await socket.ask({ op: 'webrtc.candidate', session: answer['session'], line, candidate }),
      ).toMatchObject({ ok: true });
    await expect.poll(() => decoded(page), { timeout: 15_000 }).toBeGreaterThan(10);
    socket.close();
  });

  it.each(['cookie', 'id'])('answers an offer of the server, which it knows by the %s', async (by) => {
    const page = await browser.newPage();
    pages.push(page);
    await page.goto(`${server.url}/livez`);
    const authorization = `Basic ${Buffer.from(`viewer:${peoplePassword}`).toString('base64')}`;
    const result = await page.evaluate<{ offer: Record<string, string>; status: number }>(`(async () => {
      const headers = { authorization: ${JSON.stringify(authorization)}, 'content-type': 'application/json' };
      globalThis.pc = new RTCPeerConnection();
      pc.ontrack = ({ track }) => (${showTrack})(track);
      const offer = await (await fetch('/api/webrtc/offer', { headers })).json();
      await pc.setRemoteDescription(offer);
      await pc.setLocalDescription(await pc.createAnswer());
      const { type, sdp } = pc.localDescription;
      const answered = await fetch('/api/webrtc/answer', {
        method: 'POST',
        headers,
        body: JSON.stringify({ type, sdp, ...(${String(by === 'id')} ? { id: offer.id } : {}) }),
      });
      return { offer, status: answered.status };
    })()`);
    expect(result).toMatchObject({ offer: { type: 'offer' }, status: 200 });
    await expect.poll(() => decoded(page), { timeout: 15_000 }).toBeGreaterThan(10);
    // An offer can be answered once, and by the one who asked for it.
    const answer = (who: string) =>
      fetch(`${server.url}/api/webrtc/answer`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(who).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ type: 'answer', sdp: 'v=0', id: result.offer['id'] }),
      });
    expect((await answer(`viewer:${peoplePassword}`)).status).toBe(404);
    expect((await answer(`admin:${adminPassword}`)).status).toBe(404);
  });

  it('finds the server by WHEP with addresses that it tells later, and hangs up', async () => {
    const { page, sdp } = await offering();
    const ask = (path: string, method: string, body?: string, headers = {}) =>
      fetch(server.url + path, {
        method,
        headers: {
          authorization: `Basic ${Buffer.from(`viewer:${peoplePassword}`).toString('base64')}`,
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
    const opened = await ask('/api/whep/stream1', 'POST', sdp.replaceAll(/^a=candidate:.*\r?\n/gm, ''), {
      'content-type': 'application/sdp',
    });
    expect([opened.status, opened.headers.get('content-type')]).toEqual([
      201,
      expect.stringContaining('application/sdp'),
    ]);
    const answer = await opened.text();
    const location = opened.headers.get('location') ?? '';
    const etag = opened.headers.get('etag') ?? '';
    expect(location).toMatch(/^\/api\/whep\/stream1\/./);
    expect(opened.headers.get('accept-patch')).toBe('application/trickle-ice-sdpfrag');
    await page.evaluate(`pc.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer)} })`);

    const fragment = async (): Promise<string> =>
      [
        ...[
          'a=ice-ufrag:abcd',
          'a=ice-pwd:abcdefghijklmnopqrstuvwx',
          'm=video 9 UDP/TLS/RTP/SAVPF 0',
          'a=mid:0',
        ],
        ...(await page.evaluate<{ candidate: string }[]>('own')).map(({ candidate }) => `a=${candidate}`),
        'a=end-of-candidates',
        '',
      ].join('\r\n');
    const type = { 'content-type': 'application/trickle-ice-sdpfrag' };
    const told = async (path: string, headers: object): Promise<number> =>
      (await ask(path, 'PATCH', await fragment(), headers)).status;
    expect(await told(location, { ...type, 'if-match': etag })).toBe(204);
    expect(await told(location, type)).toBe(204);
    expect(await told(location, { 'content-type': 'application/sdp' })).toBe(415);
    expect(await told(location, { ...type, 'if-match': '"other"' })).toBe(412);
    expect(await told(location, { ...type, 'if-match': '*' })).toBe(422);
    expect(await told('/api/whep/stream1/nobody', type)).toBe(404);
    expect((await ask('/api/whep/stream1/nobody', 'PATCH', 'a=mid:0', type)).status).toBe(404);
    expect((await ask(location, 'PATCH', 'a=candidate:garbage', type)).status).toBe(422);

    await expect.poll(() => decoded(page), { timeout: 15_000 }).toBeGreaterThan(10);
    expect((await ask(location, 'DELETE')).status).toBe(200);
    const session = location.split('/').at(-1);
    expect(server.media?.webrtc.list().some((each) => each.session === session)).toBe(false);
    expect((await ask(location, 'DELETE')).status).toBe(404);
  });

  it('is told what is wrong with its offer', async () => {
    const { status, answer } = await play('offer', { video: false });
    expect([status, JSON.parse(answer)]).toMatchObject([422, { error: { code: 'OFFER_WITHOUT_VIDEO' } }]);
    const offered = await pages.at(-1)?.evaluate<string>(`(async () => {
      const connection = new RTCPeerConnection();
      connection.addTransceiver('video', { direction: 'recvonly' });
      return (await connection.createOffer()).sdp;
    })()`);
    for (const [sdp, code] of [
      ['v=0', 'OFFER_WITHOUT_VIDEO'],
      [offered?.replace('a=recvonly', 'a=sendonly'), 'OFFER_WITHOUT_VIDEO'],
      [offered?.replaceAll(/a=ice-ufrag:.*/g, 'a=nothing'), 'INVALID_VALUE'],
    ]) {
      const refused = await fetch(`${server.url}/api/webrtc/offer`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`viewer:${peoplePassword}`).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ type: 'offer', sdp }),
      });
      expect([refused.status, await refused.json()]).toMatchObject([422, { error: { code } }]);
    }
    expect((await play('offer', { who: `guest:${peoplePassword}` })).status).toBe(403);
    expect((await play('whep', { who: 'viewer:Wrong-horse-9' })).status).toBe(401);
  });

  it('is turned away where too many play', async () => {
    await expect.poll(() => server.media?.webrtc.list().length, { timeout: 20_000 }).toBe(0);
    await server.change({ webrtcMaxSessions: 1 });
    const first = await play('whep');
    expect((await play('whep')).status).toBe(429);
    await first.more(5);
    await server.change({ webrtcMaxSessions: 10 });
    const second = await play('whep');
    expect(second.status).toBe(201);
    await second.more(1);
  });

  it('is let go by the end of its rights, by the switch and by a kick, and when it is gone without a word', async () => {
    const ask = (path: string, method: string) =>
      fetch(server.url + path, {
        method,
        headers: { authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}` },
      });
    const clients = async (): Promise<{ id: string; protocol: string; user: string }[]> =>
      ((await (await ask('/api/clients', 'GET')).json()) as { clients: never[] }).clients;
    const apiToken = async (): Promise<{ token: string; id: string }> => {
      const made = await fetch(`${server.url}/api/tokens`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`viewer:${peoplePassword}`).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ name: 'short' }),
      });
      return (await made.json()) as { token: string; id: string };
    };
    const ends = async (act: () => Promise<unknown>, authorization?: string): Promise<void> => {
      await expect.poll(async () => (await clients()).length, { timeout: 15_000 }).toBe(0);
      const player = await play('whep', authorization === undefined ? {} : { authorization });
      await player.more(5);
      // Nobody is told the name of another's session.
      const id = expect.stringMatching(/^webrtc-\d+$/) as string;
      expect(await clients()).toMatchObject([{ id, protocol: 'webrtc', user: 'viewer' }]);
      await act();
      await expect.poll(async () => (await clients()).length, { timeout: 5000 }).toBe(0);
      // The goodbye may be lost on the way; then silence tells.
      await expect
        .poll(async () => (await player.transport()) === 'closed' || (await player.state()) !== 'connected', {
          timeout: 20_000,
        })
        .toBe(true);
      await player.page.close();
    };
    for (const page of pages.splice(0)) await page.close();
    const users = server.store.get('users');
    await ends(() =>
      server.store.transact(systemActor(), { users: { ...users, viewer: { role: 'guest' } } }),
    );
    await server.store.transact(systemActor(), { users });
    const { token, id } = await apiToken();
    await ends(() => {
      const tokens = server.store.get('apiTokens');
      const { [id]: mine } = tokens;
      if (mine === undefined) throw new Error('There is no such token');
      const expires = Date.now() + 500;
      return server.store.transact(systemActor(), { apiTokens: { ...tokens, [id]: { ...mine, expires } } });
    }, `Bearer ${token}`);
    await ends(() => server.change({ webrtcEnabled: false }));
    expect((await play()).status).toBe(503);
    await server.change({ webrtcEnabled: true });
    await ends(async () => ask(`/api/clients/${(await clients())[0]?.id ?? ''}`, 'DELETE'));
  }, 90_000);
});
