import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Sealer } from '../../src/access/seal.js';
import { registry, rules } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { History } from '../../src/store/history.js';
import { openStore } from '../../src/store/openStore.js';
import { admin, operator } from '../support/people.js';

const sealer = new Sealer(Buffer.alloc(32, 1));
let folder = '';
let opened: Awaited<ReturnType<typeof open>>;

async function open() {
  const parts = await openStore({ registry, rules, folder, sealer });
  return { ...parts, history: new History(parts.store, parts.journal) };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-history-'));
  opened = await open();
});
afterEach(async () => {
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

describe('undo', () => {
  it('takes back all keys of one’s own last change, and then the one before', async () => {
    const { store, history } = opened;
    await store.transact(admin, { lightIntensity: 50 });
    await store.transact(admin, { lightIntensity: 20, streamBitrate: 3_000_000 });
    await store.transact(operator, { gain: 9 });
    expect(await history.undo(admin)).toMatchObject({ ok: true });
    expect([store.get('lightIntensity'), store.get('streamBitrate'), store.get('gain')]).toEqual([
      50, 8_000_000, 9,
    ]);
    expect(await history.undo(admin)).toMatchObject({ ok: true });
    expect(store.get('lightIntensity')).toBe(100);
    await expect(history.undo(admin)).rejects.toMatchObject({ code: 'unknown' });
    expect(store.get('gain')).toBe(9);
  });

  it('leaves alone what somebody else has changed since, and names it', async () => {
    const { store, history } = opened;
    await store.transact(admin, { lightIntensity: 20, gain: 4 });
    await store.transact(operator, { gain: 9 });
    await expect(history.undo(admin)).rejects.toMatchObject({ code: 'conflict', key: 'gain' });
    expect([store.get('lightIntensity'), store.get('gain')]).toEqual([20, 9]);
  });

  describe('of a setting that the adaptive loop has as its own', () => {
    const loop = systemActor('adaptive', 'adaptive');
    const play = async (bitrate: number): Promise<void> => {
      await opened.store.transact(loop, { streamBitrate: bitrate }, { transient: true });
    };

    it('brings back what was wished for before, while the loop is at work and when it has ended', async () => {
      await opened.store.transact(admin, { streamBitrate: 6_000_000 });
      await play(5_000_000);
      await opened.store.transact(admin, { streamBitrate: 4_000_000 });
      await play(3_200_000);
      await play(2_560_000);
      expect(await opened.history.undoable(admin)).toMatchObject({ before: { streamBitrate: 6_000_000 } });
      expect(await opened.history.undo(admin)).toMatchObject({ ok: true });
      expect(opened.store.get('streamBitrate')).toBe(6_000_000);
      await play(4_800_000);
      // The loop is left: what is saved returns, which is nobody's change either, also after a restart.
      await opened.store.transact(loop, { streamBitrate: 6_000_000 }, { note: 'as it was saved' });
      await opened.close();
      opened = await open();
      expect(await opened.history.undo(admin)).toMatchObject({ ok: true });
      expect(opened.store.get('streamBitrate')).toBe(8_000_000);
    });

    it('still leaves alone what somebody else has wished for since', async () => {
      await opened.store.transact(admin, { streamBitrate: 6_000_000 });
      await opened.store.transact(operator, { streamBitrate: 4_000_000 });
      await play(3_200_000);
      await expect(opened.history.undo(admin)).rejects.toMatchObject({ code: 'conflict' });
      expect(opened.store.cell('streamBitrate')?.durable?.value).toBe(4_000_000);
    });
  });

  it('takes back a drag as a whole, which ended where it was', async () => {
    const { store, history } = opened;
    for (const lightIntensity of [60, 40])
      await store.transact(admin, { lightIntensity }, { transient: true });
    await store.transact(admin, { lightIntensity: 40 });
    await store.transact(operator, { gain: 9 });
    expect(await history.undo(admin)).toMatchObject({ ok: true });
    expect(store.get('lightIntensity')).toBe(100);
  });

  it('can be shown before, and is then of that change or of none', async () => {
    const { store, history } = opened;
    await store.transact(admin, { lightIntensity: 20 });
    const { revision, before } = await history.undoable(admin);
    expect(before).toEqual({ lightIntensity: 100 });
    await store.transact(admin, { gain: 4 });
    await expect(history.undo(admin, revision)).rejects.toMatchObject({ code: 'conflict' });
    expect(store.get('gain')).toBe(4);
    const { revision: newer } = await history.undoable(admin);
    expect(await history.undo(admin, newer)).toMatchObject({ ok: true });
  });

  it('passes over what the server wrote down in somebody’s name', async () => {
    const { store, history } = opened;
    await store.transact(admin, { lightIntensity: 20 });
    const token = { name: 't', username: admin.name, permissions: [], created: 0, expires: null, hash: 'ab' };
    await store.transact(systemActor('system', admin.name), { apiTokens: { t: token } });
    expect(await history.undo(admin)).toMatchObject({ ok: true });
    expect(store.get('lightIntensity')).toBe(100);
    expect(store.get('apiTokens')).toHaveProperty('t');
  });

  it('works after a restart', async () => {
    await opened.store.transact(admin, { lightIntensity: 20 });
    await opened.close();
    opened = await open();
    expect(await opened.history.undo(admin)).toMatchObject({ ok: true });
    expect(opened.store.get('lightIntensity')).toBe(100);
  });

  it('goes back over changes that came so fast that they shared one write', async () => {
    const { store, history } = opened;
    await Promise.all([10, 20, 30, 40].map((lightIntensity) => store.transact(admin, { lightIntensity })));
    for (const before of [30, 20, 10, 100]) {
      await history.undo(admin);
      expect(store.get('lightIntensity')).toBe(before);
    }
  });

  it('does what its maker may still do, and nothing of secrets', async () => {
    const { store, history } = opened;
    await store.transact(admin, { lightIntensity: 20 });
    const demoted = { ...admin, mask: 0 };
    expect(await history.undo(demoted)).toMatchObject({ ok: false });
    expect(store.get('lightIntensity')).toBe(20);
    await store.transact(admin, {
      webrtcIceServers: [{ urls: ['turn:a.example'], username: 'u', credential: 'top-secret' }],
    });
    await expect(history.undo(admin)).rejects.toMatchObject({ code: 'failed', key: 'webrtcIceServers' });
  });
});

describe('the trail', () => {
  it('is searched by person, by key and by time, and holds refusals but no secret', async () => {
    const { store, journal } = opened;
    await store.transact(admin, { lightIntensity: 20 });
    await store.transact(operator, { gain: 4, lightIntensity: 30 });
    await store.submit(operator, { users: {} });
    await store.submit(operator, { gain: 400 });
    await store.transact(admin, {
      webrtcIceServers: [{ urls: ['turn:a.example'], username: 'u', credential: 'top-secret' }],
    });
    const by = async (query: Parameters<typeof journal.search>[0]): Promise<string[]> =>
      (await journal.search(query)).map(
        ({ by: who, outcome, changes }) =>
          `${who} ${outcome} ${(changes ?? []).map(({ key }) => key).join(',')}`,
      );
    expect(await by({ key: 'gain' })).toEqual(['operator refused gain', 'operator done gain,lightIntensity']);
    expect(await by({ user: 'admin', key: 'lightIntensity' })).toEqual(['admin done lightIntensity']);
    const everything = await journal.search({});
    expect(JSON.stringify(everything)).not.toContain('top-secret');
    const [newest] = everything;
    const after = (newest?.at ?? 0) + 1;
    expect(await by({ since: after })).toEqual([]);
    expect((await by({ until: after })).length).toBeGreaterThanOrEqual(5);
    expect(await by({ user: 'operator', outcome: 'refused' })).toEqual([
      'operator refused gain',
      expect.stringMatching(/^operator refused/) as string,
    ]);
  });

  it('does not record what the server writes about itself', async () => {
    const { store, journal } = opened;
    store.write({ cpuUsage: 50 });
    await store.transact(systemActor(), { lightIntensity: 7 });
    const keys = (await journal.search({})).flatMap(({ changes }) => (changes ?? []).map(({ key }) => key));
    expect(keys).toContain('lightIntensity');
    expect(keys).not.toContain('cpuUsage');
  });
});
