import { expect, it } from 'vitest';
import { Rates } from '../../src/media/rates.js';

it('tell how fast a counter has grown over the last two seconds', () => {
  const rates = new Rates();
  expect(rates.of('a', 1000, 0)).toBe(0);
  expect(rates.of('a', 1500, 500)).toBe(1000);
  for (let at = 1000; at <= 5000; at += 500) rates.of('a', 1000 + at * 2, at);
  expect(rates.of('a', 1000 + 5500 * 2, 5500)).toBe(2000);
  expect(rates.growth('a', 1000 + 6000 * 2, 6000)).toBe(4000);
  expect(rates.of('b', 7, 6000)).toBe(0);
});

it('begin anew with a counter that does, or that nobody has looked at for long', () => {
  const rates = new Rates();
  rates.of('a', 1_000_000, 0);
  expect(rates.of('a', 100, 500)).toBe(0);
  expect(rates.of('a', 200, 1000)).toBe(200);
  rates.tidy(10_000);
  expect(rates.of('a', 900, 10_000)).toBe(0);
});
