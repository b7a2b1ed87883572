// What takes two machines: multicast, where one stream goes to whoever listens, and servers that help WebRTC along.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Network } from '../support/Network.js';
import { run } from '../support/mediaServer.js';
import { program } from '../support/program.js';
import { adminPassword } from '../support/runningServer.js';

const possible = await Network.isPossible();
const hasTurnServer = (await run('turnserver', ['-h'])).code === 0;
const network = new Network();
const who = `admin:${adminPassword}`;
let folder = '';
let server: ChildProcess;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function onClient(
  command: string,
  words: readonly string[],
  isEnough: (out: string) => boolean = () => false,
): Promise<Said> {
  const child = network.spawn('client', command, words);
  let [out, err] = ['', ''];
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString();
    if (isEnough(out)) child.kill();
  });
  child.stderr?.on('data', (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? 1, out, err };
}

/** Watches until it has seen so many pictures, or is not let. */
const watch = (way: string, pictures: number, onPicture: () => void = () => undefined): Promise<Said> =>
  onClient(
    'ffprobe',
    [
      ...['-v', 'error', '-rtsp_transport', way, '-show_entries', 'frame=width', '-of', 'csv=p=0'],
      `rtsp://${who}@${network.serverAddress}:8554/stream1`,
    ],
    (out) => {
      if (out.includes('640')) onPicture();
      return out.split('640').length > pictures;
    },
  );

async function request(path: string, ...words: string[]): Promise<Said> {
  return await onClient('curl', ['-sS', '-u', who, ...words, `http://${network.serverAddress}:8080${path}`]);
}

const helper = { port: 3478, username: 'obscura', credential: 'Relay-pass-1' };
/** As a browser would ask. */
const offer = [
  ...['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0'],
  ...['m=video 9 UDP/TLS/RTP/SAVPF 102', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:abcd'],
  ...['a=ice-pwd:abcdefghijklmnopqrstuvwx', `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`],
  ...['a=setup:actpass', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux', 'a=rtpmap:102 H264/90000'],
  'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  '',
].join('\r\n');

describe.runIf(possible)('on a network of its own', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'obscura-multicast-'));
    const { port, ...account } = helper;
    const settings = {
      ...{ streamResolution: '640x360', encoderPreset: 'ultrafast', streamBitrate: 1_000_000 },
      webrtcEnabled: true,
      webrtcIceServers: [{ urls: [`turn:${network.clientAddress}:${String(port)}`], ...account }],
    };
    await writeFile(join(folder, 'factory.json'), JSON.stringify({ settings }));
    await network.open();
    server = network.spawn('server', process.execPath, program('src/main.ts'), {
      OBSCURA_DATA: join(folder, 'data'),
      OBSCURA_FACTORY: join(folder, 'factory.json'),
      OBSCURA_BIND: network.serverAddress,
      OBSCURA_ADMIN_PASSWORD: adminPassword,
    });
    await vi.waitFor(
      async () => {
        if ((await request('/readyz', '-f')).code !== 0) throw new Error('It is not ready');
      },
      { timeout: 30_000, interval: 200 },
    );
  }, 60_000);
  afterAll(async () => {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    await network.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('multicast is refused until it is switched on', async () => {
    expect(await watch('udp_multicast', 5)).toMatchObject({
      out: '',
      err: expect.stringContaining('461') as string,
    });
    expect((await watch('udp', 5)).out).toContain('640');
  });

  it('multicast serves two at once, is listed, and ends when it is switched off', async () => {
    const patch = (enabled: boolean): Promise<Said> =>
      request(
        '/api/settings',
        ...['-f', '-H', 'content-type: application/json', '-d'],
        JSON.stringify({
          rtspMulticast: { enabled, address: '239.255.42.7', port: 6000, ttl: 2, interface: 'net0' },
        }),
      );
    expect((await patch(true)).code).toBe(0);
    const both = await Promise.all([watch('udp_multicast', 10), watch('udp', 10)]);
    for (const { out, err } of both)
      expect([out.split('640').length > 10, err]).toEqual([true, expect.not.stringContaining('failed')]);
    let long: Promise<Said> | undefined;
    await new Promise<void>((begun) => {
      long = watch('udp_multicast', Number.POSITIVE_INFINITY, begun);
    });
    await expect.poll(async () => (await request('/api/clients')).out).toContain('"transport":"multicast"');
    await patch(false);
    expect((await long)?.out).toContain('640');
    await expect.poll(async () => (await request('/api/clients')).out).not.toContain('multicast');
  });

  // Installing it would start a service, so that it is tested where somebody has it.
  it.runIf(hasTurnServer)(
    'the answer to a browser holds the address at a TURN server, and comes without it where that is down',
    async () => {
      const answer = async (): Promise<string> =>
        (
          await request(
            '/api/webrtc/offer',
            ...['-f', '-H', 'content-type: application/json', '-d'],
            JSON.stringify({ type: 'offer', sdp: offer }),
          )
        ).out;
      const without = await answer();
      expect(without).toContain('typ host');
      expect(without).not.toContain('typ relay');
      const turn = network.spawn('client', 'turnserver', [
        ...['-n', '--listening-ip', network.clientAddress, '--relay-ip', network.clientAddress],
        ...['--listening-port', String(helper.port), '--lt-cred-mech', '--realm', 'obscura'],
        ...['--user', `${helper.username}:${helper.credential}`, '--no-tls', '--no-dtls', '--no-cli'],
        ...[
          '--log-file',
          'stdout',
          '--pidfile',
          join(folder, 'turn.pid'),
          '--userdb',
          join(folder, 'turn.db'),
        ],
      ]);
      await expect
        .poll(answer, { timeout: 20_000, interval: 500 })
        .toMatch(new RegExp(`${network.clientAddress.replaceAll('.', '[.]')} [0-9]+ typ relay`));
      const gone = once(turn, 'exit');
      turn.kill();
      await gone;
    },
  );
});
