// How pictures travel between the processes, in pieces of any size.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { framed, FrameReader, type Picture } from '../../src/media/pictureFrames.js';

const picture = fc.record({
  channel: fc.string({ maxLength: 40 }),
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  width: fc.nat(),
  height: fc.nat(),
  sequence: fc.nat(),
  capturedAt: fc.maxSafeInteger(),
  live: fc.boolean(),
});

it('arrives as it was sent, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(picture, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (sent, cuts) => {
        const got: Picture[] = [];
        const reader = new FrameReader((each) => got.push(each));
        const all = Buffer.concat(sent.map(framed));
        for (let at = 0, turn = 0; at < all.length; turn += 1) {
          const length = cuts[turn % cuts.length] ?? 1;
          reader.push(all.subarray(at, at + length));
          at += length;
        }
        expect(got).toEqual(sent);
      },
    ),
  );
});

it('keeps nothing of what came with it', () => {
  const got: Picture[] = [];
  const reader = new FrameReader((each) => got.push(each));
  const facts = { channel: 'x', width: 1, height: 1, sequence: 1, capturedAt: 1, live: true };
  reader.push(Buffer.concat([framed({ ...facts, bytes: Buffer.alloc(10) }), Buffer.alloc(4)]));
  expect(got[0]?.bytes.buffer.byteLength).toBeLessThanOrEqual(8192);
});

it('is refused where it cannot be one', () => {
  for (const lengths of [
    [5000, 10],
    [10, 0x7fff_ffff],
  ]) {
    const head = Buffer.alloc(8);
    lengths.forEach((length, index) => head.writeUInt32LE(length, 4 * index));
    expect(() => {
      new FrameReader(() => undefined).push(head);
    }).toThrow('cannot be read');
  }
});
