// The built web page in memory: what each of its addresses answers, in the form that a browser takes best.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';

export type Encoding = 'br' | 'gzip';

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content, so it may be kept for good. */
  readonly isFinal: boolean;
  readonly plain: Buffer;
  readonly packed: Readonly<Partial<Record<Encoding, Buffer>>>;
}

export const entrance = 'index.html';
const finalFolder = 'assets/';
const packedEndings = { br: '.br', gzip: '.gz' } as const satisfies Record<Encoding, string>;
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/**
 * All of them by their path, or undefined where the page has not been built. A few hundred kilobytes: with them in
 * memory a server that runs goes on with its own page while the next one is being built.
 */
export function readPageFiles(folder: string): ReadonlyMap<string, PageFile> | undefined {
  if (!existsSync(join(folder, entrance))) return undefined;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name): [string, PageFile][] => {
      const type = types[extname(name)];
      if (type === undefined) return [];
      const path = name.split(sep).join('/');
      return [[path, pageFile(join(folder, name), type, path.startsWith(finalFolder))]];
    }),
  );
}

function pageFile(file: string, type: string, isFinal: boolean): PageFile {
  const plain = readFileSync(file);
  const packed = Object.fromEntries(
    Object.entries(packedEndings)
      .filter(([, ending]) => existsSync(file + ending))
      .map(([encoding, ending]) => [encoding, readFileSync(file + ending)]),
  );
  const etag = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  return { type, etag, isFinal, plain, packed };
}

/** The smallest form that the browser takes (RFC 9110, 12.5.3). */
export function encodingFor(accepted: string | undefined, { packed }: PageFile): Encoding | undefined {
  const taken = new Set(
    (accepted ?? '')
      .split(',')
      .map((coding) => coding.trim().toLowerCase())
      .filter((coding) => !/;\s*q=0(?:\.0*)?$/.test(coding))
      .map((coding) => coding.split(';')[0]),
  );
  return (['br', 'gzip'] as const).find((encoding) => packed[encoding] !== undefined && taken.has(encoding));
}
