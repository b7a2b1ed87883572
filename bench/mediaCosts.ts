// What viewers cost the process that serves them: CPU, memory and threads, by how many there are and how they come.
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { RtspSocket } from '../test/support/RtspSocket.js';
import { tell } from './lab.js';
import { residentMegabytes, threadsOf, usedSeconds, type Subject } from './mediaSubjects.js';

const rtspCounts = [1, 10, 50, 100] as const;
const webRtcCounts = [1, 5, 10, 25] as const;
const secondsEach = 8;

interface Cost {
  readonly viewers: number;
  /** Per cent of one core. */
  readonly cpu: number;
  readonly megabytes: number;
  readonly threads: number;
}

async function costOf(viewers: number, pid: number): Promise<Cost> {
  const before = usedSeconds(pid);
  const began = performance.now();
  await pause(secondsEach * 1000);
  const seconds = (performance.now() - began) / 1000;
  return {
    viewers,
    cpu: ((usedSeconds(pid) - before) / seconds) * 100,
    megabytes: residentMegabytes(pid),
    threads: threadsOf(pid),
  };
}

export async function tellRtspCosts(subject: Subject, transport: 'tcp' | 'udp'): Promise<void> {
  const { name, port, pid, credentials } = subject;
  const viewers: RtspSocket[] = [];
  const costs: Cost[] = [];
  for (const count of rtspCounts) {
    while (viewers.length < count)
      viewers.push(await RtspSocket.play(port, '/stream1', credentials, { transport }));
    await Promise.all(viewers.map((viewer) => viewer.until(({ packets }) => packets > 10)));
    costs.push(await costOf(count, pid));
  }
  await Promise.all(viewers.map((viewer) => viewer.stop()));
  tellCosts(`${name}, RTSP/${transport}`, costs);
}

/** Sessions of one page that shows nothing, so that Chromium decodes nothing and leaves the machine to the server. */
export async function tellWebRtcCosts(
  subject: Subject,
  browser: Browser,
  url: string,
  authorization: string,
): Promise<void> {
  const page = await browser.newPage();
  await page.goto(`${url}/livez`);
  await page.evaluate('globalThis.sessions = []');
  const costs: Cost[] = [];
  for (const count of webRtcCounts) {
    await page.evaluate(`(async () => {
      while (sessions.length < ${String(count)}) {
        const pc = new RTCPeerConnection();
        sessions.push(pc);
        pc.addTransceiver('video', { direction: 'recvonly' });
        await pc.setLocalDescription(await pc.createOffer());
        const response = await fetch('/api/whep/stream1', {
          method: 'POST',
          headers: { authorization: ${JSON.stringify(authorization)}, 'content-type': 'application/sdp' },
          body: pc.localDescription.sdp,
        });
        if (!response.ok) throw new Error(await response.text());
        await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
        while (pc.connectionState !== 'connected') await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })()`);
    costs.push(await costOf(count, subject.pid));
  }
  await page.close();
  tellCosts(`${subject.name}, WebRTC`, costs);
}

function tellCosts(title: string, costs: readonly Cost[]): void {
  for (const { viewers, cpu, megabytes, threads } of costs)
    tell(
      `${title}, ${String(viewers)}: ${cpu.toFixed(1)} % of a core, ${megabytes.toFixed(0)} MB, ${String(threads)} threads`,
    );
  const [one, last] = [costs[0], costs.at(-1)];
  if (one === undefined || last === undefined) return;
  const each = (last.cpu - one.cpu) / (last.viewers - one.viewers);
  tell(`${title}, each viewer more: ${each.toFixed(3)} % of a core`);
}
