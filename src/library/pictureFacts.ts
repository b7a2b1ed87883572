// What a picture file says about itself in its first bytes.

export interface PictureFacts {
  readonly format: 'jpeg' | 'webp';
  readonly width: number;
  readonly height: number;
}

/** Enough for the headers of what this server writes. */
export const headBytes = 64 * 1024;

/** Undefined where it is neither JPEG nor WebP, or cut off. */
export function pictureFacts(head: Buffer): PictureFacts | undefined {
  try {
    return jpegFacts(head) ?? webpFacts(head);
  } catch (error) {
    // Said more than there is.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function jpegFacts(head: Buffer): PictureFacts | undefined {
  if (head.readUInt16BE(0) !== 0xffd8) return undefined;
  for (let at = 2; ; at += 2 + head.readUInt16BE(at + 2)) {
    const marker = head.readUInt16BE(at);
    // The beginning of a frame, in any of its kinds; between them are three markers of other meaning.
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame)
      return { format: 'jpeg', height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    if (marker < 0xff00) return undefined;
  }
}

/** The three kinds of https://developers.google.com/speed/webp/docs/riff_container. */
function webpFacts(head: Buffer): PictureFacts | undefined {
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WEBP') return undefined;
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return {
        format: 'webp',
        width: head.readUInt16LE(26) & 0x3fff,
        height: head.readUInt16LE(28) & 0x3fff,
      };
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return { format: 'webp', width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { format: 'webp', width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
