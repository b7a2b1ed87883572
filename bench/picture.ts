// The picture: what passing on, decoding and encoding, two cameras in one picture and MJPEG cost, and whether photos cost
// viewers anything. 1080p30, beside bare gst-launch pipelines that do the same in the same run.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ValueOf } from '../src/observables/define.js';
import type { AppRegistry } from '../src/observables/registry.js';
import { freePorts } from '../test/support/ports.js';
import { RtspCamera } from '../test/support/RtspCamera.js';
import { RtspSocket } from '../test/support/RtspSocket.js';
import { TimeViewer } from '../test/support/TimeViewer.js';
import { benchPassword, change, mediaPid, openLab, tell, type Lab } from './lab.js';
import { usedSeconds } from './mediaSubjects.js';

const secondsEach = 8;
const settlesMs = 3000;
const framerate = 30;
const mjpegCounts = [1, 10, 50] as const;
const photos = 20;
const administrator = `admin:${benchPassword}`;
const encoder =
  'x264enc tune=zerolatency speed-preset=superfast key-int-max=60 vbv-buf-capacity=100 bitrate=8000';
const pattern = 'videotestsrc is-live=true horizontal-speed=2';
const shape = 'video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1';

export async function benchPicture(): Promise<void> {
  const [rtspPort = 0] = await freePorts(1);
  const camera = await RtspCamera.start(
    `${pattern} ! ${shape} ! ${encoder} ! rtph264pay name=pay0 config-interval=-1`,
  );
  const lab = await openLab({ media: true, rtspPort });
  try {
    await change(lab, {
      rateLimits: { ...lab.server.store.get('rateLimits'), imagesPerSecond: 1000 },
      streamResolution: '1920x1080',
      streamFramerate: framerate,
      stream2: { ...lab.server.store.get('stream2'), enabled: false },
      timestampOverlay: { ...lab.server.store.get('timestampOverlay'), enabled: false },
    });
    await tellPassing(lab, rtspPort, camera.url);
    await camera.stop();
    await tellTwoCameras(lab, rtspPort);
    await tellMjpeg(lab);
    await tellPhotos(lab, rtspPort);
  } finally {
    await camera.stop();
    await lab.close();
  }
}

async function tellPassing(lab: Lab, rtspPort: number, url: string): Promise<void> {
  await change(lab, { cameraHeadSettings: heads(lab, { source: 'rtsp', url }) });
  const viewer = await RtspSocket.play(rtspPort, '/stream1', administrator);
  const passes = (): boolean => lab.server.store.get('streamPassthroughStatus').stream1.active;
  while (!passes()) await pause(100);
  const passed = await costOf(mediaPid(lab));
  await change(lab, { streamPassthrough: false });
  const encoded = await costOf(mediaPid(lab));
  await viewer.stop();
  const received = `rtspsrc location=${url} protocols=tcp latency=100 ! rtph264depay ! h264parse`;
  const barePassed = await costOfLaunch(`${received} ! fakesink`);
  const bareEncoded = await costOfLaunch(`${received} ! avdec_h264 ! videoconvert ! ${encoder} ! fakesink`);
  tellCosts('passed on as it is, 1 viewer', passed, barePassed);
  tellCosts('decoded and encoded, 1 viewer', encoded, bareEncoded);
  tell(`obscura, passing on costs ${(passed / encoded).toFixed(3)} of decoding and encoding`);
}

async function tellTwoCameras(lab: Lab, rtspPort: number): Promise<void> {
  await change(lab, { cameraHeadSettings: heads(lab, { source: 'test' }) });
  const viewer = await RtspSocket.play(rtspPort, '/stream1', administrator);
  const one = await costOf(mediaPid(lab));
  await change(lab, { pipEnabled: true });
  const two = await costOf(mediaPid(lab));
  tell(
    `obscura, runs at ${String(lab.server.store.get('streamFramerateEffective'))} frames/s with picture-in-picture`,
  );
  await change(lab, { pipEnabled: false });
  await viewer.stop();
  const bareOne = await costOfLaunch(`${pattern} ! ${shape} ! ${encoder} ! fakesink`);
  const inset = 'sink_1::xpos=1440 sink_1::ypos=810 sink_1::width=480 sink_1::height=270';
  const bareTwo = await costOfLaunch(
    `compositor name=mix ${inset} ! ${shape} ! ${encoder} ! fakesink ${pattern} ! ${shape} ! mix.sink_0 ${pattern} ! ${shape} ! mix.sink_1`,
  );
  tellCosts('one camera', one, bareOne);
  tellCosts('picture-in-picture', two, bareTwo);
  tell(
    `obscura, picture-in-picture costs ${(two / one).toFixed(2)} of one camera; bare ${(bareTwo / bareOne).toFixed(2)}`,
  );
}

/** In the process that serves HTTP, which is this one, and in the one that encodes. */
async function tellMjpeg(lab: Lab): Promise<void> {
  const url = `http://${administrator}@127.0.0.1:${String(lab.server.httpPort)}/api/camera/stream?fps=15&width=1280&quality=80`;
  const viewers: ChildProcess[] = [];
  for (const count of mjpegCounts) {
    while (viewers.length < count)
      viewers.push(spawn('curl', ['-s', '-o', '/dev/null', url], { stdio: 'ignore' }));
    const pid = mediaPid(lab);
    await pause(settlesMs);
    const [before, own] = [usedSeconds(pid), process.cpuUsage()];
    const began = performance.now();
    await pause(secondsEach * 1000);
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(own);
    const media = ((usedSeconds(pid) - before) / seconds) * 100;
    const http = ((used.user + used.system) / 1e6 / seconds) * 100;
    tell(
      `obscura, MJPEG 1280x720 at 15/s to ${String(count)}: encoding ${media.toFixed(1)} %, sending ${http.toFixed(1)} % of a core`,
    );
  }
  if (viewers.some(({ exitCode }) => exitCode !== null)) throw new Error('A viewer of MJPEG has gone');
  for (const viewer of viewers) await end(viewer);
  const bare = await costOfLaunch(
    `${pattern} ! ${shape} ! videorate drop-only=true ! video/x-raw,framerate=15/1 ! videoscale ! video/x-raw,width=1280,height=720 ! jpegenc idct-method=ifast quality=80 ! fakesink`,
  );
  tell(`gst-launch, MJPEG 1280x720 at 15/s to nobody: ${bare.toFixed(1)} % of a core`);
}

async function tellPhotos(lab: Lab, rtspPort: number): Promise<void> {
  await change(lab, { timeBlock: true });
  const viewer = new TimeViewer(`rtsp://${administrator}@127.0.0.1:${String(rtspPort)}/stream1`, 'tcp');
  await viewer.more(framerate);
  const from = viewer.frames.length;
  const headers = {
    authorization: `Basic ${Buffer.from(administrator).toString('base64')}`,
    'content-type': 'application/json',
  };
  const took: number[] = [];
  for (let index = 0; index < photos; index += 1) {
    const began = performance.now();
    const answer = await fetch(`http://127.0.0.1:${String(lab.server.httpPort)}/snapshot`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ filename: `bench-${String(index)}.${index % 2 === 0 ? 'jpg' : 'webp'}` }),
    });
    if (!answer.ok) throw new Error(`A photo was answered ${String(answer.status)}: ${await answer.text()}`);
    took.push(performance.now() - began);
  }
  await viewer.more(framerate);
  const times = viewer.frames.slice(from).map(({ captured }) => captured ?? Number.NaN);
  const missed = times
    .slice(1)
    .reduce(
      (sum, time, index) => sum + Math.round(((time - (times[index] ?? time)) * framerate) / 1e6) - 1,
      0,
    );
  await viewer.close();
  const sorted = took.toSorted((one, other) => one - other);
  tell(
    `obscura, pictures that a viewer missed while ${String(photos)} photos of 1080p were stored: ${String(missed)} of ${String(times.length)}; a photo took ${Math.round(sorted[0] ?? 0).toString()} to ${Math.round(sorted.at(-1) ?? 0).toString()} ms`,
  );
}

function heads(lab: Lab, head: object): ValueOf<AppRegistry['cameraHeadSettings']> {
  const { primary, secondary } = lab.server.store.get('cameraHeadSettings');
  const size = { resolution: '1920x1080', fps: framerate };
  return { primary: { ...primary, ...size, ...head }, secondary: { ...secondary, ...size } };
}

/** Per cent of one core, after what has just begun has settled. */
async function costOf(pid: number): Promise<number> {
  await pause(settlesMs);
  const before = usedSeconds(pid);
  const began = performance.now();
  await pause(secondsEach * 1000);
  return ((usedSeconds(pid) - before) / ((performance.now() - began) / 1000)) * 100;
}

async function costOfLaunch(text: string): Promise<number> {
  const child = spawn('gst-launch-1.0', ['-q', ...text.split(' ')], { stdio: 'ignore' });
  try {
    return await costOf(child.pid ?? 0);
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill();
  await gone;
}

function tellCosts(what: string, own: number, bare: number): void {
  tell(
    `${what}: obscura ${own.toFixed(1)} %, gst-launch ${bare.toFixed(1)} % of a core; ratio ${(own / bare).toFixed(2)}`,
  );
}
