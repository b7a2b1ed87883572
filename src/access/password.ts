// Passwords: what makes one acceptable, and the slow hash that keeps a stolen settings file from giving them away.
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { ObscuraError } from '../errors.js';

/** Kept with every hash, so that the cost can be raised without invalidating what exists. */
export interface ScryptHash {
  readonly salt: string;
  readonly hash: string;
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

const cost = 2 ** 15;
const blockSize = 8;
const parallelism = 3;
const hashBytes = 32;

/** Each takes 32 MiB and a fifth of a second of a core: a flood of log-ins must not take the machine. */
const atOnce = 2;
const waitingAtMost = 32;
let running = 0;
const waiting: (() => void)[] = [];

export async function hashPassword(password: string): Promise<ScryptHash> {
  const salt = randomBytes(16).toString('hex');
  const bare = { salt, cost, blockSize, parallelism };
  return { ...bare, hash: (await derive(password, bare)).toString('hex') };
}

/** Answers from memory where the same password was right a short while ago, as with Basic on every request. */
export async function verifyPassword(password: string, hash: ScryptHash): Promise<boolean> {
  const memo = createHmac('sha256', memoKey).update(hash.hash).update('\0').update(password).digest('base64');
  const until = proven.get(memo);
  if (until !== undefined && until > Date.now()) return true;
  proven.delete(memo);
  const [derived, stored] = [await derive(password, hash), Buffer.from(hash.hash, 'hex')];
  // One of another length is damaged, and no password fits it.
  const right = derived.length === stored.length && timingSafeEqual(derived, stored);
  if (right) {
    proven.set(memo, Date.now() + memoMs);
    for (const oldest of proven.keys()) {
      if (proven.size <= memosAtMost) break;
      proven.delete(oldest);
    }
  }
  return right;
}

/** Takes as long as a real check, so that the time does not tell which accounts exist. */
export async function verifyAgainstNothing(password: string): Promise<false> {
  await derive(password, { salt: '00', cost, blockSize, parallelism });
  return false;
}

const memoMs = 60_000;
const memosAtMost = 256;
/** Of this process alone: what is remembered is worth nothing to anybody else. */
const memoKey = randomBytes(32);
const proven = new Map<string, number>();

async function derive(password: string, parameters: Omit<ScryptHash, 'hash'>): Promise<Buffer> {
  // Again after waking: somebody new may have taken the place in between.
  while (running >= atOnce) {
    if (waiting.length >= waitingAtMost)
      throw new ObscuraError('limited', 'Too many log-ins at once; try again in a moment', { retryAfter: 5 });
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }
  running += 1;
  try {
    return await new Promise((resolve, reject) => {
      const options = {
        N: parameters.cost,
        r: parameters.blockSize,
        p: parameters.parallelism,
        maxmem: 256 * 1024 * 1024,
      };
      scrypt(
        password.normalize('NFC'),
        Buffer.from(parameters.salt, 'hex'),
        hashBytes,
        options,
        (error, key) => {
          if (error === null) resolve(key);
          else reject(error);
        },
      );
    });
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

const wellKnown = [
  'password',
  'passwort',
  'admin',
  'administrator',
  '12345678',
  '123456789',
  'qwertyui',
  'abc12345',
];
const shortest = 8;
const longEnoughAlone = 14;

/** What is wrong with a new password, as a sentence; nothing where it will do. */
export function passwordProblem(password: string, username: string): string | undefined {
  if (password.length < shortest) return `The password must have at least ${String(shortest)} characters`;
  const plain = password.toLowerCase();
  if (plain === username.toLowerCase()) return 'The password must not be the account name';
  if (wellKnown.some((known) => plain === known || plain.replace(/[\d!.]+$/, '') === known))
    return 'The password is one of those that are tried first';
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length;
  if (kinds < 3 && password.length < longEnoughAlone)
    return `The password must mix three of lower case, upper case, digits and signs, or have at least ${String(longEnoughAlone)} characters`;
  return undefined;
}
