// Accounts while others work on them at the same time, and what remains of one that is gone.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Accounts, type AppStore } from '../../src/access/accounts.js';
import type { Identity, Origin } from '../../src/access/identity.js';
import { Sealer } from '../../src/access/seal.js';
import { Sessions } from '../../src/access/sessions.js';
import { registry, rules } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { Store } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';

const root = systemActor();
const word = 'Correct-horse-1';
const origin: Origin = { via: 'http', address: '192.0.2.1' };
let folder = '';
let store: AppStore;
let sessions: Sessions;
let accounts: Accounts;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-accounts-'));
  store = new Store({
    registry,
    rules,
    persistence: new MemoryJournal(),
    seal: (_key, json) => Buffer.from(json).toString('hex'),
  });
  sessions = await Sessions.open({ folder, idleMs: () => 60_000 });
  accounts = new Accounts({ store, sessions, sealer: new Sealer(Buffer.alloc(32, 1)) });
  await accounts.createUser(root, { username: 'admin', password: word, role: 'administrator' });
});
afterEach(async () => {
  await sessions.close();
  await rm(folder, { recursive: true, force: true });
});

const enter = (username = 'admin'): Promise<Identity> => accounts.withPassword(username, word, origin);

describe('what happens at the same time', () => {
  it('loses no account, whoever logs in or makes another', async () => {
    const names = ['ann', 'bob', 'cid', 'dan', 'eve'];
    await Promise.all([
      ...names.map((username) => accounts.createUser(root, { username, password: word })),
      accounts.login('admin', word, origin),
    ]);
    await store.settle();
    expect(Object.keys(store.get('users')).toSorted()).toEqual(['admin', ...names]);
    expect(store.get('users')['admin']).toHaveProperty('lastLogin');
    for (const username of names) expect((await enter(username)).name).toBe(username);
  });

  it('loses no token', async () => {
    const identity = await enter();
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, index) => accounts.createToken(identity, { name: `t${String(index)}` })),
    );
    for (const { token } of made) expect(accounts.withToken(token, origin).name).toBe('admin');
    await Promise.all(made.slice(0, 5).map(({ id }) => accounts.revokeToken(identity, id)));
    expect(Object.keys(store.get('apiTokens')).toSorted()).toEqual(
      made
        .slice(5)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it('makes an account once', async () => {
    const words = ['One-password-1', 'Other-password-2'];
    const both = await Promise.allSettled(
      words.map((password) => accounts.createUser(root, { username: 'ann', password })),
    );
    const made = both.findIndex(({ status }) => status === 'fulfilled');
    expect(both[1 - made]).toMatchObject({ reason: { code: 'conflict', key: 'users' } });
    await accounts.withPassword('ann', words[made] ?? '', origin);
  });

  it('gives many guesses sent at once no more than the few that may fail', async () => {
    await accounts.createUser(root, { username: 'ann', password: word });
    const guesses = Array.from({ length: 20 }, (_, index) => (index < 19 ? `Guess-${String(index)}` : word));
    const answers = await Promise.allSettled(
      guesses.map((guess) => accounts.withPassword('ann', guess, origin)),
    );
    const codes = answers.map((answer) =>
      answer.status === 'fulfilled' ? 'in' : (answer.reason as { code: string }).code,
    );
    expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(5);
    expect(codes.filter((code) => code === 'limited')).toHaveLength(15);
  });
});

describe('an account that is gone', () => {
  it.each(['by its own command', 'by writing the list of accounts'])(
    'leaves nothing that opens another of the same name, removed %s',
    async (way) => {
      await accounts.createUser(root, { username: 'ann', password: word });
      const ann = await enter('ann');
      const { token } = await accounts.createToken(ann, { name: 'script' });
      const session = await accounts.login('ann', word, origin);
      if (way === 'by its own command') await accounts.deleteUser(root, 'ann');
      else {
        const { ann: _ann, ...users } = store.get('users');
        await store.transact(root, { users });
      }
      await store.settle();
      expect(ann.valid).toBe(false);
      expect(store.get('credentials')).not.toHaveProperty('ann');
      expect(store.get('apiTokens')).toEqual({});
      await accounts.createUser(root, { username: 'ann', password: 'Another-word-2' });
      for (const old of [token, session.token])
        expect(() => accounts.withToken(old, origin)).toThrow(/not valid/);
      await expect(enter('ann')).rejects.toMatchObject({ code: 'unauthenticated' });
    },
  );

  it('cannot share its name, but for upper and lower case, with another', async () => {
    await expect(
      accounts.createUser(root, { username: 'ADMIN', password: word, role: 'viewer' }),
    ).rejects.toMatchObject({ code: 'invalid', key: 'users' });
  });

  it('cannot be the last that manages accounts', async () => {
    const admin = await enter();
    const refused = { code: 'invalid', key: 'users' };
    await expect(accounts.deleteUser(admin, 'admin')).rejects.toMatchObject(refused);
    await accounts.createUser(admin, { username: 'ann', password: word });
    await expect(accounts.deleteUser(admin, 'admin')).rejects.toMatchObject(refused);
    await expect(accounts.changeUser(admin, 'admin', { role: 'operator' })).rejects.toMatchObject(refused);
    await expect(accounts.deleteUser(root, 'nobody')).rejects.toMatchObject({ code: 'unknown' });
  });
});

describe('what somebody may do', () => {
  it('follows the role, its definition and the account, at once', async () => {
    await store.transact(root, { customRoles: { night: { permissions: ['Media_r'] } } });
    await accounts.createUser(root, { username: 'ann', password: word, role: 'night' });
    const ann = await enter('ann');
    expect(ann.permissions).toEqual(['Media_r']);
    await store.transact(root, { customRoles: { night: { permissions: ['Device_r'] } } });
    expect(ann.permissions).toEqual(['Device_r']);
    await accounts.changeUser(root, 'ann', { additionalPermissions: ['Media_rw'] });
    expect(ann.permissions.toSorted()).toEqual(['Device_r', 'Media_rw']);
    await accounts.changeUser(root, 'ann', { role: 'guest', additionalPermissions: [] });
    expect(ann.permissions).toEqual([]);
  });

  it('with a token is never more than its owner may do now', async () => {
    await accounts.createUser(root, { username: 'ann', password: word, role: 'operator' });
    const ann = await enter('ann');
    const { token } = await accounts.createToken(ann, { name: 'script', permissions: ['Media_rw'] });
    const script = accounts.withToken(token, origin);
    expect(script.permissions).toEqual(['Media_rw']);
    await accounts.changeUser(root, 'ann', { role: 'viewer' });
    expect(script.permissions).toEqual([]);
    await expect(accounts.createToken(ann, { name: 'more', permissions: ['User_rw'] })).rejects.toMatchObject(
      {
        code: 'forbidden',
      },
    );
  });

  it('with a narrow token ends with that token, and says nothing about other tokens and log-ins', async () => {
    const admin = await enter();
    const session = await accounts.login('admin', word, origin);
    const whole = await accounts.createToken(admin, { name: 'whole' });
    const narrow = await accounts.createToken(admin, {
      name: 'narrow',
      permissions: ['Media_r'],
      expiresInDays: 1,
    });
    const script = accounts.withToken(narrow.token, origin);
    const child = await accounts.createToken(script, { name: 'child' });
    expect(child.expires).toBe(narrow.expires);
    const grandchild = await accounts.createToken(accounts.withToken(child.token, origin), {
      name: 'grandchild',
    });
    expect(accounts.tokensOf(script)).toEqual([narrow.id, child.id, grandchild.id]);
    expect(accounts.tokensOf(accounts.withToken(whole.token, origin))).toContain(whole.id);
    expect(accounts.sessionsOf(script)).toEqual([]);
    await expect(accounts.revokeToken(script, whole.id)).rejects.toMatchObject({ code: 'unknown' });
    const [{ id } = { id: '' }] = accounts.sessionsOf(admin);
    await expect(accounts.revokeSession(script, id)).rejects.toMatchObject({ code: 'unknown' });
    expect(session.identity.valid).toBe(true);
    await accounts.revokeToken(admin, narrow.id);
    for (const { token } of [narrow, child, grandchild])
      expect(() => accounts.withToken(token, origin)).toThrow(/not valid/);
    expect(accounts.withToken(whole.token, origin).name).toBe('admin');
  });

  it('ends with the password it came by, but for the log-in that changed it', async () => {
    const mine = await accounts.login('admin', word, origin);
    const elsewhere = await accounts.login('admin', word, origin);
    const basic = await enter();
    await accounts.changePassword(mine.identity, 'admin', 'Another-word-2', word);
    expect([mine.identity.valid, elsewhere.identity.valid, basic.valid]).toEqual([true, false, false]);
  });
});
