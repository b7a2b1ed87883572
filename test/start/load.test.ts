// What is said of a machine that cannot keep up, from what the media process reports.
import { Subject } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Beat } from '../../src/media/messages.js';
import { systemActor } from '../../src/store/actor.js';
import { watchLoad } from '../../src/start/load.js';
import { runningServer, type TestServer } from '../support/runningServer.js';

let server: TestServer;
let said: string[];
let beats$: Subject<Pick<Beat, 'pipelines' | 'channels'>>;
beforeEach(async () => {
  server = await runningServer();
  server.store.statuses.own(['streamFramerate']);
  said = [];
  beats$ = new Subject();
  const log = (text: string): void => void said.push(text);
  watchLoad(server.store, { beats$ }, { warn: log, info: log });
  await server.store.transact(systemActor(), { streamFramerate: 30 });
  server.store.statuses.report(['streamFramerate'], { status: 'applied', revision: server.store.revision });
  server.store.write({ streamFramerateEffective: 30 });
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
});

const reason = (): string | undefined => server.store.status('streamFramerate').reason;

let [captured, encoded] = [0, 0];
/** So many seconds, at these rates. */
function pass(seconds: number, capturedRate: number, encodedRate: number, since = 0): void {
  for (let step = 0; step < seconds * 2; step += 1) {
    vi.setSystemTime(Date.now() + 500);
    captured += capturedRate / 2;
    encoded += encodedRate / 2;
    const channel = {
      producing: true,
      consumers: 1,
      bytes: 0,
      keyframes: 0,
      bitrate: 0,
      dropped: 0,
      changes: 0,
      ageMs: 0,
    };
    beats$.next({
      pipelines: [{ name: 'encode/stream1', text: '', state: 'running', since, restarts: 0 }],
      channels: {
        'raw/primary': { ...channel, frames: captured, caps: '' },
        stream1: { ...channel, frames: encoded, caps: '' },
      },
    });
  }
}

it('nothing is said while all goes well, nor while a pipeline begins', () => {
  pass(10, 30, 30);
  expect(reason()).toBeUndefined();
  pass(2, 30, 5, Date.now());
  expect([reason(), said]).toEqual([undefined, []]);
});

it('an overloaded encoder is named, once, until it keeps up again', () => {
  pass(10, 30, 15);
  expect(reason()).toBe('This machine is overloaded: it encodes 15 of 30 pictures a second');
  pass(10, 30, 30);
  expect(reason()).toBeUndefined();
  expect(said).toHaveLength(2);
});

it('a slow camera is not called an overloaded machine', () => {
  pass(10, 15, 15);
  expect(reason()).toBe('The camera gives 15 of 30 pictures a second');
});

it('a rate that the plan had to lower is explained, and no longer when it is as wished', async () => {
  await server.store.transact(systemActor(), { streamFramerate: 60 });
  server.store.statuses.report(['streamFramerate'], { status: 'applied', revision: server.store.revision });
  await expect.poll(reason).toBe('It runs at 30: this machine cannot encode 1920x1080 faster in software');
  await server.store.transact(systemActor(), { streamFramerate: 30 });
  server.store.statuses.report(['streamFramerate'], { status: 'applied', revision: server.store.revision });
  await expect.poll(reason).toBeUndefined();
});
