import { Subject } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Media, Viewer } from '../../src/api/services.js';
import { runWebhooks } from '../../src/start/webhooks.js';
import { HookReceiver } from '../support/HookReceiver.js';
import { bearer, startWebServer, type WebServer } from '../support/webServer.js';

const secret = 'between-you-and-me';
let server: WebServer;
let receiver: HookReceiver;
beforeAll(async () => {
  server = await startWebServer();
  receiver = await HookReceiver.open();
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
});
afterEach(() => {
  receiver.heard.length = 0;
});

type Person = keyof WebServer['tokens'];
async function ask(
  method: 'GET' | 'PUT' | 'POST',
  url: string,
  payload?: object,
  person: Person = 'administrator',
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const answer = await server.app.inject({
    ...{ method, url, headers: bearer(server.tokens[person]) },
    ...(payload === undefined ? {} : { payload }),
  });
  return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown> };
}

const set = (webhooks: unknown): ReturnType<typeof ask> =>
  ask('PUT', '/api/state/webhooks', { value: webhooks });
const hook = (more: object = {}): object => ({
  ...{ name: 'door', url: receiver.url, enabled: true, secret },
  events: ['source-lost', 'source-back', 'apply-failed', 'recording-started', 'recording-stopped'],
  ...more,
});
const cameraIs = (state: 'live' | 'no signal'): void => {
  const { store } = server.services;
  const { secondary } = store.get('cameraStatus');
  store.write({ cameraStatus: { primary: { state, since: 0, reason: 'unplugged' }, secondary } });
};

it('tells a receiver what happens, once each and in order, and says how it fares', async () => {
  expect((await set([hook()])).status).toBe(200);
  cameraIs('live');
  cameraIs('no signal');
  cameraIs('no signal');
  cameraIs('live');
  await expect.poll(() => receiver.events()).toEqual(['source-lost', 'source-back']);
  expect(receiver.heard[0]?.data).toMatchObject({ camera: 'primary', reason: 'unplugged' });
  await expect
    .poll(async () => (await ask('GET', '/api/state/webhookStatus')).body)
    .toMatchObject({ value: { door: { queued: 0, dropped: 0, lastSuccess: expect.any(Number) as number } } });
  expect((await server.app.inject({ url: '/metrics' })).body).toContain(
    'obscura_hook_deliveries_total{event="source-lost",result="delivered"} 1',
  );
});

it('tells of settings that failed together at once, and of the same failure once', async () => {
  await set([hook()]);
  const { statuses } = server.services.store;
  const keys = ['rtspPort', 'rtspEnabled'] as const;
  statuses.own(keys);
  for (let round = 0; round < 3; round += 1)
    statuses.report(keys, { status: 'failed', revision: 1, reason: 'Port 80 cannot be used' });
  cameraIs('no signal');
  await expect.poll(() => receiver.events()).toContain('source-lost');
  await expect.poll(() => receiver.events()).toContain('apply-failed');
  expect(receiver.heard.filter(({ event }) => event === 'apply-failed').map(({ data }) => data)).toEqual([
    { keys: [...keys], reason: 'Port 80 cannot be used' },
  ]);
  statuses.disown(keys);
  cameraIs('live');
  await expect.poll(() => receiver.events()).toContain('source-back');
});

it('tells who comes and who goes', async () => {
  await set([hook({ events: ['client-connected', 'client-disconnected'] })]);
  const beats$ = new Subject<never>();
  let viewers: Viewer[] = [];
  const media = { beats$, viewers: () => viewers } as unknown as Pick<Media, 'viewers' | 'beats$'>;
  const hooks = runWebhooks({ store: server.services.store, media, log: server.services.log });
  const ann = {
    id: 'rtsp-1',
    protocol: 'rtsp',
    stream: 'stream1',
    user: 'ann',
    address: '192.0.2.5',
  } as const;
  for (const present of [[{ ...ann, since: 0, bytes: 0 }], [{ ...ann, since: 0, bytes: 7000 }], []]) {
    viewers = present;
    beats$.next(undefined as never);
  }
  await expect.poll(() => receiver.events()).toEqual(['client-connected', 'client-disconnected']);
  expect(receiver.heard[0]?.data).toMatchObject({ protocol: 'rtsp', stream: 'stream1', user: 'ann' });
  expect(receiver.heard[1]?.data).toMatchObject({ bytes: 7000 });
  hooks.close();
});

it('is silent where it is switched off, and for events that were not asked for', async () => {
  const other = hook({ name: 'other', events: ['source-back'] });
  await set([hook({ enabled: false }), other]);
  cameraIs('no signal');
  cameraIs('live');
  // The second hook is told of the second event: by then the first would have come.
  await expect.poll(() => receiver.events()).toEqual(['source-back']);
});

describe('the secret', () => {
  it('is shown to nobody, and stays when the list is sent back as it was read', async () => {
    await set([hook()]);
    const shown = (await ask('GET', '/api/state/webhooks')).body;
    expect(shown).toMatchObject({ value: [{ name: 'door', secretSet: true }] });
    await set((shown as { value: unknown }).value);
    await ask('POST', '/api/webhooks/door/test');
    expect(receiver.heard[0]?.headers['x-obscura-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    for (const url of ['/api/state', '/api/audit', '/api/state/webhooks', '/api/openapi.json'])
      expect(
        (await server.app.inject({ url, headers: bearer(server.tokens.administrator) })).body,
      ).not.toContain(secret);
    expect(server.logged()).not.toContain(secret);
  });
});

it('is tested at once, also while it is switched off, and says what is the matter', async () => {
  await set([hook({ enabled: false })]);
  expect(await ask('POST', '/api/webhooks/door/test')).toEqual({ status: 200, body: { delivered: true } });
  expect(receiver.events()).toEqual(['test']);
  receiver.answers.push(500);
  expect((await ask('POST', '/api/webhooks/door/test')).body).toEqual({
    ...{ delivered: false, reason: 'It answers 500' },
  });
  expect((await ask('POST', '/api/webhooks/nobody/test')).status).toBe(404);
  expect((await ask('POST', '/api/webhooks/door/test', undefined, 'operator')).status).toBe(403);
});

it.each([
  [{ url: 'ftp://192.0.2.1/' }, 'http:// or https://'],
  [{ url: 'http://:99999' }, 'is not an address'],
  [{ url: 'https://ann:word@192.0.2.1/' }, 'must not hold an account'],
  [{ url: 'http://192.0.2.1:6667/' }, 'must not have the port 6667: it belongs to another protocol'],
  [{ url: 'https://192.0.2.1:22/' }, 'must not have the port 22'],
  [{ events: ['sunrise'] }, 'events'],
  [{ secret: 'short' }, 'secret'],
])('refuses %j by key and reason', async (more, words) => {
  const { status, body } = await set([hook(more)]);
  expect(status).toBe(422);
  expect(body).toMatchObject({
    error: { key: 'webhooks', message: expect.stringContaining(words) as string },
  });
});

it('is set in the forms of the reference product as well', async () => {
  await set([hook()]);
  const wish = { webhook_url: `${receiver.url}?from=there`, events: ['source-lost'] };
  expect((await ask('PUT', '/api/monitoring/alerts/webhooks', wish)).status).toBe(200);
  const list = { webhooks: [{ name: 'nvr', url: receiver.url }] };
  expect((await ask('PUT', '/api/integrations/webhooks', list)).status).toBe(200);
  expect(server.services.store.get('webhooks')).toMatchObject([
    { name: 'door', secret },
    { name: 'webhook', events: ['source-lost'], enabled: true },
    { name: 'nvr', url: receiver.url },
  ]);
  expect((await ask('PUT', '/api/integrations/webhooks', {})).status).toBe(400);
  expect((await ask('PUT', '/api/integrations/webhooks', list, 'operator')).status).toBe(403);
});
