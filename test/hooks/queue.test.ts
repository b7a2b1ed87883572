import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeMessage } from '../../src/hooks/message.js';
import { post } from '../../src/hooks/post.js';
import { HookQueue, type HookClock, type Receiver, type Result } from '../../src/hooks/queue.js';
import { HookReceiver, type HeardPost } from '../support/HookReceiver.js';
import { freePorts } from '../support/ports.js';

const secret = 'between-you-and-me';
const time = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Waits for nothing, and remembers for how long it should have. */
class InstantClock implements HookClock {
  readonly waits: number[] = [];
  readonly now = (): number => time;
  readonly wait = (ms: number): Promise<void> => {
    this.waits.push(ms);
    return Promise.resolve();
  };
}

const nothing: Pick<HeardPost, 'headers' | 'body'> = { headers: {}, body: '' };
let receiver: HookReceiver;
let clock: InstantClock;
let results: [string, Result][];
let queue: HookQueue;

function open(to: Receiver): void {
  queue = new HookQueue({
    ...{ receiver: to, post, clock },
    onResult: (event, result) => results.push([event, result]),
    onStatus: () => undefined,
  });
}

function happen(event: string, data: Record<string, unknown> = {}): void {
  queue.add(composeMessage({ event, data }, 'garden', clock.now()));
}

beforeEach(async () => {
  receiver = await HookReceiver.open();
  clock = new InstantClock();
  results = [];
  open({ url: receiver.url, secret });
});
afterEach(async () => {
  queue.close();
  await receiver.close();
});

it('tells what happened, where and when, signed so that a receiver can check it', async () => {
  happen('source-lost', { camera: 'primary' });
  await expect.poll(() => receiver.heard.length).toBe(1);
  const { headers, body } = receiver.heard[0] ?? nothing;
  const { id, ...said } = JSON.parse(body) as Record<string, unknown>;
  expect(said).toEqual({
    ...{ event: 'source-lost', time: '2026-01-02T03:04:05.000Z', device: 'garden' },
    data: { camera: 'primary' },
  });
  expect(headers).toMatchObject({
    ...{ 'content-type': 'application/json', 'x-obscura-event': 'source-lost' },
    ...{ 'x-obscura-delivery': id, 'x-obscura-timestamp': String(time / 1000) },
  });
  const expected = createHmac('sha256', secret)
    .update(`${String(time / 1000)}.${body}`)
    .digest('hex');
  expect(headers['x-obscura-signature']).toBe(`sha256=${expected}`);
  expect(JSON.stringify(receiver.heard)).not.toContain(secret);
});

it('signs nothing without a secret', async () => {
  open({ url: receiver.url });
  happen('source-lost');
  await expect.poll(() => receiver.heard.length).toBe(1);
  expect(receiver.heard[0]?.headers).not.toHaveProperty('x-obscura-signature');
});

it('keeps the order, also over failures, and says who was told', async () => {
  receiver.answers.push(500, 503);
  for (const event of ['one', 'two', 'three']) happen(event);
  await expect.poll(() => results.length).toBe(3);
  expect(receiver.events()).toEqual(['one', 'one', 'one', 'two', 'three']);
  expect(new Set(receiver.heard.slice(0, 3).map(({ body }) => body)).size).toBe(1);
  expect(clock.waits).toEqual([1000, 2000]);
  expect(results).toEqual(['one', 'two', 'three'].map((event) => [event, 'delivered']));
  expect(queue.status).toMatchObject({
    ...{ queued: 0, dropped: 0, lastSuccess: time, lastError: 'It answers 503' },
  });
});

it('tries a receiver that is not there five times, then goes on with the next', async () => {
  const [port = 0] = await freePorts(1);
  open({ url: `http://127.0.0.1:${String(port)}/` });
  happen('one');
  await expect.poll(() => results).toEqual([['one', 'failed']]);
  expect(clock.waits).toEqual([1000, 2000, 4000, 8000]);
  expect(queue.status).toMatchObject({ dropped: 1, lastError: 'Nobody listens at this address' });
  const late = await HookReceiver.open(port);
  happen('two');
  await expect.poll(() => late.events()).toEqual(['two']);
  await late.close();
});

it('goes nowhere else than where it was told to', async () => {
  receiver.answers.push(302, 302, 302, 302, 302);
  happen('one');
  await expect.poll(() => results).toEqual([['one', 'failed']]);
  expect(receiver.heard).toHaveLength(5);
  expect(queue.status.lastError).toBe('It answers 302, and redirects are not followed');
});

it('gives up what a receiver that hangs will never be told, the oldest first, and keeps the newest', () => {
  receiver.answers.push('never');
  for (let count = 0; count < 105; count += 1) happen(`event-${String(count)}`);
  expect(queue.status).toMatchObject({ queued: 100, dropped: 5 });
  // The first is under way; those that follow are the oldest that wait.
  expect(results).toEqual([1, 2, 3, 4, 5].map((count) => [`event-${String(count)}`, 'dropped']));
});

describe('closed', () => {
  it('it ends what is under way, and tells nothing more', async () => {
    receiver.answers.push('never');
    happen('one');
    happen('two');
    await expect.poll(() => receiver.heard.length).toBe(1);
    queue.close();
    await receiver.close();
    expect(results).toEqual([]);
    receiver = await HookReceiver.open();
  });
});
