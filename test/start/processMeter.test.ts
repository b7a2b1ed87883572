import { expect, it } from 'vitest';
import { ProcessMeter } from '../../src/start/processMeter.js';

it('tells the share of all processors since the last reading', () => {
  const meter = new ProcessMeter(4);
  expect(meter.take({ usedMs: 500, atMs: 0 })).toBe(0);
  expect(meter.take({ usedMs: 1500, atMs: 1000 })).toBe(25);
  // Nothing newer has been heard.
  expect(meter.take({ usedMs: 1500, atMs: 1000 })).toBe(25);
  expect(meter.take({ usedMs: 1500, atMs: 2000 })).toBe(0);
  expect(meter.take({ usedMs: 9500, atMs: 3000 })).toBe(100);
});

it('begins anew with another process, and is at nothing without one', () => {
  const meter = new ProcessMeter(1);
  meter.take({ usedMs: 500, atMs: 0 });
  expect(meter.take({ usedMs: 1000, atMs: 1000 })).toBe(50);
  expect(meter.take(undefined)).toBe(0);
  expect(meter.take({ usedMs: 100, atMs: 100 })).toBe(0);
  expect(meter.take({ usedMs: 200, atMs: 600 })).toBe(20);
  expect(meter.take({ usedMs: 10, atMs: 700 })).toBe(0);
});
