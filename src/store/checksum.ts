// A line of text with a checksum in front, so that a torn or foreign one is recognised.
import * as zlib from 'node:zlib';

const sumLength = 8;

export function sealedLine(document: unknown): string {
  const json = JSON.stringify(document);
  return `${checksum(json)} ${json}\n`;
}

/** Undefined where the line is not whole. */
export function openLine(line: string): unknown {
  const json = line.slice(sumLength + 1);
  if (line[sumLength] !== ' ' || line.slice(0, sumLength) !== checksum(json)) return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

export function checksum(text: string): string {
  return zlib.crc32(text).toString(16).padStart(sumLength, '0');
}
