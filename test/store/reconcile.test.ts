import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { registry } from '../../src/observables/registry.js';
import { reconcile, Unsupported } from '../../src/store/reconcile.js';
import { Store } from '../../src/store/store.js';
import { admin } from '../support/people.js';

const keys = ['rtspPort', 'rtspEnabled'] as const;
const parts = { rtspPort: registry.rtspPort, rtspEnabled: registry.rtspEnabled, cpuUsage: registry.cpuUsage };
const fallback = { rtspPort: 8554, rtspEnabled: true };

function makeStore(): Store<typeof parts> {
  return new Store({ registry: parts, rules: [] });
}

it('what can never be goes back to what ran, with the reason', async () => {
  const store = makeStore();
  const applied: number[] = [];
  const unit = reconcile({
    store,
    keys,
    fallback,
    desired: ({ rtspPort }) => rtspPort,
    apply: (port) => {
      if (port === 9999) return Promise.reject(new Unsupported('port 9999 is taken'));
      applied.push(port);
      return Promise.resolve();
    },
  });
  await unit.settled();
  expect(await store.transact(admin, { rtspPort: 9000 }, { wait: 'applied' })).toMatchObject({ ok: true });
  expect(await store.transact(admin, { rtspPort: 9999 }, { wait: 'applied' })).toMatchObject({
    ok: false,
    error: { code: 'failed', key: 'rtspPort', message: 'port 9999 is taken' },
  });
  await unit.settled();
  expect(store.get('rtspPort')).toBe(9000);
  expect(store.status('rtspPort')).toMatchObject({ status: 'applied' });
  expect(applied).toEqual([8554, 9000]);
  await unit.stop();
});

it('what nobody touched is not marked with the failure of its neighbours', async () => {
  const store = makeStore();
  const unit = reconcile({
    store,
    keys,
    fallback,
    desired: (settings) => settings,
    apply: ({ rtspPort }) =>
      rtspPort === 9999
        ? Promise.reject(new Unsupported('taken'))
        : rtspPort === 9998
          ? Promise.reject(new Error('not now'))
          : Promise.resolve(),
    retryMs: 3_600_000,
  });
  await unit.settled();
  const told: string[] = [];
  store.statuses.changes$.subscribe(({ key, status }) => {
    told.push(`${key} ${status}`);
  });
  await store.transact(admin, { rtspPort: 9999 }, { wait: 'applied' });
  await unit.settled();
  expect(told).toContain('rtspPort failed');
  expect(told.filter((line) => line.startsWith('rtspEnabled'))).toEqual([]);

  await store.transact(admin, { rtspPort: 9998, rtspEnabled: false }, { wait: 'applied' });
  expect(store.status('rtspEnabled').status).toBe('failed');
  // Wished for again as it runs, while the other still is not.
  await store.transact(admin, { rtspEnabled: true }, { wait: 'applied' });
  expect([store.status('rtspPort').status, store.status('rtspEnabled').status]).toEqual([
    'failed',
    'applied',
  ]);
  await unit.stop();
});

it('what fails for now stays wished for and is tried again', async () => {
  const store = makeStore();
  let broken = true;
  const unit = reconcile({
    store,
    keys,
    fallback,
    desired: ({ rtspPort }) => rtspPort,
    apply: () => (broken ? Promise.reject(new Error('unplugged')) : Promise.resolve()),
    retryMs: 1,
  });
  await expect.poll(() => store.status('rtspPort').reason).toBeUndefined();
  await store.transact(admin, { rtspPort: 9000 });
  await expect.poll(() => store.status('rtspPort')).toMatchObject({ status: 'failed', reason: 'unplugged' });
  expect(store.get('rtspPort')).toBe(9000);
  broken = false;
  await expect.poll(() => store.status('rtspPort').status).toBe('applied');
  await unit.stop();
});

/** Numbers that look random and are the same every time. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x7fffffff) * below) % below;
  };
}

it('in any series of wishes and failures it converges, one apply at a time, never on what cannot be', async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = seeded(seed);
    const store = makeStore();
    let running = 0;
    let calm = false;
    let real: number | undefined;
    const impossible = (port: number): boolean => port % 5 === 0 && port !== 8554;
    const unit = reconcile({
      store,
      keys,
      fallback,
      desired: ({ rtspPort, rtspEnabled }) => (rtspEnabled ? rtspPort : 0),
      apply: async (port) => {
        running += 1;
        expect(running).toBe(1);
        for (let turns = random(4); turns > 0; turns -= 1) await Promise.resolve();
        running -= 1;
        if (impossible(port) && port !== 0) throw new Unsupported(`port ${String(port)}`);
        if (!calm && random(5) === 0) throw new Error('not now');
        real = port;
      },
      retryMs: 1,
    });
    for (let step = 0; step < 30; step += 1) {
      const port = 9000 + random(20);
      await store.transact(admin, random(4) === 0 ? { rtspEnabled: random(2) === 0 } : { rtspPort: port });
      // Statuses of others must not wake it into a loop.
      store.write({ cpuUsage: random(100) });
      for (let turns = random(6); turns > 0; turns -= 1) await Promise.resolve();
    }
    calm = true;
    await expect
      .poll(() => [store.status('rtspPort').status, store.status('rtspEnabled').status], {
        interval: 1,
        timeout: 5000,
      })
      .toEqual(['applied', 'applied']);
    await unit.settled();
    const wish = store.get('rtspEnabled') ? store.get('rtspPort') : 0;
    expect([seed, real]).toEqual([seed, wish]);
    if (store.get('rtspEnabled')) expect(impossible(store.get('rtspPort'))).toBe(false);
    await unit.stop();
  }
});

it('what failed is tried at once when it is said that it may work now', async () => {
  const store = makeStore();
  const again$ = new Subject<void>();
  let broken = true;
  const unit = reconcile({
    store,
    keys,
    fallback,
    again$,
    desired: ({ rtspPort }) => rtspPort,
    apply: () => (broken ? Promise.reject(new Error('unplugged')) : Promise.resolve()),
    // It would not be by itself.
    retryMs: 3_600_000,
  });
  await expect.poll(() => store.status('rtspPort').status).toBe('failed');
  broken = false;
  again$.next();
  await expect.poll(() => store.status('rtspPort').status).toBe('applied');
  await unit.stop();
  expect(again$.observed).toBe(false);
});
