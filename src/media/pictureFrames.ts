// How pictures travel from the media process to the state process: beside the messages, as bytes behind a small header.

/** A single picture, in the form of the variant whose channel it comes from. */
export interface Picture {
  readonly channel: string;
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  /** Counts the pictures made of this variant; a gap is what was left out on the way. */
  readonly sequence: number;
  /** Microseconds since 1970. */
  readonly capturedAt: number;
  /** False where a card stands in for the camera. */
  readonly live: boolean;
}

const lengths = 8;
/** More than a header needs, and than an uncompressed picture of the largest size. */
const longestHeader = 4096;
const longestPicture = 256 * 1024 * 1024;

/** The number of the pipe among the open files of the media process. */
export const pictureFile = 4;

export function framed({ bytes, ...facts }: Picture): Buffer {
  const header = Buffer.from(JSON.stringify(facts));
  const sizes = Buffer.alloc(lengths);
  sizes.writeUInt32LE(header.length, 0);
  sizes.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([sizes, header, bytes]);
}

/** Takes the bytes as they come, in pieces of any size, and gives whole pictures. */
export class FrameReader {
  readonly #onPicture: (picture: Picture) => void;
  #pieces: Buffer[] = [];
  #held = 0;
  /** So much must be there before anything can be done. */
  #needed = lengths;

  constructor(onPicture: (picture: Picture) => void) {
    this.#onPicture = onPicture;
  }

  /** Throws where this cannot be what was sent; nothing after it can be read either. */
  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#held += piece.length;
    while (this.#held >= this.#needed) if (!this.#read()) return;
  }

  /** Whether something was read. */
  #read(): boolean {
    const all =
      this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    const headerLength = all.readUInt32LE(0);
    const length = all.readUInt32LE(4);
    if (headerLength > longestHeader || length > longestPicture)
      throw new RangeError('The pictures of the media process cannot be read');
    const end = lengths + headerLength + length;
    this.#needed = end;
    if (this.#held < end) return false;
    const header = all.toString('utf8', lengths, lengths + headerLength);
    const facts = JSON.parse(header) as Omit<Picture, 'bytes'>;
    // A copy of its own: whoever keeps a picture must not keep what came with it.
    const bytes = Buffer.from(all.subarray(lengths + headerLength, end));
    this.#pieces = [all.subarray(end)];
    this.#held -= end;
    this.#needed = lengths;
    this.#onPicture({ ...facts, bytes });
    return true;
  }
}
