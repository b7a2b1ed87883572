import { expect, it } from 'vitest';
import { lineOf } from '../../src/media/gstWarnings.js';

const warning = { event: 'gst-log', category: 'rtspsrc', element: '', withheld: 0 } as const;

it.each([
  [{ message: 'no answer' }, 'warn', 'no answer'],
  [{ message: 'no answer', element: 'source' }, 'warn', 'source: no answer'],
  [{ message: 'no answer', withheld: 7 }, 'warn', 'no answer (and 7 more before it)'],
  [{ message: 'cannot open rtsp://ann:word@192.0.2.1/' }, 'warn', 'cannot open rtsp://***@192.0.2.1/'],
  [{ message: 'client 0x1: not allowed', category: 'rtspclient' }, 'debug', 'client 0x1: not allowed'],
  [
    { message: 'media 0x1 was prepared by other client', category: 'rtspmedia' },
    'debug',
    'media 0x1 was prepared by other client',
  ],
  [
    { message: 'Latency query failed', category: 'aggregator', element: 'mix' },
    'debug',
    'mix: Latency query failed',
  ],
  [
    { message: 'Latency query failed', category: 'aggregator', element: 'mux' },
    'warn',
    'mux: Latency query failed',
  ],
  [{ message: 'client 0x1: not allowed' }, 'warn', 'client 0x1: not allowed'],
])('of %j it is told at %s', (more, level, message) => {
  const whole = { ...warning, ...more };
  expect(lineOf(whole)).toEqual({ kind: 'log', level, category: whole.category, message });
});
