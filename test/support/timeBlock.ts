/** Microseconds since 1970 from the block that nv12timestamp draws; undefined where there is none. */
export function readTimeBlock(brightness: Buffer, width: number, cell: number): number | undefined {
  return readTimeRow(brightness.subarray(Math.floor(2.5 * cell) * width), cell);
}

/** The same from one row of pixels through the middle of the block. */
export function readTimeRow(row: Buffer, cell: number): number | undefined {
  let bits = 0n;
  for (let bit = 0; bit < 64; bit += 1) {
    const value = row[2 * cell + bit * cell + Math.floor(cell / 2)] ?? 0;
    bits = (bits << 1n) | (value > 128 ? 1n : 0n);
  }
  const time = bits >> 12n;
  let check = 0n;
  for (let shift = 0n; shift < 52n; shift += 4n) check = (check * 7n + ((time >> shift) & 15n)) & 0xfffn;
  return time > 0n && check === (bits & 0xfffn) ? Number(time) : undefined;
}
