import { RawVideo } from './RawVideo.js';

export interface Picture {
  /** Red, green and blue of a place, which counts from 0 to 1 from the left and the top. */
  at(x: number, y: number): readonly [number, number, number];
}

type Colour = readonly [red: number, green: number, blue: number];

/** What cameras of tests show, as it comes out of a decoder; and the card in their place. */
export const colours = {
  red: [253, 0, 0],
  green: [0, 128, 0],
  blue: [0, 0, 254],
  white: [255, 255, 255],
  card: [32, 38, 46],
} as const satisfies Record<string, Colour>;

/** Beside the words of the card and the time. */
export const shows =
  (colour: Colour) =>
  (picture: Picture): boolean =>
    isLike(picture.at(0.1, 0.2), colour);

/** A viewer that looks at the colours of every decoded picture. */
export class PictureViewer {
  readonly pictures: Picture[] = [];
  readonly #video: RawVideo;

  /** Pictures are looked at in this size, whatever they come in. */
  constructor(url: string, width = 64, height = 36) {
    const filters = `scale=${String(width)}:${String(height)}:flags=area`;
    this.#video = new RawVideo(url, { filters, pixelFormat: 'rgb24', size: width * height * 3 }, (bytes) => {
      this.pictures.push(picture(Buffer.from(bytes), width, height));
    });
  }

  get ended(): number | string | undefined {
    return this.#video.ended;
  }

  /** The first picture from now on that fits. */
  async until(fits: (picture: Picture) => boolean): Promise<Picture> {
    let next = this.pictures.length;
    for (;;) {
      for (; next < this.pictures.length; next += 1) {
        const seen = this.pictures[next];
        if (seen !== undefined && fits(seen)) return seen;
      }
      await this.#video.more();
    }
  }

  /** So many more pictures, from now on. */
  async more(count: number): Promise<Picture[]> {
    const begin = this.pictures.length;
    while (this.pictures.length < begin + count) await this.#video.more();
    return this.pictures.slice(begin, begin + count);
  }

  stop(): Promise<void> {
    return this.#video.close();
  }
}

function picture(bytes: Buffer, width: number, height: number): Picture {
  return {
    at: (x, y) => {
      const column = Math.min(width - 1, Math.floor(x * width));
      const row = Math.min(height - 1, Math.floor(y * height));
      const place = (row * width + column) * 3;
      return [bytes[place] ?? 0, bytes[place + 1] ?? 0, bytes[place + 2] ?? 0];
    },
  };
}

/** Whether a place has about this colour: encoding and decoding change it a little. */
export function isLike(seen: Colour, wanted: Colour): boolean {
  return seen.every((value, index) => Math.abs(value - (wanted[index] ?? 0)) < 40);
}
