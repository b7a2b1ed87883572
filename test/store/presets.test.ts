import { beforeEach, describe, expect, it } from 'vitest';
import { registry, rules, type AppRegistry } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { Presets } from '../../src/store/presets.js';
import { Store } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { admin, guest, operator, person, viewer } from '../support/people.js';

let store: Store<AppRegistry>;
let presets: Presets;
beforeEach(() => {
  store = new Store({ registry, rules, persistence: new MemoryJournal() });
  presets = new Presets(store, () => 1_700_000_000_000);
});

const root = systemActor();

describe('a preset', () => {
  it('keeps values, shows what it would change, and brings them back in one transaction', async () => {
    await store.transact(root, { lightIntensity: 20, streamBitrate: 3_000_000 });
    await presets.save(operator, 'night', ['lightIntensity', 'streamBitrate']);
    await store.transact(root, { lightIntensity: 90, streamBitrate: 9_000_000 });
    expect(presets.difference(operator, 'night')).toEqual([
      { key: 'lightIntensity', now: 90, preset: 20 },
      { key: 'streamBitrate', now: 9_000_000, preset: 3_000_000 },
    ]);
    const { revision } = store;
    expect(await presets.apply(operator, 'night')).toMatchObject({ ok: true, revision: revision + 1 });
    expect([store.get('lightIntensity'), store.get('streamBitrate')]).toEqual([20, 3_000_000]);
    expect(presets.difference(operator, 'night')).toEqual([]);
    expect(presets.list(operator)['night']).toMatchObject({ by: operator.name, created: 1_700_000_000_000 });
  });

  it('keeps what is saved, and not what holds for a while', async () => {
    await store.transact(root, { streamBitrate: 3_000_000 });
    await store.transact(root, { streamBitrate: 9_000_000 }, { transient: true });
    await presets.save(operator, 'night', ['streamBitrate']);
    expect(presets.list(operator)['night']?.values).toEqual({ streamBitrate: 3_000_000 });
  });

  it('keeps the setting behind a second name', async () => {
    await store.transact(root, { brightness: 70, fps: 25 });
    await presets.save(admin, 'look', ['brightness', 'fps']);
    expect(presets.list(admin)['look']?.values).toEqual({
      imageSettings: store.get('imageSettings'),
      streamFramerate: 25,
    });
  });

  it('is applied whole or not at all', async () => {
    await store.transact(root, {
      presets: { odd: { values: { lightIntensity: 20, contrast: 400 }, created: 0, by: 'admin' } },
    });
    const outcome = await presets.apply(admin, 'odd');
    expect(outcome).toMatchObject({ ok: false, error: { code: 'invalid', key: 'contrast' } });
    expect(store.get('lightIntensity')).toBe(100);
  });

  it('with a key that is not there any more says so by name', async () => {
    await store.transact(root, {
      presets: { old: { values: { lightIntensity: 20, filmSpeed: 4 }, created: 0, by: 'admin' } },
    });
    expect(await presets.apply(admin, 'old')).toMatchObject({
      ok: false,
      error: { code: 'unknown', key: 'filmSpeed' },
    });
    expect(store.get('lightIntensity')).toBe(100);
  });

  it('writes nothing that its applier may not write', async () => {
    await presets.save(admin, 'all', ['lightIntensity', 'timezone']);
    await store.transact(root, { lightIntensity: 3, timezone: 'Asia/Tokyo' });
    const outcome = await presets.apply(operator, 'all');
    expect(outcome).toMatchObject({ ok: false, error: { key: 'timezone' } });
    expect([store.get('lightIntensity'), store.get('timezone')]).toEqual([3, 'Asia/Tokyo']);
  });

  it('shows nothing that its reader may not read', async () => {
    await presets.save(admin, 'all', ['lightIntensity', 'timezone', 'httpPort']);
    const deviceOnly = person('dev', ['Device_r']);
    expect(presets.list(deviceOnly)['all']?.values).toEqual({ lightIntensity: 100 });
    await store.transact(root, { lightIntensity: 3, timezone: 'Asia/Tokyo' });
    expect(presets.difference(deviceOnly, 'all').map(({ key }) => key)).toEqual(['lightIntensity']);
    expect(presets.list(guest)['all']?.values).toEqual({});
    // Whoever watches the observable learns that there is such a preset, and of its values nothing.
    expect(store.read(deviceOnly, 'presets')).toEqual({
      all: { values: {}, created: expect.any(Number) as number, by: 'admin' },
    });
  });

  it('is replaced and removed only by who could have made it', async () => {
    await presets.save(admin, 'p', ['timezone']);
    for (const change of [presets.save(operator, 'p', ['lightIntensity']), presets.remove(operator, 'p')])
      await expect(change).rejects.toMatchObject({ code: 'forbidden' });
    expect(Object.keys(store.get('presets')['p']?.values ?? {})).toEqual(['timezone']);
    await presets.save(admin, 'p', ['lightIntensity']);
    await presets.remove(operator, 'p');
    expect(store.get('presets')).toEqual({});
  });

  it.each([
    ['what is not saved', 'recordingState', admin, 'invalid'],
    ['what nobody may write', 'cpuUsage', admin, 'invalid'],
    ['an action', 'restart', admin, 'invalid'],
    ['secrets', 'userPasswords', admin, 'forbidden'],
    ['what holds secrets', 'webrtcIceServers', admin, 'invalid'],
    ['what its maker may not write', 'lightIntensity', viewer, 'forbidden'],
    ['what does not exist', 'nonsense', admin, 'unknown'],
  ] as const)('is not made of %s: %s', async (_words, key, maker, code) => {
    await expect(presets.save(maker, 'p', [key])).rejects.toMatchObject({ code, key });
    expect(store.get('presets')).toEqual({});
  });

  it('is gone after its removal, and nobody finds one that never was', async () => {
    await presets.save(admin, 'p', ['lightIntensity']);
    await presets.remove(admin, 'p');
    expect(presets.list(admin)).toEqual({});
    for (const missing of ['p', '__proto__', 'constructor'])
      expect(() => presets.difference(admin, missing)).toThrow(/no preset/);
    await expect(presets.remove(admin, 'p')).rejects.toMatchObject({ code: 'unknown' });
  });
});
