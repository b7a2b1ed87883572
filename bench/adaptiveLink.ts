// The adaptive loop on a real link: the whole server, x264, and a browser or ffmpeg behind a link whose capacity falls from
// 8 to 2 Mbit/s and comes back, for each mode in the same run. Needs the right to make network namespaces.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { adminPassword, basic } from '../test/support/runningServer.js';
import { Link, type LinkReport } from '../test/support/Link.js';
import { LinkedServer } from '../test/support/LinkedServer.js';
import { WebPlayer } from '../test/support/WebPlayer.js';
import { percentile, tell } from './lab.js';

const capacities = [8e6, 2e6, 8e6] as const;
const segmentMs = 25_000;
const delayMs = 25;
const queueMs = 300;
/** The standing queue is what even the luckiest packets wait. */
const standingMs = 100;
const settings = {
  cameraHeadSettings: {
    // What cannot be compressed needs all the bits it is given.
    primary: { source: 'test', device: 'snow', format: 'NV12', resolution: '640x360', fps: 30 },
    secondary: { source: 'test', device: '', format: 'NV12', resolution: '640x360', fps: 30 },
  },
  ...{ streamResolution: '640x360', streamFramerate: 30, streamBitrate: 8_000_000 },
  encoderPreset: 'ultrafast',
  webrtcEnabled: true,
};

interface Result {
  /** Delivered, as a part of what the link could carry. */
  readonly used: number;
  readonly queue95: number;
  /** Seconds after the fall until no queue stands any more; undefined where it never goes. */
  readonly drained: number | undefined;
  /** Seconds after the rise until 90 % of the link is used; undefined where it never is. */
  readonly returned: number | undefined;
  readonly dropped: number;
  readonly seen: string;
}

interface Viewer {
  readonly stop: () => Promise<string>;
}

export async function benchAdaptiveLink(): Promise<void> {
  if (!(await Link.isPossible())) {
    tell('The real link is left out: it takes the right to make network namespaces and /dev/net/tun.');
    return;
  }
  tell(
    `\nA real link of 8, 2 and 8 Mbit/s for ${String(segmentMs / 1000)} s each, ${String(2 * delayMs)} ms round trip, ${String(queueMs)} ms of queue; x264 at up to 8 Mbit/s`,
  );
  tell('viewer           mode       used   queue p95   drained   back to 90 %   dropped   seen');
  for (const [name, watch] of [
    ['WebRTC, Chromium', watchInBrowser],
    ['RTSP/UDP, ffmpeg', watchWithFfmpeg],
  ] as const)
    for (const mode of ['auto', 'rotoclear', 'off'] as const) {
      const { used, queue95, drained, returned, dropped, seen } = await once8To2To8(mode, watch);
      tell(
        [
          ...[name.padEnd(16), mode.padEnd(9), `${(100 * used).toFixed(0)} %`.padStart(5)],
          ...[`${queue95.toFixed(0)} ms`.padStart(9), inSeconds(drained), inSeconds(returned).padStart(12)],
          ...[String(dropped).padStart(9), seen],
        ].join('  '),
      );
    }
}

async function once8To2To8(
  mode: 'auto' | 'rotoclear' | 'off',
  watch: (link: Link, server: LinkedServer) => Promise<Viewer>,
): Promise<Result> {
  const link = new Link({ delayMs, queueMs });
  await link.open();
  let server: LinkedServer | undefined;
  try {
    link.setCapacity(capacities[0]);
    server = await LinkedServer.start(link, {
      ...settings,
      adaptiveBitrate: { mode, min: 500_000, max: 12_000_000, policy: 'percentile', ladder: false },
    });
    const viewer = await watch(link, server);
    const marks: number[] = [];
    for (const capacity of capacities) {
      link.setCapacity(capacity);
      marks.push(link.reports.length);
      await pause(segmentMs);
    }
    marks.push(link.reports.length);
    const reports = [...link.reports];
    return judge(reports, marks, await viewer.stop());
  } finally {
    await server?.stop();
    await link.close();
  }
}

function judge(reports: readonly LinkReport[], marks: readonly number[], seen: string): Result {
  const [begin = 0, fall = 0, rise = 0, end = 0] = marks;
  const whole = reports.slice(begin, end);
  const carried = whole.reduce((sum, { bytes }) => sum + 8 * bytes, 0);
  const possible = whole.reduce((sum, { capacity }) => sum + capacity / 10, 0);
  const standing = reports.slice(fall, rise).findLastIndex(({ queueMs: [least = 0] }) => least > standingMs);
  const isDrained = standing + 1 < rise - fall;
  // Half a second, so that one large picture is not taken for the return.
  const back = reports
    .slice(rise, end)
    .findIndex(
      (_, index, after) =>
        index >= 4 &&
        after.slice(index - 4, index + 1).reduce((sum, { bytes }) => sum + 8 * bytes, 0) >=
          0.9 * 0.5 * capacities[2],
    );
  return {
    used: carried / possible,
    queue95: percentile(
      whole.flatMap(({ queueMs: [, , worst] }) => (worst === undefined ? [] : [worst])),
      0.95,
    ),
    drained: isDrained ? (standing + 1) / 10 : undefined,
    returned: back < 0 ? undefined : (back + 1) / 10,
    dropped: whole.reduce((sum, { dropped }) => sum + dropped, 0),
    seen,
  };
}

async function watchInBrowser(_link: Link, server: LinkedServer): Promise<Viewer> {
  const browser = await server.browser();
  const player = await WebPlayer.open(browser, server.url, {
    way: 'whep',
    authorization: basic('admin', adminPassword),
  });
  while ((await player.inbound()).frames === 0) await pause(100);
  return {
    stop: async () => {
      const { frames, freezes, frozen } = await player.page.evaluate<{
        frames: number;
        freezes: number;
        frozen: number;
      }>(`(async () => {
        for (const stats of (await pc.getStats()).values())
          if (stats.type === 'inbound-rtp')
            return { frames: stats.framesDecoded, freezes: stats.freezeCount, frozen: stats.totalFreezesDuration };
      })()`);
      return `${String(frames)} pictures, ${String(freezes)} freezes of ${frozen.toFixed(1)} s`;
    },
  };
}

async function watchWithFfmpeg(link: Link, server: LinkedServer): Promise<Viewer> {
  const child: ChildProcess = link.spawn('client', 'ffmpeg', [
    ...['-nostdin', '-v', 'error', '-rtsp_transport', 'udp', '-i', server.rtspUrl('/stream1')],
    ...['-f', 'null', '-progress', 'pipe:1', '-'],
  ]);
  let said = '';
  child.stdout?.on('data', (data: Buffer) => (said = `${said}${data.toString()}`.slice(-4000)));
  child.stderr?.resume();
  while (!/frame=[1-9]/.test(said)) await pause(100);
  return {
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      return `${[...said.matchAll(/frame=(\d+)/g)].at(-1)?.[1] ?? '0'} pictures`;
    },
  };
}

function inSeconds(seconds: number | undefined): string {
  return (seconds === undefined ? 'never' : `${seconds.toFixed(1)} s`).padStart(8);
}
