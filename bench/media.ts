// Video: what viewers cost, how long they wait and what they miss, of 720p30 at 4 Mbit/s. Beside it, in the same run, a
// bare gst-rtsp-server with the same picture and encoder, and any other server by PEER_COMMAND.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ValueOf } from '../src/observables/define.js';
import type { AppRegistry } from '../src/observables/registry.js';
import { launchBrowser } from '../test/support/browser.js';
import { freePorts } from '../test/support/ports.js';
import { benchPassword, change, mediaPid, openLab, type Lab } from './lab.js';
import { tellRtspCosts, tellWebRtcCosts } from './mediaCosts.js';
import { tellGaps } from './mediaGaps.js';
import { startFloor, startPeer, type Subject } from './mediaSubjects.js';
import {
  tellBrowserDelay,
  tellBrowserPictures,
  tellColdStart,
  tellFirstPictures,
  tellIdlePictures,
  tellReturn,
  tellRtspDelay,
} from './mediaTimes.js';

const reportedEveryMs = 500;
const administrator = `admin:${benchPassword}`;

export async function benchMedia(): Promise<void> {
  const [rtspPort = 0, floorPort = 0, peerPort = 0] = await freePorts(3);
  const lab = await openLab({ media: true, rtspPort });
  const floor = await startFloor(lab.folder, floorPort);
  const peer = await startPeer(peerPort, floorPort);
  const browser = await launchBrowser();
  const coldFolder = await mkdtemp(join(tmpdir(), 'obscura-cold-'));
  try {
    const obscura = await prepared(lab, rtspPort);
    const subjects = [floor, ...(peer === undefined ? [] : [peer]), obscura];
    const url = `http://127.0.0.1:${String(lab.server.httpPort)}`;
    const streamUrl = `rtsp://${administrator}@127.0.0.1:${String(rtspPort)}/stream1`;
    const authorization = `Basic ${Buffer.from(administrator).toString('base64')}`;

    for (const transport of ['tcp', 'udp'] as const)
      for (const subject of subjects) await tellRtspCosts(subject, transport);
    await tellWebRtcCosts(obscura, browser, url, authorization);
    for (const subject of subjects) await tellFirstPictures(subject);
    await tellIdlePictures(obscura, () => untilIdle(lab));
    await tellBrowserPictures(browser, url, authorization);

    // What the decoder of the test decodes, and a picture in which the block is not lost in noise.
    await change(lab, {
      encoderProfile: 'baseline',
      timeBlock: true,
      cameraHeadSettings: camera(lab, 'bars'),
    });
    await tellRtspDelay(streamUrl);
    await tellBrowserDelay(browser, url, authorization);
    await tellGaps(lab.server.store, streamUrl);
    await tellReturn(obscura);
    await tellColdStart(coldFolder);
  } finally {
    await browser.close();
    floor.stop();
    peer?.stop();
    await lab.close();
    await rm(coldFolder, { recursive: true });
  }
}

/** Bars with noise in a corner, which fill the bitrate, or without. */
function camera(lab: Lab, picture: 'noise' | 'bars'): ValueOf<AppRegistry['cameraHeadSettings']> {
  const heads = lab.server.store.get('cameraHeadSettings');
  const device = picture === 'noise' ? 'smpte' : '/dev/video0';
  return { ...heads, primary: { ...heads.primary, resolution: '1280x720', fps: 30, device } };
}

async function prepared(lab: Lab, port: number): Promise<Subject> {
  await change(lab, {
    streamResolution: '1280x720',
    streamFramerate: 30,
    streamBitrate: 4_000_000,
    webrtcEnabled: true,
    rtspMaxSessions: 200,
    webrtcMaxSessions: 100,
    timestampOverlay: { ...lab.server.store.get('timestampOverlay'), enabled: false },
    stream2: { ...lab.server.store.get('stream2'), enabled: false },
    cameraHeadSettings: camera(lab, 'noise'),
  });
  return { name: 'obscura', port, pid: mediaPid(lab), credentials: administrator };
}

async function untilIdle(lab: Lab): Promise<void> {
  // What is reported may be from before the last viewer came.
  await pause(2 * reportedEveryMs);
  while (lab.server.media?.report().pipelines.some(({ state }) => state !== 'idle') === true) await pause(50);
}
