import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObscuraError } from '../../src/errors.js';
import { defineDerived, defineObservable } from '../../src/observables/define.js';
import { registry, rules, type AppRegistry } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { Store, type Commit } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { admin, guest, operator, viewer } from '../support/people.js';

function makeStore(): {
  store: Store<AppRegistry>;
  journal: MemoryJournal;
  commits: Commit[];
  faults: Error[];
} {
  const journal = new MemoryJournal();
  const faults: Error[] = [];
  const store = new Store({
    registry,
    rules,
    persistence: journal,
    seal: (_key, json) => Buffer.from(json).toString('hex'),
    now: () => 1_700_000_000_000,
    onFault: (error) => faults.push(error),
  });
  const commits: Commit[] = [];
  store.commits$.subscribe((commit) => commits.push(commit));
  return { store, journal, commits, faults };
}

describe('a change of a part of a value', () => {
  it('is made from the state it meets, so that nothing others change meanwhile is lost', async () => {
    const { store, journal } = makeStore();
    const release = journal.hold();
    const parts = (['brightness', 'contrast', 'saturation', 'sharpness'] as const).map((part) =>
      store.update(admin, (get) => ({ imageSettings: { ...get('imageSettings'), [part]: 10 } })),
    );
    release();
    expect((await Promise.all(parts)).every(({ ok }) => ok)).toBe(true);
    expect(store.get('imageSettings')).toMatchObject({
      ...{ brightness: 10, contrast: 10, saturation: 10, sharpness: 10 },
    });
  });

  it('is checked like any other, and may give up with a reason of its own', async () => {
    const { store } = makeStore();
    const forbidden = await store.update(viewer, (get) => ({ streamBitrate: get('streamBitrate') + 1 }));
    expect(forbidden).toMatchObject({ ok: false, error: { code: 'forbidden', key: 'streamBitrate' } });
    const given = await store.update(admin, () => {
      throw new ObscuraError('conflict', 'Too late', { key: 'hue' });
    });
    expect(given).toMatchObject({ ok: false, error: { code: 'conflict', key: 'hue', message: 'Too late' } });
    expect(store.revision).toBe(0);
  });
});

describe('a transaction', () => {
  it('puts all of its values in force under one revision', async () => {
    const { store, commits } = makeStore();
    const outcome = await store.transact(admin, { streamBitrate: 4_000_000, streamFramerate: 30 });
    expect(outcome).toMatchObject({ ok: true, revision: 1 });
    expect(store.get('streamBitrate')).toBe(4_000_000);
    expect(store.get('streamFramerate')).toBe(30);
    expect(commits).toHaveLength(1);
    expect(store.cell('streamBitrate')?.revision).toBe(1);
    expect(store.cell('streamFramerate')?.revision).toBe(1);
  });

  it('with one bad value among ten changes nothing and names every bad key', async () => {
    const { store, commits, journal } = makeStore();
    const before = store.snapshot();
    const outcome = await store.submit(admin, {
      streamBitrate: 4_000_000,
      streamFramerate: 1000,
      rtspPort: 'abc',
      pipEnabled: true,
      brightness: 300,
      contrast: 10,
      lightIntensity: 10,
      gain: 10,
      timezone: 'Europe/Berlin',
      videoRotation: 45,
    });
    expect(outcome.ok).toBe(false);
    if (outcome.ok) return;
    expect(outcome.errors.map(({ key }) => key).toSorted()).toEqual([
      'brightness',
      'rtspPort',
      'streamFramerate',
      'videoRotation',
    ]);
    expect(outcome.errors.find(({ key }) => key === 'brightness')?.message).toBe(
      'Value must be between 0 and 100',
    );
    expect(store.snapshot()).toEqual(before);
    expect(commits).toEqual([]);
    expect(journal.commits).toEqual([]);
  });

  it('that sets what is set already changes nothing and tells nobody', async () => {
    const { store, commits, journal } = makeStore();
    const outcome = await store.transact(admin, { rtspPort: 8554 });
    expect(outcome).toEqual({ ok: true, revision: 0, changed: [] });
    expect(commits).toEqual([]);
    expect(journal.commits).toEqual([]);
  });

  it('is refused where a key has changed after the revision it was based on', async () => {
    const { store } = makeStore();
    await store.transact(admin, { streamBitrate: 4_000_000 });
    await store.transact(admin, { streamFramerate: 30 });
    const stale = await store.transact(operator, { streamFramerate: 25 }, { ifRevision: 1 });
    expect(stale).toMatchObject({
      ok: false,
      revision: 2,
      error: { code: 'conflict', key: 'streamFramerate' },
    });
    // Based on the same revision, but of a key that nobody has touched since.
    expect(await store.transact(operator, { streamBitrate: 5_000_000 }, { ifRevision: 1 })).toMatchObject({
      ok: true,
    });
  });

  it('asked twice under one request id happens once and is answered twice', async () => {
    const { store, commits } = makeStore();
    const ask = () => store.transact(admin, { streamBitrate: 4_000_000 }, { requestId: 'a' });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toEqual(first);
    await store.transact(admin, { streamBitrate: 5_000_000 });
    expect(await ask()).toEqual(first);
    expect(store.get('streamBitrate')).toBe(5_000_000);
    expect(commits).toHaveLength(2);
    // Another person's id is another request.
    expect(await store.transact(operator, { streamBitrate: 4_000_000 }, { requestId: 'a' })).not.toEqual(
      first,
    );
  });

  it('as a dry run answers the same, says what would follow, and has no effect', async () => {
    const { store, commits, journal } = makeStore();
    const patch = { rtspPort: 9554, streamResolution: '1280x720', streamBitrate: 4_000_000 };
    const outcome = await store.transact(admin, patch, { dryRun: true });
    expect(outcome).toMatchObject({ ok: true });
    if (!outcome.ok) return;
    const byKey = new Map(outcome.consequences?.map((each) => [each.key, each]));
    expect(byKey.get('streamBitrate')).toMatchObject({
      effect: 'live',
      message: 'Takes effect at once, without a gap.',
    });
    expect(byKey.get('streamResolution')).toMatchObject({ effect: 'renegotiate' });
    expect(byKey.get('rtspPort')?.message).toContain('those that are playing go on');
    expect(commits).toEqual([]);
    expect(journal.appended).toEqual([]);
    const refused = await store.submit(admin, { rtspPort: 0 }, { dryRun: true });
    expect(refused).toMatchObject({ ok: false, error: { key: 'rtspPort' } });
    expect(journal.notes).toEqual([]);
  });

  it('names the rule across keys that it would break', async () => {
    const { store } = makeStore();
    expect(await store.transact(admin, { httpPort: 8554 })).toMatchObject({
      ok: false,
      error: {
        code: 'invalid',
        key: 'rtspPort',
        message: 'Value must differ from httpPort, which is 8554 too',
      },
    });
    expect(await store.transact(admin, { httpPort: 8554, rtspPort: 8080 })).toMatchObject({ ok: true });
  });
});

describe('permissions', () => {
  it('let nobody change what they may not write, and record the attempt', async () => {
    const { store, journal } = makeStore();
    expect(await store.transact(viewer, { streamBitrate: 1_000_000 })).toMatchObject({
      ok: false,
      error: { code: 'forbidden', key: 'streamBitrate' },
    });
    expect(store.get('streamBitrate')).toBe(8_000_000);
    expect(journal.notes).toMatchObject([{ kind: 'refused', by: 'viewer', keys: ['streamBitrate'] }]);
  });

  it('hide a key entirely from those who may neither read nor write it', async () => {
    const { store } = makeStore();
    const hidden = await store.submit(guest, { hostname: 'x' });
    const missing = await store.submit(guest, { hostnamX: 'x' });
    expect(JSON.stringify(hidden)).toBe(JSON.stringify(missing).replaceAll('hostnamX', 'hostname'));
    const read = (key: string): string => {
      try {
        store.read(guest, key);
        return 'readable';
      } catch (error) {
        return String(error).replaceAll(key, 'KEY');
      }
    };
    expect(read('hostname')).toBe(read('hostnamX'));
  });

  it('let only the server write what is a status', async () => {
    const { store } = makeStore();
    const stats = { availableBandwidth: 1, packetLoss: 0, rtt: 1, jitter: 1 };
    expect(await store.transact(admin, { networkStats: stats })).toMatchObject({
      error: { code: 'forbidden' },
    });
    store.write({ networkStats: stats });
    expect(store.get('networkStats')).toEqual(stats);
  });
});

describe('secrets', () => {
  it('are neither readable nor written to the journal in the clear', async () => {
    const { store, journal } = makeStore();
    const servers = [{ urls: 'turn:turn.example', username: 'u', credential: 'canary-4711' }];
    await store.transact(admin, { webrtcIceServers: servers });
    expect(store.read(admin, 'webrtcIceServers')).toEqual([
      { urls: ['turn:turn.example'], username: 'u', credentialSet: true },
    ]);
    expect(JSON.stringify(journal.appended)).not.toContain('canary-4711');
    expect(journal.commits[0]).toMatchObject({ sealed: { webrtcIceServers: expect.any(String) as string } });
    // Who sends back what was shown does not wipe the credential out.
    await store.submit(admin, {
      webrtcIceServers: [...(store.read(admin, 'webrtcIceServers') as object[]), { urls: 'stun:s.example' }],
    });
    expect(store.get('webrtcIceServers')[0]?.credential).toBe('canary-4711');
  });

  it('of a refused attempt are not recorded either', async () => {
    const { store, journal } = makeStore();
    await store.submit(viewer, { userPasswords: { admin: 'canary-4712' }, nonsense: 'canary-4713' });
    await store.submit(operator, { cameraHeadSettings: { primary: { password: 'canary-4714' } } });
    expect(JSON.stringify(journal.notes)).not.toMatch(/canary/);
    expect(() => store.read(admin, 'userPasswords')).toThrow('may not read');
  });
});

it('a password has no place in an address that others may read', async () => {
  const { store, journal } = makeStore();
  const heads = store.get('cameraHeadSettings');
  const primary = { ...heads.primary, source: 'rtsp' as const, url: 'rtsp://bob:canary-4715@camera/stream' };
  expect(await store.transact(admin, { cameraHeadSettings: { ...heads, primary } })).toMatchObject({
    ok: false,
    error: { code: 'invalid', key: 'cameraHeadSettings' },
  });
  expect(JSON.stringify([journal.appended, journal.notes])).not.toContain('canary');
  const apart = { ...primary, url: 'rtsp://camera/stream', username: 'bob', password: 'canary-4715' };
  expect(await store.transact(admin, { cameraHeadSettings: { ...heads, primary: apart } })).toMatchObject({
    ok: true,
  });
  expect(JSON.stringify(store.read(admin, 'cameraHeadSettings'))).not.toContain('canary');
});

describe('views', () => {
  it('are two ways to one truth, each change told once', async () => {
    const { store, commits } = makeStore();
    await store.transact(admin, { brightness: 75, contrast: 60 });
    expect(store.get('imageSettings')).toMatchObject({ brightness: 75, contrast: 60, saturation: 50 });
    expect(commits).toHaveLength(1);
    expect(commits[0]?.changed.map(({ key }) => key).toSorted()).toEqual([
      'brightness',
      'contrast',
      'imageSettings',
    ]);
    await store.transact(admin, { imageSettings: { ...store.get('imageSettings'), brightness: 20 } });
    expect(store.get('brightness')).toBe(20);
  });

  it('cannot contradict the setting they belong to in one change', async () => {
    const { store } = makeStore();
    expect(
      await store.transact(admin, { streamResolution: '1280x720', resolution: '640x480' }),
    ).toMatchObject({
      ok: false,
      error: { code: 'invalid', key: 'streamResolution' },
    });
  });

  it('refuse what makes no sense in the present state, in words', async () => {
    const { store } = makeStore();
    expect(await store.transact(operator, { record: 'pause' })).toMatchObject({
      error: { code: 'invalid', key: 'record', message: 'Value "pause" needs a recording that runs' },
    });
    await store.transact(operator, { record: 'on' });
    await store.transact(operator, { record: 'pause' });
    expect(store.get('recordingState')).toBe('paused');
    expect(store.get('record')).toBe('pause');
    await store.transact(operator, { record: 'stop' });
    expect(store.get('record')).toBe(false);
  });
});

describe('computed values', () => {
  const base = { title: '', description: '', read: [] } as const;
  const setting = { ...base, write: [], save: false, effect: 'none' } as const;
  const number = Type.Number();
  let computed = 0;
  const a = defineObservable('a', { ...setting, schema: number, default: 1 });
  const left = defineDerived('left', { ...base, schema: number, from: [a], compute: (value) => value + 1 });
  const right = defineDerived('right', { ...base, schema: number, from: [a], compute: (value) => value * 2 });
  const sum = defineDerived('sum', {
    ...base,
    schema: number,
    from: [left, right],
    compute: (one, other) => {
      computed += 1;
      return one + other;
    },
  });

  it('are computed once for a change, and nobody ever sees a mixture', () => {
    const store = new Store({ registry: { sum, right, left, a }, rules: [] });
    const seen: string[] = [];
    store.state$.subscribe(({ revision, values }) => {
      seen.push(`${String(revision)}: ${[values.a, values.left, values.right, values.sum].join(' ')}`);
    });
    store.observe('left').subscribe((value) => {
      expect(value).toBe(store.get('a') + 1);
    });
    computed = 0;
    store.write({ a: 5 });
    store.write({ a: 7 });
    expect(seen).toEqual(['0: 1 2 2 4', '1: 5 6 10 16', '2: 7 8 14 22']);
    expect(computed).toBe(2);
  });

  it('cannot be computed from themselves', () => {
    const loop: { from: unknown[] } = { from: [] };
    const first = defineDerived('first', { ...base, schema: number, from: [a], compute: (value) => value });
    Object.assign(loop, first);
    loop.from = [loop];
    expect(() => new Store({ registry: { loop: loop as unknown as typeof first }, rules: [] })).toThrow(
      'first is computed from itself',
    );
  });
});

describe('observers', () => {
  it('that answer with a write make a commit of its own, after the one they answer', async () => {
    const { store, commits } = makeStore();
    store.observe('pipEnabled').subscribe((enabled) => {
      if (enabled) store.write({ streamBitrate: 1_000_000 });
    });
    await store.transact(admin, { pipEnabled: true });
    await store.settle();
    expect(commits.map(({ revision }) => revision)).toEqual([1, 2]);
    expect(commits[0]?.changed.map(({ key }) => key)).toContain('pipEnabled');
    expect(store.get('streamBitrate')).toBe(1_000_000);
  });

  it('that answer each other without end are stopped, with the keys named', () => {
    const store = new Store({
      registry: { cpuUsage: registry.cpuUsage, memoryUsage: registry.memoryUsage },
      rules: [],
      onFault: (error) => faults.push(error.message),
    });
    const faults: string[] = [];
    store.observe('memoryUsage').subscribe(({ used }) => {
      store.write({ cpuUsage: used % 100 });
    });
    store.observe('cpuUsage').subscribe((load) => {
      store.write({ memoryUsage: { used: load + 2, total: 0, percent: 0 } });
    });
    expect(faults[0]).toMatch(/Observers do not settle: (cpuUsage|memoryUsage)/);
  });
});

describe('the disk', () => {
  it('has a change before anybody sees it', async () => {
    const { store, journal, commits } = makeStore();
    const release = journal.hold();
    const outcome = store.transact(admin, { streamBitrate: 4_000_000 });
    await Promise.resolve();
    expect(store.get('streamBitrate')).toBe(8_000_000);
    expect(commits).toEqual([]);
    release();
    expect(await outcome).toMatchObject({ ok: true });
    expect(store.get('streamBitrate')).toBe(4_000_000);
  });

  it('is written to once for all changes that wait for it', async () => {
    const { store, journal } = makeStore();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.transact(admin, { streamBitrate: 1_000_000 + index })),
    );
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(store.get('streamBitrate')).toBe(1_000_099);
    // One for the first, which found the disk idle; one for all the others; one that reserves revisions.
    expect(journal.appended.length).toBeLessThanOrEqual(3);
    expect(journal.commits).toHaveLength(100);
  });

  it('is told of every old value, also of one that lived between two changes of the same write', async () => {
    const { store, journal } = makeStore();
    const release = journal.hold();
    const all = [4, 5, 6].map((megabits) => store.transact(admin, { streamBitrate: megabits * 1_000_000 }));
    release();
    await Promise.all(all);
    expect(journal.commits.map(({ was, set }) => [was?.['streamBitrate'], set?.['streamBitrate']])).toEqual([
      [8_000_000, 4_000_000],
      [4_000_000, 5_000_000],
      [5_000_000, 6_000_000],
    ]);
  });

  it('that takes nothing leaves everything as it was, and the next change works', async () => {
    const { store, journal, commits, faults } = makeStore();
    journal.failure = new Error('no space left on device');
    expect(await store.transact(admin, { streamBitrate: 4_000_000 })).toMatchObject({
      ok: false,
      error: { code: 'failed', message: expect.stringContaining('no space left on device') as string },
    });
    expect(store.get('streamBitrate')).toBe(8_000_000);
    expect(store.revision).toBe(0);
    expect(commits).toEqual([]);
    expect(faults).toHaveLength(1);
    journal.failure = undefined;
    expect(await store.transact(admin, { streamBitrate: 4_000_000 })).toMatchObject({
      ok: true,
      revision: 1,
    });
  });

  it('that cannot be told is answered, and its neighbours in the same write are not touched', async () => {
    const journal = new MemoryJournal();
    const faults: Error[] = [];
    // Without a key to seal with, a secret cannot be written down.
    const store = new Store({
      registry,
      rules,
      persistence: journal,
      onFault: (error) => faults.push(error),
    });
    const release = journal.hold();
    const first = store.transact(admin, { hue: 1 });
    const secret = store.transact(admin, { webrtcIceServers: [], hue: 2 });
    const sealed = store.transact(admin, {
      webrtcIceServers: [{ urls: ['turn:a.example'], username: 'u', credential: 'c' }],
    });
    const last = store.transact(admin, { gain: 3 });
    release();
    expect(await sealed).toMatchObject({ ok: false, error: { code: 'failed' } });
    expect(faults).toHaveLength(1);
    for (const other of [first, secret, last]) expect(await other).toMatchObject({ ok: true });
    expect([store.get('hue'), store.get('gain'), store.get('webrtcIceServers')]).toEqual([2, 3, []]);
  });

  it('does not get what is only for the moment, until it is meant', async () => {
    const { store, journal } = makeStore();
    await store.transact(admin, { brightness: 60 }, { transient: true });
    await store.transact(admin, { brightness: 70 }, { transient: true });
    expect(store.get('brightness')).toBe(70);
    expect(journal.commits).toEqual([]);
    await store.transact(admin, { brightness: 70 });
    expect(journal.commits).toMatchObject([
      { set: { imageSettings: { brightness: 70 } }, was: { imageSettings: { brightness: 50 } } },
    ]);
  });

  it('gets what a drag ends with, from what was before it, although all of it shares one write', async () => {
    const { store, journal } = makeStore();
    await Promise.all([
      store.transact(admin, { hue: 1 }),
      store.transact(admin, { brightness: 60 }, { transient: true }),
      store.transact(admin, { brightness: 70 }, { transient: true }),
      store.transact(admin, { brightness: 70 }),
    ]);
    expect(journal.commits.slice(1)).toMatchObject([
      { set: { imageSettings: { brightness: 70 } }, was: { imageSettings: { brightness: 50 } } },
    ]);
  });

  it('does not get a drag that ended where it began', async () => {
    const { store, journal } = makeStore();
    await store.transact(admin, { brightness: 60 }, { transient: true });
    await store.transact(admin, { brightness: 50 }, { transient: true });
    await store.transact(admin, { brightness: 50 });
    await store.close();
    expect(journal.commits).toEqual([]);
  });

  it('gets at the stop what was only for the moment', async () => {
    const { store, journal } = makeStore();
    await store.transact(admin, { brightness: 60 }, { transient: true });
    await store.close();
    expect(journal.commits).toMatchObject([{ set: { imageSettings: { brightness: 60 } } }]);
    expect(await store.transact(admin, { brightness: 61 })).toMatchObject({ error: { code: 'failed' } });
  });
});

describe('actions', () => {
  it('leave nothing behind but their outcome', async () => {
    const { store, commits } = makeStore();
    store.onAction('takePicture', () => Promise.resolve({ filename: 'a.jpg' }));
    expect(await store.transact(operator, { takePicture: true })).toMatchObject({
      ok: true,
      result: { filename: 'a.jpg' },
    });
    expect(store.get('takePicture')).toBe(false);
    expect(commits).toEqual([]);
  });

  it('that nobody can carry out say so, and those that fail say why', async () => {
    const { store } = makeStore();
    expect(await store.transact(operator, { takePicture: true })).toMatchObject({
      error: { code: 'failed', message: 'takePicture is not available on this server' },
    });
    store.onAction('takePicture', () => Promise.reject(new Error('the lens cap is on')));
    expect(await store.transact(operator, { takePicture: true })).toMatchObject({
      error: { code: 'failed', key: 'takePicture', message: 'the lens cap is on' },
    });
    expect(await store.transact(operator, { takePicture: true, brightness: 3 })).toMatchObject({
      error: { code: 'invalid' },
    });
    expect(await store.transact(viewer, { restart: true })).toMatchObject({ error: { code: 'unknown' } });
  });
});

describe('statuses', () => {
  it('of keys that somebody answers for are pending until the word is given', async () => {
    const { store } = makeStore();
    store.statuses.own(['httpPort']);
    const applied = store.transact(admin, { httpPort: 9090 }, { wait: 'applied' });
    await store.settle();
    expect(store.status('httpPort')).toEqual({ status: 'pending', revision: 1 });
    store.statuses.report(['httpPort'], { status: 'failed', revision: 1, reason: 'port taken' });
    expect(await applied).toMatchObject({
      ok: false,
      error: { code: 'failed', key: 'httpPort', message: 'port taken' },
    });
    await store.transact(admin, { httpPort: 9091 });
    store.statuses.report(['httpPort'], { status: 'applied', revision: 2 });
    expect(store.status('httpPort')).toEqual({ status: 'applied', revision: 2 });
    expect(store.status('rtspPort')).toEqual({ status: 'applied', revision: 0 });
  });
});

it('values cannot be changed behind the store', async () => {
  const { store } = makeStore();
  const layout = { ...store.get('pipLayout'), pipScale: 0.5 };
  await store.transact(admin, { pipLayout: layout });
  expect(() => Object.assign(store.get('pipLayout'), { pipScale: 0.7 })).toThrow(TypeError);
});

it('readings that hardly moved are not told', () => {
  const { store, commits } = makeStore();
  store.write({ cpuUsage: 10 });
  store.write({ cpuUsage: 10.4 });
  store.write({ cpuUsage: 12 });
  expect(commits).toHaveLength(2);
});

it('agrees with the plainest possible model over any series of changes', async () => {
  const value = fc.record(
    {
      streamBitrate: fc.oneof(fc.integer({ min: 0, max: 60_000_000 }), fc.string()),
      brightness: fc.oneof(fc.integer({ min: -10, max: 110 }), fc.boolean()),
      rtspEnabled: fc.oneof(fc.boolean(), fc.constant(1)),
      unheardOf: fc.integer(),
    },
    { requiredKeys: [] },
  );
  const step = fc.tuple(fc.constantFrom(admin, operator, viewer, guest, systemActor()), value);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { store } = makeStore();
      const model = { streamBitrate: 8_000_000, brightness: 50, rtspEnabled: true };
      for (const [actor, patch] of steps) {
        const mayWrite = ['admin', 'operator', 'system'].includes(actor.name);
        const good = Object.entries(patch).every(([key, given]) => {
          if (key === 'rtspEnabled') return typeof given === 'boolean';
          if (key === 'unheardOf' || !Number.isInteger(given)) return false;
          const [low, high] = key === 'brightness' ? [0, 100] : [100_000, 50_000_000];
          return Number(given) >= low && Number(given) <= high;
        });
        const allowed = Object.keys(patch).length === 0 || (mayWrite && good);
        if (allowed) Object.assign(model, patch);
        const { ok } = await store.submit(actor, patch);
        expect(ok).toBe(allowed);
      }
      const { streamBitrate, brightness, rtspEnabled } = store.snapshot().values;
      expect({ streamBitrate, brightness, rtspEnabled }).toEqual(model);
    }),
    { numRuns: 100 },
  );
});
