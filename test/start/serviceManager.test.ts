import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Check } from '../../src/api/services.js';
import { reportToServiceManager, statusOf, watchdogInterval } from '../../src/start/serviceManager.js';

let told: string[];
let checks: Check[];
let viewers: { id: string; bytes: number }[];
let isSound: boolean;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  checks = [{ name: 'media', ok: false, reason: 'It is starting' }];
  viewers = [];
  isSound = true;
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

function begin(environment: Record<string, string> = {}): void {
  stop = reportToServiceManager({
    notify: (state) => told.push(state),
    environment,
    readiness: () => checks,
    viewers: () => viewers,
    isSound: () => isSound,
  });
}

describe('ready', () => {
  it('is said when everything holds, and once', () => {
    begin();
    vi.advanceTimersByTime(3000);
    expect(told).toEqual(['STATUS=0 viewers, 0.0 Mbit/s; media: It is starting']);
    checks = [];
    vi.advanceTimersByTime(3000);
    expect(told.slice(1)).toEqual(['READY=1', 'STATUS=0 viewers, 0.0 Mbit/s']);
  });

  it('is said at last also where something does not come up, so that people can put it right', () => {
    begin();
    vi.advanceTimersByTime(14_000);
    expect(told).not.toContain('READY=1');
    vi.advanceTimersByTime(3000);
    expect(told).toContain('READY=1');
  });
});

it('says who watches and what they get, as often as that changes', () => {
  checks = [];
  begin();
  viewers = [
    { id: 'a', bytes: 5_000_000 },
    { id: 'b', bytes: 0 },
  ];
  vi.advanceTimersByTime(1000);
  viewers = [
    { id: 'a', bytes: 5_500_000 },
    { id: 'b', bytes: 500_000 },
  ];
  vi.advanceTimersByTime(1000);
  expect(told.filter((state) => state.startsWith('STATUS'))).toEqual([
    ...['STATUS=0 viewers, 0.0 Mbit/s', 'STATUS=2 viewers, 0.0 Mbit/s', 'STATUS=2 viewers, 8.0 Mbit/s'],
  ]);
});

it('keeps the status to one line', () => {
  const status = statusOf(1, 0, [{ name: 'camera/primary', ok: false, reason: `a\nb ${'c'.repeat(500)}` }]);
  expect(status).toMatch(/^1 viewer, 0\.0 Mbit\/s; camera\/primary: a b c+$/);
  expect(status).toHaveLength(256);
});

describe('the watchdog', () => {
  it('is fed twice in its time, but only while the server is sound', () => {
    begin({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) });
    const beats = (): number => told.filter((state) => state === 'WATCHDOG=1').length;
    vi.advanceTimersByTime(30_000);
    expect(beats()).toBe(3);
    isSound = false;
    vi.advanceTimersByTime(60_000);
    expect(beats()).toBe(3);
    isSound = true;
    vi.advanceTimersByTime(15_000);
    expect(beats()).toBe(4);
  });

  it.each([
    [{}, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
    [{ WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' }, undefined],
    [{ WATCHDOG_USEC: '1000000' }, 500],
  ])('asked for by %j is fed every %s ms', (environment, expected) => {
    begin();
    expect(watchdogInterval(environment)).toBe(expected);
  });
});
