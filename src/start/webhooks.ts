// Ties the webhooks of the settings to what happens: a queue per hook that is enabled, and a word on how each fares.
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { Subject, Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { HookDelivery, Media, Webhooks } from '../api/services.js';
import { ObscuraError } from '../errors.js';
import { composeMessage, headersOf } from '../hooks/message.js';
import { post as postByHttp, type Poster } from '../hooks/post.js';
import { HookQueue, type HookClock } from '../hooks/queue.js';
import { happenings } from './happenings.js';

export interface WebhookParts {
  readonly store: AppStore;
  readonly media: Pick<Media, 'viewers' | 'beats$'> | undefined;
  readonly log: Pick<Logger, 'warn'>;
  readonly post?: Poster;
  readonly clock?: HookClock;
}

const realClock: HookClock = {
  now: () => Date.now(),
  wait: (ms, signal) => wait(ms, undefined, { signal, ref: false }),
};

export function runWebhooks({
  store,
  media,
  log,
  post = postByHttp,
  clock = realClock,
}: WebhookParts): Webhooks & { close(): void } {
  const queues = new Map<string, HookQueue>();
  const deliveries = new Subject<HookDelivery>();
  const subscriptions = new Subscription();
  const closed = new AbortController();

  let isStatusDue = false;
  const showStatus = (): void => {
    if (isStatusDue) return;
    isStatusDue = true;
    // What changes together is told together, and never inside of a commit.
    setImmediate(() => {
      isStatusDue = false;
      if (closed.signal.aborted) return;
      const webhookStatus = Object.fromEntries([...queues].map(([name, { status }]) => [name, status]));
      if (!isDeepStrictEqual(webhookStatus, store.get('webhookStatus'))) store.write({ webhookStatus });
    });
  };

  const open = (name: string, receiver: { readonly url: string; readonly secret?: string }): HookQueue =>
    new HookQueue({
      ...{ receiver, post, clock, onStatus: showStatus },
      onResult: (event, result) => {
        deliveries.next({ event, result });
        if (result !== 'delivered') log.warn(`The webhook ${name} was not told of ${event}`);
      },
    });

  subscriptions.add(
    store.observe('webhooks').subscribe((hooks) => {
      const enabled = hooks.filter(({ enabled: isOn }) => isOn);
      for (const [name, queue] of queues)
        if (!enabled.some((hook) => hook.name === name)) {
          queue.close();
          queues.delete(name);
        }
      for (const hook of enabled) {
        const queue = queues.get(hook.name);
        if (queue === undefined) queues.set(hook.name, open(hook.name, hook));
        else queue.redirect(hook);
      }
      showStatus();
    }),
  );
  subscriptions.add(
    happenings(store, media).subscribe((happening) => {
      for (const { name, events } of store.get('webhooks'))
        if (events.includes(happening.event))
          queues.get(name)?.add(composeMessage(happening, store.get('hostname'), clock.now()));
    }),
  );

  return {
    deliveries$: deliveries.asObservable(),
    test: async (name) => {
      const hook = store.get('webhooks').find((each) => each.name === name);
      if (hook === undefined) throw new ObscuraError('unknown', `There is no webhook ${name}`);
      const message = composeMessage({ event: 'test', data: {} }, store.get('hostname'), clock.now());
      return await post({
        ...{ url: hook.url, body: message.body, signal: closed.signal },
        headers: headersOf(message, hook.secret, clock.now()),
      });
    },
    close: () => {
      closed.abort();
      subscriptions.unsubscribe();
      for (const queue of queues.values()) queue.close();
      deliveries.complete();
    },
  };
}
