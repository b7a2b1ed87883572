// What keeps secrets on disk and in tokens: sealing, the device key, log-ins that last, and API tokens.
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadDeviceKey } from '../../src/access/deviceKey.js';
import { Sealer } from '../../src/access/seal.js';
import { Sessions } from '../../src/access/sessions.js';
import { makeToken, parseToken, tokenMatches } from '../../src/access/tokens.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-access-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('sealed text', () => {
  const sealer = new Sealer(Buffer.alloc(32, 1));

  it('opens for the same purpose only', () => {
    const sealed = sealer.seal('grün', 'wifi');
    expect(sealer.open(sealed, 'wifi')).toBe('grün');
    expect(sealer.open(sealed, 'other')).toBeUndefined();
    expect(new Sealer(Buffer.alloc(32, 2)).open(sealed, 'wifi')).toBeUndefined();
  });

  it('does not open after any byte was altered', () => {
    const bytes = Buffer.from(sealer.seal('secret', 'a').slice(3), 'base64url');
    for (const index of bytes.keys()) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(index) ^ 1, index);
      expect(sealer.open(`v1.${altered.toString('base64url')}`, 'a')).toBeUndefined();
    }
  });
});

describe('the device key', () => {
  it('is made once, readable by its owner only', async () => {
    const { key } = await loadDeviceKey(folder);
    expect((await loadDeviceKey(folder)).key).toEqual(key);
    expect((await stat(join(folder, 'device.key'))).mode & 0o777).toBe(0o600);
  });

  it('is closed to others, with a word, where it was found open', async () => {
    const { key } = await loadDeviceKey(folder);
    await chmod(join(folder, 'device.key'), 0o644);
    const again = await loadDeviceKey(folder);
    expect(again.key).toEqual(key);
    expect(again.reports).toHaveLength(1);
    expect((await stat(join(folder, 'device.key'))).mode & 0o777).toBe(0o600);
  });

  it('says so when a damaged one had to be replaced', async () => {
    await writeFile(join(folder, 'device.key'), 'short');
    const { key, reports } = await loadDeviceKey(folder);
    expect(key).toHaveLength(32);
    expect(reports).toHaveLength(1);
  });
});

describe('log-ins', () => {
  it('survive a restart without their token being on disk, and end by idleness', async () => {
    let now = 1_000_000;
    const options = { folder, idleMs: () => 1000, now: () => now };
    const first = await Sessions.open(options);
    const { token } = await first.create('ann', {});
    await first.close();
    expect(await readFile(join(folder, 'sessions.json'), 'utf8')).not.toContain(token);
    const second = await Sessions.open(options);
    expect(second.use(token)?.username).toBe('ann');
    now += 1000;
    expect(second.use(token)).toBeUndefined();
    await second.close();
  });

  it('are told of when revoked, and only those that were meant', async () => {
    const sessions = await Sessions.open({ folder, idleMs: () => 1000, now: () => 5 });
    const ann = await sessions.create('ann', {});
    const bob = await sessions.create('bob', {});
    const ended: string[] = [];
    sessions.ended$.subscribe((id) => ended.push(id));
    await sessions.revoke(({ username }) => username === 'ann');
    expect(ended).toEqual([ann.info.id]);
    expect(sessions.use(bob.token)?.username).toBe('bob');
    await sessions.close();
  });

  it('end after thirty days however much they are used, and say so from the start', async () => {
    let now = 0;
    const days = 86_400_000;
    const sessions = await Sessions.open({ folder, idleMs: () => 60 * days, now: () => now });
    const { token, expires } = await sessions.create('ann', {});
    expect(expires).toBe(30 * days);
    for (now = days; now < 30 * days; now += days) expect(sessions.use(token)).toBeDefined();
    expect(sessions.use(token)).toBeUndefined();
    await sessions.close();
  });

  it('are fifty for an account at most, the least used of which go first', async () => {
    let now = 0;
    const sessions = await Sessions.open({ folder, idleMs: () => 1_000_000, now: () => now });
    const tokens: string[] = [];
    for (now = 0; now < 50; now += 1) tokens.push((await sessions.create('ann', {})).token);
    sessions.use(tokens[0] ?? '');
    await sessions.create('ann', {});
    expect(sessions.list('ann')).toHaveLength(50);
    expect(sessions.use(tokens[0] ?? '')).toBeDefined();
    expect(sessions.use(tokens[1] ?? '')).toBeUndefined();
    await sessions.close();
  });

  it('begin and end where the disk takes nothing, and the log hears of it', async () => {
    const faults: string[] = [];
    const onFault = (message: string): void => void faults.push(message);
    const sessions = await Sessions.open({ folder: join(folder, 'gone'), idleMs: () => 1000, onFault });
    const { token, info } = await sessions.create('ann', {});
    expect(sessions.use(token)?.username).toBe('ann');
    expect(faults).toHaveLength(1);
    await expect(sessions.revoke(({ id }) => id === info.id)).rejects.toMatchObject({ code: 'failed' });
    expect(sessions.use(token)).toBeUndefined();
    await sessions.close();
  });

  it('start afresh, with a word, from a damaged file', async () => {
    await writeFile(join(folder, 'sessions.json'), '{"half');
    const faults: string[] = [];
    const onFault = (message: string): void => void faults.push(message);
    const sessions = await Sessions.open({ folder, idleMs: () => 1000, onFault });
    expect(sessions.list()).toEqual([]);
    expect(faults).toHaveLength(1);
    const names = await readdir(folder);
    expect(names.filter((name) => name.startsWith('sessions.json.damaged-'))).toHaveLength(1);
    await sessions.close();
  });
});

it('knows an API token by its hash, and no other', () => {
  const { id, token, hash } = makeToken();
  const parsed = parseToken(token);
  expect(parsed?.id).toBe(id);
  expect(tokenMatches(parsed?.secret ?? '', hash)).toBe(true);
  expect(tokenMatches('other', hash)).toBe(false);
  expect(parseToken(`${token}_x`)).toBeUndefined();
});
