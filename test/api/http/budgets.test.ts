import { expect, it } from 'vitest';
import { Budgets } from '../../../src/api/http/budgets.js';

function budgets(limit: { now: number }) {
  const clock = { ms: 0 };
  return {
    clock,
    budgets: new Budgets(
      () => limit.now,
      () => clock.ms,
    ),
  };
}

it('allows as many at once as in a second, then one after the other', () => {
  const { clock, budgets: each } = budgets({ now: 10 });
  const first = Array.from({ length: 12 }, () => each.spend('a', 'images').allowed);
  expect(first.filter(Boolean)).toHaveLength(10);
  clock.ms = 100;
  expect(each.spend('a', 'images').allowed).toBe(true);
  expect(each.spend('a', 'images')).toMatchObject({ allowed: false, retryAfter: 1, remaining: 0 });
});

it('keeps addresses and kinds of requests apart', () => {
  const { budgets: each } = budgets({ now: 1 });
  expect(each.spend('a', 'api').allowed).toBe(true);
  expect(each.spend('a', 'api').allowed).toBe(false);
  expect(each.spend('b', 'api').allowed).toBe(true);
  expect(each.spend('a', 'files').allowed).toBe(true);
});

it('follows the setting from the next request on', () => {
  const limit = { now: 1 };
  const { clock, budgets: each } = budgets(limit);
  each.spend('a', 'api');
  limit.now = 50;
  clock.ms = 1000;
  expect(each.spend('a', 'api')).toMatchObject({ allowed: true, limit: 50, remaining: 49 });
});

it('does not refill from a clock that was set back', () => {
  const { clock, budgets: each } = budgets({ now: 1 });
  clock.ms = 5000;
  each.spend('a', 'api');
  clock.ms = 0;
  expect(each.spend('a', 'api').allowed).toBe(false);
});
