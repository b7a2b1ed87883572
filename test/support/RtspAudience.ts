// People who watch over RTSP, and what they see.
import { run } from './mediaServer.js';
import { RtspViewer, type SeenFrame } from './RtspViewer.js';

export class RtspAudience {
  readonly #viewers: RtspViewer[] = [];

  /** Somebody more, as soon as pictures come. */
  async watch(url: string, transport: 'tcp' | 'udp' = 'tcp'): Promise<RtspViewer> {
    const viewer = new RtspViewer(url, transport);
    this.#viewers.push(viewer);
    await viewer.more(5);
    return viewer;
  }

  async leave(): Promise<void> {
    await Promise.all(this.#viewers.splice(0).map((viewer) => viewer.close()));
  }
}

/** The longest time between two pictures, in pictures at the rate. */
export function longestGap(frames: readonly SeenFrame[], rate: number): number {
  const gaps = frames.slice(1).map(({ time }, index) => time - (frames[index]?.time ?? time));
  return Math.max(...gaps) * rate;
}

/** What ffprobe says of a stream, without the five seconds that it would take to be sure. */
export async function seenOf(url: string, entry: string): Promise<string> {
  const soon = [
    '-v',
    'error',
    '-analyzeduration',
    '500000',
    '-probesize',
    '200000',
    '-rtsp_transport',
    'tcp',
  ];
  const { out } = await run('ffprobe', [...soon, '-show_entries', `stream=${entry}`, '-of', 'csv=p=0', url]);
  return out.trim();
}
