// RTCP as players write it, and as those who mean harm do.

/** In units of 1/65536 s where it is a time, and of 1/256 where it is a part. */
export interface WrittenReport {
  readonly about: number;
  readonly fraction?: number;
  readonly lost?: number;
  readonly jitter?: number;
  readonly lastReport?: number;
  readonly delay?: number;
}

/** A packet that begins a compound, with at most 31 blocks. */
export function receiverReport(from: number, ...reports: readonly WrittenReport[]): Buffer {
  const blocks = reports.map((report) => {
    const block = Buffer.alloc(24);
    block.writeUInt32BE(report.about, 0);
    block.writeUInt8(report.fraction ?? 0, 4);
    block.writeIntBE(report.lost ?? 0, 5, 3);
    block.writeUInt32BE(report.jitter ?? 0, 12);
    block.writeUInt32BE(report.lastReport ?? 0, 16);
    block.writeUInt32BE(report.delay ?? 0, 20);
    return block;
  });
  return packet(201, reports.length, word(from), ...blocks);
}

export function pictureLoss(from: number, about: number): Buffer {
  return packet(206, 1, word(from), word(about));
}

export function keyframeWish(from: number, about: number): Buffer {
  return packet(206, 4, word(from), word(0), word(about), Buffer.from([1, 0, 0, 0]));
}

export function packetsMissing(from: number, about: number): Buffer {
  return packet(205, 1, word(from), word(about), Buffer.from([0, 1, 0, 0]));
}

/** As draft-alvestrand-rmcat-remb has it: mantissa and exponent. */
export function estimate(from: number, about: number, bps: number): Buffer {
  let exponent = 0;
  while (bps / 2 ** exponent >= 2 ** 18) exponent += 1;
  const packed = Buffer.alloc(4);
  packed.writeUInt32BE(2 ** 24 + exponent * 2 ** 18 + Math.floor(bps / 2 ** exponent));
  return packet(206, 15, word(from), word(0), Buffer.from('REMB'), packed, word(about));
}

/** A name for the sender, as the first chunk of SDES. */
export function named(from: number, name: string): Buffer {
  const item = Buffer.concat([Buffer.from([1, name.length]), Buffer.from(name)]);
  // At least one zero ends the items, and the chunk ends with a word.
  const padding = Buffer.alloc(4 - (item.length % 4));
  return packet(202, 1, word(from), item, padding);
}

export function farewell(from: number): Buffer {
  return packet(203, 1, word(from));
}

export function packet(type: number, count: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.from([0x80 | count, type, 0, 0]);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
