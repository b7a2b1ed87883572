import { expect, it } from 'vitest';
import { registry, rules } from '../../src/observables/registry.js';
import { systemActor } from '../../src/store/actor.js';
import { Store } from '../../src/store/store.js';
import { MemoryJournal } from '../support/MemoryJournal.js';
import { admin, operator } from '../support/people.js';

function makeStore() {
  return new Store({ registry, rules, persistence: new MemoryJournal(), now: () => 1_700_000_000_000 });
}

it('a recording that does not run cannot pause, by any of its names', async () => {
  const store = makeStore();
  const refused = await store.transact(operator, { recordingState: 'paused' });
  expect(refused).toMatchObject({
    ok: false,
    error: { code: 'invalid', key: 'recordingState', message: 'Value "paused" needs a recording that runs' },
  });
  expect(await store.transact(operator, { record: 'pause' })).toMatchObject({ ok: false });
  expect(store.get('recordingState')).toBe('stopped');
  await store.transact(operator, { recordingState: 'recording' });
  expect(await store.transact(operator, { recordingState: 'paused' })).toMatchObject({ ok: true });
  expect(store.get('record')).toBe('pause');
});

it('nobody but the server says when an account was last used', async () => {
  const store = makeStore();
  const root = { role: 'administrator' };
  await store.transact(systemActor(), { users: { root: { ...root, created: 1, lastLogin: 5 } } });
  await store.transact(admin, {
    users: { root: { ...root, created: 9, lastLogin: 9 }, eve: { ...root, lastLogin: 9 } },
  });
  expect(store.get('users')['root']).toMatchObject({ created: 1, lastLogin: 5 });
  expect(store.get('users')['eve']).not.toHaveProperty('lastLogin');
  await store.transact(systemActor(), { users: { root: { ...root, lastLogin: 7 } } });
  expect(store.get('users')['root']).toMatchObject({ created: 1, lastLogin: 7 });
});

it('a role keeps the day it was made', async () => {
  const store = makeStore();
  await store.transact(admin, { customRoles: { night: { permissions: ['Media_r'], created: 3 } } });
  await store.transact(admin, { customRoles: { night: { permissions: ['Device_r'], created: 8 } } });
  expect(store.get('customRoles')['night']).toEqual({ permissions: ['Device_r'], created: 3 });
});

it.each(['256.1.1.1', '1.2.3', '1.2.3.4.5', '01.2.3.4567', '1.2.3.'])(
  'the address %s is none',
  async (ipAddress) => {
    const store = makeStore();
    expect(await store.transact(admin, { ipAddress })).toMatchObject({
      ok: false,
      error: { code: 'invalid' },
    });
    expect(await store.transact(admin, { ipAddress: '192.168.255.1' })).toMatchObject({ ok: true });
  },
);
