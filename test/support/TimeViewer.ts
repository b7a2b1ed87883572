import { RawVideo } from './RawVideo.js';
import { readTimeRow } from './timeBlock.js';

/** Of the row that ffmpeg hands over, whatever the size of the picture. */
const rowWidth = 640;
const cell = 8;
const cellOfPicture = 'floor(iw/160)*2';

export interface TimedFrame {
  /** Microseconds since 1970 at which it was captured, as drawn in the picture; undefined where it could not be read. */
  readonly captured: number | undefined;
  /** And at which this viewer had it decoded. */
  readonly seen: number;
}

/** A viewer that reads the time block of every decoded picture. */
export class TimeViewer {
  readonly frames: TimedFrame[] = [];
  readonly #video: RawVideo;

  constructor(url: string, transport: 'tcp' | 'udp') {
    const filters = `format=gray,crop=iw:1:0:floor(2.5*${cellOfPicture}),scale=${String(rowWidth)}:1:flags=neighbor`;
    this.#video = new RawVideo(
      url,
      { transport, filters, pixelFormat: 'gray', size: rowWidth },
      (row, seenAt) => {
        this.frames.push({ captured: readTimeRow(row, cell), seen: seenAt * 1000 });
      },
    );
  }

  get ended(): number | string | undefined {
    return this.#video.ended;
  }

  /** So many more pictures, from now on. */
  async more(count: number): Promise<void> {
    const enough = this.frames.length + count;
    while (this.frames.length < enough) await this.#video.more();
  }

  close(): Promise<void> {
    return this.#video.close();
  }
}
