// HTTP Digest (RFC 7616) with MD5: one challenge, because a second one makes ffmpeg 5.1 give up.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const realm = 'Obscura';

/** HA1: all that checking a digest needs of a password. */
export function digestSecret(username: string, password: string): string {
  return md5(`${username}:${realm}:${password}`);
}

export interface DigestAnswer {
  readonly username: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly qop: string | undefined;
  readonly nc: string | undefined;
  readonly cnonce: string | undefined;
}

/** Reads `Digest a="b", c=d`; undefined where it is something else. */
export function parseDigest(header: string): DigestAnswer | undefined {
  if (!/^digest /i.test(header) || header.length > 4096) return undefined;
  const members = new Map<string, string>();
  for (const [, name, quoted, plain] of header.slice(7).matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]*))/g))
    if (name !== undefined) members.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  const [username, nonce, uri, response] = ['username', 'nonce', 'uri', 'response'].map((name) =>
    members.get(name),
  );
  if (username === undefined || nonce === undefined || uri === undefined || response === undefined)
    return undefined;
  if (members.get('realm') !== realm || (members.get('algorithm') ?? 'MD5').toUpperCase() !== 'MD5')
    return undefined;
  const optional = { qop: members.get('qop'), nc: members.get('nc'), cnonce: members.get('cnonce') };
  return { username, nonce, uri, response, ...optional };
}

const nonceLifeMs = 5 * 60_000;
const countsAtMost = 10_000;

/** Makes nonces that carry their own time, and refuses to see the same use of one twice. */
export class DigestGuard {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #highestCount = new Map<string, number>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  challenge(stale = false): string {
    return `Digest realm="${realm}", nonce="${this.#nonce()}", algorithm=MD5, qop="auth"${stale ? ', stale=true' : ''}`;
  }

  /** `stale`: right in itself, but with a nonce that is too old; the client asks again without asking the person. */
  verify(answer: DigestAnswer, method: string, secret: string): 'right' | 'wrong' | 'stale' {
    const second = md5(`${method}:${answer.uri}`);
    const middle =
      answer.qop === undefined
        ? answer.nonce
        : `${answer.nonce}:${answer.nc ?? ''}:${answer.cnonce ?? ''}:${answer.qop}`;
    const expected = Buffer.from(md5(`${secret}:${middle}:${second}`));
    const given = Buffer.from(answer.response);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) return 'wrong';
    const made = this.#madeAt(answer.nonce);
    if (made === undefined) return 'stale';
    if (this.#now() - made > nonceLifeMs) return 'stale';
    return this.#isNewUse(answer) ? 'right' : 'stale';
  }

  #isNewUse({ nonce, nc }: DigestAnswer): boolean {
    const count = nc === undefined ? 1 : Number.parseInt(nc, 16);
    if (!(count > (this.#highestCount.get(nonce) ?? 0))) return false;
    this.#highestCount.delete(nonce);
    this.#highestCount.set(nonce, count);
    for (const oldest of this.#highestCount.keys()) {
      if (this.#highestCount.size <= countsAtMost) break;
      this.#highestCount.delete(oldest);
    }
    return true;
  }

  #nonce(): string {
    const plain = `${this.#now().toString(36)}.${randomBytes(8).toString('hex')}`;
    return `${plain}.${this.#sign(plain)}`;
  }

  #madeAt(nonce: string): number | undefined {
    const cut = nonce.lastIndexOf('.');
    const plain = nonce.slice(0, cut);
    return cut > 0 && nonce.slice(cut + 1) === this.#sign(plain)
      ? Number.parseInt(plain.split('.')[0] ?? '', 36)
      : undefined;
  }

  #sign(plain: string): string {
    return createHmac('sha256', this.#key).update(plain).digest('hex').slice(0, 24);
  }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
