// How long people wait: for the first picture, for each picture, and for the server to come back.
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { freePorts } from '../test/support/ports.js';
import { RtspSocket } from '../test/support/RtspSocket.js';
import { readTimeRow } from '../test/support/timeBlock.js';
import { WebPlayer } from '../test/support/WebPlayer.js';
import { benchPassword, median, percentile, tell } from './lab.js';
import type { Subject } from './mediaSubjects.js';

const newcomers = 20;
const pictures = 150;
/** Frames of a stream lie this far apart; newcomers come at any moment in between. */
const frameMs = 1000 / 30;

/** From connecting to the last packet of the first picture that can be decoded alone. */
export async function tellFirstPictures({ name, port, credentials }: Subject): Promise<void> {
  const stays = await RtspSocket.play(port, '/stream1', credentials);
  await stays.until(({ packets }) => packets > 50);
  const times: number[] = [];
  for (let count = 0; count < newcomers; count += 1) {
    await pause(200 + (count / newcomers) * frameMs);
    const began = performance.now();
    const viewer = await RtspSocket.play(port, '/stream1', credentials);
    await viewer.until((player) => player.pictures > 0);
    times.push(performance.now() - began);
    await viewer.stop();
  }
  await stays.stop();
  tellTimes(`${name}, RTSP/tcp, connection to the first whole picture, warm`, times);
}

/** The same while nobody watches, so that nothing runs. */
export async function tellIdlePictures(
  { name, port, credentials }: Subject,
  whenIdle: () => Promise<void>,
): Promise<void> {
  const times: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    await whenIdle();
    const began = performance.now();
    const viewer = await RtspSocket.play(port, '/stream1', credentials);
    await viewer.until((player) => player.pictures > 0);
    times.push(performance.now() - began);
    await viewer.stop();
  }
  tellTimes(`${name}, RTSP/tcp, connection to the first whole picture, idle`, times);
}

export async function tellBrowserPictures(
  browser: Browser,
  url: string,
  authorization: string,
): Promise<void> {
  const times: number[] = [];
  for (let count = 0; count < newcomers; count += 1) {
    const player = await WebPlayer.open(browser, url, { way: 'whep', authorization, readTimes: true });
    const [first] = await player.timed(0, 1);
    times.push((first?.seen ?? Number.NaN) / 1000 - (await player.page.evaluate<number>('began')));
    await player.page.close();
  }
  tellTimes('obscura, WebRTC, from creating the connection to the first decoded picture, warm', times);
}

/** From capture to the decoded picture, read from the time block, with a player that holds nothing back. */
export async function tellRtspDelay(url: string): Promise<void> {
  const width = 1280;
  const cell = 16;
  const top = 40;
  const child = spawn('gst-launch-1.0', [
    ...['-q', 'rtspsrc', `location=${url}`, 'protocols=tcp', 'latency=0', '!', 'rtph264depay'],
    ...['!', 'h264parse', '!', 'openh264dec', '!', 'videocrop', `top=${String(top)}`],
    ...[`bottom=${String(720 - top - 2)}`, '!', 'videoconvert', '!', 'video/x-raw,format=GRAY8'],
    ...['!', 'fdsink', 'sync=false'],
  ]);
  const delays: number[] = [];
  let rest = Buffer.alloc(0);
  const done = new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      const seen = (performance.timeOrigin + performance.now()) * 1000;
      rest = Buffer.concat([rest, data]);
      for (; rest.length >= 2 * width; rest = rest.subarray(2 * width))
        delays.push((seen - (readTimeRow(rest, cell) ?? Number.NaN)) / 1000);
      if (delays.length >= pictures) resolve();
    });
    child.once('exit', () => {
      resolve();
    });
  });
  await done;
  child.kill();
  tellTimes(
    'obscura, RTSP/tcp, from capture to the decoded picture (rtspsrc, openh264dec)',
    delays.slice(30),
  );
}

export async function tellBrowserDelay(browser: Browser, url: string, authorization: string): Promise<void> {
  const player = await WebPlayer.open(browser, url, { way: 'whep', authorization, readTimes: true });
  const frames = (await player.timed(0, pictures)).slice(30);
  await player.page.close();
  tellTimes(
    'obscura, WebRTC, from capture to the decoded picture (Chromium)',
    frames.map(({ captured, seen }) => (seen - (captured ?? Number.NaN)) / 1000),
  );
}

/** `npm start` of an installation that is set up, as a whole: until a player has its first picture. */
export async function tellColdStart(folder: string): Promise<void> {
  const [port = 0, http = 0, https = 0] = await freePorts(3);
  const began = performance.now();
  const child = spawn('npm', ['start', '--silent'], {
    cwd: new URL('..', import.meta.url),
    stdio: 'ignore',
    env: {
      ...process.env,
      OBSCURA_DATA: folder,
      OBSCURA_HTTP_PORT: String(http),
      OBSCURA_HTTPS_PORT: String(https),
      OBSCURA_RTSP_PORT: String(port),
      OBSCURA_BIND: '127.0.0.1',
      OBSCURA_ADMIN_PASSWORD: benchPassword,
    },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const viewer = await untilPlaying(port, `admin:${benchPassword}`);
  await viewer.until((player) => player.pictures > 0);
  tell(`obscura, npm start to the first whole picture: ${(performance.now() - began).toFixed(0)} ms`);
  await viewer.stop();
  child.kill();
  await ended;
}

/** From SIGKILL to the next picture of a player that tries again all the time. */
export async function tellReturn({ name, pid, port, credentials }: Subject): Promise<void> {
  const viewer = await RtspSocket.play(port, '/stream1', credentials);
  await viewer.until((player) => player.pictures > 10);
  const began = performance.now();
  process.kill(pid, 'SIGKILL');
  await viewer.stop();
  const next = await untilPlaying(port, credentials);
  await next.until((player) => player.pictures > 0);
  tell(
    `${name}, from SIGKILL of the media process to the next picture: ${(performance.now() - began).toFixed(0)} ms`,
  );
  await next.stop();
}

async function untilPlaying(port: number, credentials: string): Promise<RtspSocket> {
  for (;;) {
    try {
      return await RtspSocket.play(port, '/stream1', credentials);
    } catch {
      await pause(20);
    }
  }
}

function tellTimes(title: string, times: readonly number[]): void {
  tell(
    `${title}: p50 ${median(times).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms of ${String(times.length)}`,
  );
}
