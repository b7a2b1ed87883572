// What stands against guessing: the limits on log-ins, the rules for passwords, and HTTP Digest as curl speaks it.
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { digestSecret, DigestGuard, parseDigest } from '../../src/access/digest.js';
import { LoginLimiter, networkOf, TokenBucket } from '../../src/access/limiter.js';
import {
  hashPassword,
  passwordProblem,
  verifyAgainstNothing,
  verifyPassword,
} from '../../src/access/password.js';

describe('the limit on log-ins', () => {
  it('refuses for five minutes after five failures, other addresses excepted', () => {
    let now = 0;
    const limiter = new LoginLimiter({ now: () => now });
    for (let count = 0; count < 4; count += 1) limiter.failed('ann', '10.0.0.1');
    expect(limiter.waitFor('ann', '10.0.0.1')).toBe(0);
    limiter.failed('ann', '10.0.0.1');
    expect(limiter.waitFor('bob', '10.0.0.1')).toBe(300);
    expect(limiter.waitFor('ann', '10.0.0.2')).toBe(0);
    now = 300_000;
    expect(limiter.waitFor('ann', '10.0.0.1')).toBe(0);
  });

  it('forgets failures after a success', () => {
    const limiter = new LoginLimiter({ now: () => 0 });
    for (let count = 0; count < 4; count += 1) limiter.failed('ann', '10.0.0.1');
    limiter.succeeded('ann', '10.0.0.1');
    limiter.failed('ann', '10.0.0.1');
    expect(limiter.waitFor('ann', '10.0.0.1')).toBe(0);
  });

  it('lets nobody buy guesses at others with an account of their own', () => {
    const limiter = new LoginLimiter({ now: () => 0 });
    for (const victim of ['ann', 'bob', 'cid', 'dan']) {
      limiter.failed(victim, '10.0.0.1');
      limiter.succeeded('eve', '10.0.0.1');
    }
    expect(limiter.waitFor('fay', '10.0.0.1')).toBe(0);
    limiter.failed('fay', '10.0.0.1');
    expect(limiter.waitFor('eve', '10.0.0.1')).toBe(300);
  });

  it('keeps out who is kept out, whatever flood of other addresses fails as well', () => {
    const limiter = new LoginLimiter({ now: () => 0 });
    for (let count = 0; count < 5; count += 1) limiter.failed('ann', '10.0.0.1');
    for (let count = 0; count < 30_000; count += 1)
      limiter.failed(
        'ann',
        `10.${String(count >> 16)}.${String((count >> 8) & 255)}.${String(count & 255)}x`,
      );
    expect(limiter.waitFor('ann', '10.0.0.1')).toBe(300);
  });

  it.each([
    '::ffff:10.0.0.1',
    '::FFFF:10.0.0.1',
    '::ffff:0a00:0001',
    '0:0:0:0:0:ffff:10.0.0.1',
    '::FFFF:A00:1',
  ])('knows the IPv4 address in %s', (address) => {
    expect(networkOf(address)).toBe('10.0.0.1');
  });

  it('takes a whole /64 of IPv6 for one address', () => {
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:ffff::9'));
    expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'));
    expect(networkOf('2001:0DB8:0000:0000::1')).toBe(networkOf('2001:db8::1'));
    expect(networkOf('::1')).toBe('0:0:0:0');
  });
});

it('lets a burst through a bucket, then the rate', () => {
  let now = 0;
  const bucket = new TokenBucket(2, 3, () => now);
  expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
  now = 500;
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
});

describe('passwords', () => {
  it('do not fit a hash that is damaged', async () => {
    const hash = await hashPassword('Right horse 1');
    expect(await verifyPassword('Right horse 1', { ...hash, hash: hash.hash.slice(0, 10) })).toBe(false);
    expect(await verifyPassword('Right horse 1', { ...hash, hash: '' })).toBe(false);
  });

  it('are checked two at a time, a few wait, and more than that are told to come back', async () => {
    const hash = await hashPassword('Right horse 1');
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) =>
        verifyPassword(`wrong ${String(index)}`, { ...hash, cost: 2 ** 10 }),
      ),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(60 - 2 - 32);
    for (const each of refused)
      expect(each).toMatchObject({ reason: { code: 'limited', retryAfter: expect.any(Number) as number } });
    expect(await verifyPassword('Right horse 1', hash)).toBe(true);
  });

  it('are recognised by their hash, twice over, and others are not', async () => {
    const hash = await hashPassword('Right horse 1');
    expect(await verifyPassword('Right horse 1', hash)).toBe(true);
    expect(await verifyPassword('Right horse 1', hash)).toBe(true);
    expect(await verifyPassword('wrong horse 1', hash)).toBe(false);
    expect(await verifyAgainstNothing('Right horse 1')).toBe(false);
  });

  it('are refused with the reason', () => {
    expect(passwordProblem('Ab1!', 'ann')).toContain('8 characters');
    expect(passwordProblem('Password123!', 'ann')).toContain('tried first');
    expect(passwordProblem('Annabel-1', 'annabel-1')).toContain('account name');
    expect(passwordProblem('lowercase', 'ann')).toContain('mix three');
    expect(passwordProblem('four plain words here', 'ann')).toBeUndefined();
  });
});

describe('HTTP Digest', () => {
  it('lets curl in with the right password only', async () => {
    const guard = new DigestGuard();
    const server = createServer((request, response) => {
      const answer = parseDigest(request.headers.authorization ?? '');
      const verdict =
        answer && guard.verify(answer, request.method ?? '', digestSecret('ann', 'Right "horse" 1'));
      if (verdict === 'right') response.end('in');
      else response.writeHead(401, { 'WWW-Authenticate': guard.challenge(verdict === 'stale') }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const curl = async (person: string): Promise<string> => {
        const url = `http://127.0.0.1:${String(port)}/a?b=c`;
        const options = ['-s', '--noproxy', '*', '--digest', '-u', person, '-w', '%{http_code}', url];
        return (await promisify(execFile)('curl', options)).stdout;
      };
      expect(await curl('ann:Right "horse" 1')).toBe('in200');
      expect(await curl('ann:wrong')).toBe('401');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('makes nothing of junk', () => {
    for (const junk of ['', 'Basic abc', 'Digest ', 'Digest ="",,', `Digest ${'a'.repeat(9000)}`])
      expect(parseDigest(junk)).toBeUndefined();
  });
});
