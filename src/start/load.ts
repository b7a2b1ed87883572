// Notices when the machine cannot do what is wished: less is encoded than planned, or the plan itself had to be less.
import type { Logger } from 'pino';
import { debounceTime, merge, type Observable, type Subscription } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import { cameraFramerate } from '../pipelines/machine.js';
import type { Beat } from '../media/messages.js';
import { cameraSettings } from './cameras.js';

/** Short enough to be of use, long enough to see through a moment's trouble. */
const windowMs = 3000;
const settledAfterMs = 200;
const tooFew = 0.85;
const enough = 0.95;

type Load = Pick<Beat, 'pipelines' | 'channels'>;

interface Sample {
  readonly at: number;
  readonly encoded: number;
  readonly captured: number;
}

export function watchLoad(
  store: AppStore,
  supervisor: { readonly beats$: Observable<Load> },
  log: Pick<Logger, 'info' | 'warn'>,
): Subscription {
  let samples: Sample[] = [];
  let trouble: string | undefined;

  const limitOf = (effective: number): string => {
    if (store.get('streamPassthroughStatus').stream1.active) return 'the camera sends no more';
    if (effective === store.get('adaptiveLadder').stream1.framerate)
      return 'the ways to the viewers carry no more (adaptiveLadder)';
    if (effective === cameraFramerate(cameraSettings(store))) return 'the camera is set to no more';
    return `this machine cannot encode ${store.get('streamResolution')} faster in software`;
  };
  const reduced = (): string | undefined => {
    const effective = store.get('streamFramerateEffective');
    if (effective >= store.get('streamFramerate')) return undefined;
    return `It runs at ${String(effective)}: ${limitOf(effective)}`;
  };
  const say = (): void => {
    store.statuses.remark('streamFramerate', trouble ?? reduced());
  };

  const judge = (now: Sample, first: Sample, expected: number): void => {
    const seconds = (now.at - first.at) / 1000;
    const encoded = (now.encoded - first.encoded) / seconds;
    const captured = (now.captured - first.captured) / seconds;
    const possible = Math.min(expected, captured);
    const before = trouble;
    if (captured < expected * tooFew)
      trouble = `The camera gives ${captured.toFixed(0)} of ${String(expected)} pictures a second`;
    else if (encoded < possible * tooFew)
      trouble = `This machine is overloaded: it encodes ${encoded.toFixed(0)} of ${String(expected)} pictures a second`;
    else if (encoded >= possible * enough) trouble = undefined;
    if (trouble !== undefined && before === undefined) log.warn(trouble);
    if (trouble === undefined && before !== undefined) log.info('The pictures come as they should again');
    if (trouble !== before) say();
  };

  const subscription = supervisor.beats$.subscribe(({ pipelines, channels }) => {
    const encoder = pipelines.find(({ name }) => name === 'encode/stream1');
    const capture = Object.entries(channels).find(
      ([name, { producing }]) => name.startsWith('raw/') && producing,
    );
    const stream = channels['stream1'];
    const at = Date.now();
    // A pipeline that has just begun, or is being exchanged, says nothing of the machine.
    if (
      encoder?.state !== 'running' ||
      at - encoder.since < windowMs ||
      capture === undefined ||
      stream === undefined
    ) {
      samples = [];
      return;
    }
    const now = { at, encoded: stream.frames, captured: capture[1].frames };
    samples = [...samples.filter((sample) => at - sample.at <= 2 * windowMs), now];
    const first = samples.find((sample) => at - sample.at <= windowMs + 1000);
    if (first !== undefined && at - first.at >= windowMs)
      judge(now, first, store.get('streamFramerateEffective'));
  });
  subscription.add(
    merge(
      store.observe('streamFramerateEffective'),
      store.observe('streamFramerate'),
      store.observe('streamResolution'),
    )
      // A new size comes before the rate that it leads to.
      .pipe(debounceTime(settledAfterMs))
      .subscribe(() => {
        samples = [];
        say();
      }),
  );
  return subscription;
}
