// What happens that somebody outside may want to be told: made of what the store and the media process say anyway.
import { distinctUntilChanged, map, merge, Observable, skip, type Subscriber } from 'rxjs';
import type { AppStore } from '../access/accounts.js';
import type { Media, Viewer } from '../api/services.js';
import type { HookEvent } from '../observables/webhooks.js';

export interface NamedHappening {
  readonly event: HookEvent;
  readonly data: Readonly<Record<string, unknown>>;
}

type Watched = Pick<Media, 'viewers' | 'beats$'>;

export function happenings(store: AppStore, media: Watched | undefined): Observable<NamedHappening> {
  return merge(
    ...(media === undefined ? [] : [comingAndGoing(media)]),
    camera(store, 'primary'),
    camera(store, 'secondary'),
    recording(store),
    health(store),
    failures(store),
  );
}

function comingAndGoing({ viewers, beats$ }: Watched): Observable<NamedHappening> {
  return new Observable((subscriber) => {
    let before = new Map<string, Viewer>();
    return beats$.subscribe(() => {
      const now = new Map(viewers().map((viewer) => [viewer.id, viewer]));
      for (const [id, viewer] of now)
        if (!before.has(id)) subscriber.next({ event: 'client-connected', data: facts(viewer) });
      for (const [id, viewer] of before)
        if (!now.has(id))
          subscriber.next({
            event: 'client-disconnected',
            data: {
              ...facts(viewer),
              bytes: viewer.bytes,
              seconds: Math.round((Date.now() - viewer.since) / 1000),
            },
          });
      before = now;
    });
  });
}

function facts({ id, protocol, stream, user, address, since }: Viewer): Record<string, unknown> {
  return { client: id, protocol, stream, user, address, since: new Date(since).toISOString() };
}

/** Lost while somebody looks; back with the next picture, however many tries lie between. */
function camera(store: AppStore, name: 'primary' | 'secondary'): Observable<NamedHappening> {
  return new Observable((subscriber) => {
    let lostAt: number | undefined;
    return store.observe('cameraStatus').subscribe((cameras) => {
      const { state, reason, problem } = cameras[name];
      if (state === 'no signal' && lostAt === undefined) {
        lostAt = Date.now();
        subscriber.next({ event: 'source-lost', data: { camera: name, reason, problem } });
      } else if (state === 'live' && lostAt !== undefined) {
        const seconds = Math.round((Date.now() - lostAt) / 1000);
        lostAt = undefined;
        subscriber.next({ event: 'source-back', data: { camera: name, seconds } });
      }
    });
  });
}

function recording(store: AppStore): Observable<NamedHappening> {
  return store.observe('recordingState').pipe(
    map((state) => state !== 'stopped'),
    distinctUntilChanged(),
    skip(1),
    map((isRecording) => ({
      event: isRecording ? 'recording-started' : 'recording-stopped',
      data: { file: store.get('currentRecordingFile') },
    })),
  );
}

function health(store: AppStore): Observable<NamedHappening> {
  return store.observe('streamHealth').pipe(
    distinctUntilChanged((before, now) => before.healthy === now.healthy),
    skip(1),
    map(({ healthy, reasons }) => ({
      event: healthy ? 'stream-healthy' : 'stream-unhealthy',
      data: healthy ? {} : { reasons },
    })),
  );
}

/** One for all keys that failed together; what fails again and again for the same reason is told once. */
function failures(store: AppStore): Observable<NamedHappening> {
  return new Observable((subscriber: Subscriber<NamedHappening>) => {
    const known = new Map<string, string>();
    const fresh = new Map<string, string[]>();
    const tell = (): void => {
      for (const [reason, keys] of fresh) subscriber.next({ event: 'apply-failed', data: { keys, reason } });
      fresh.clear();
    };
    return store.statuses.changes$.subscribe(({ key, status, reason = '' }) => {
      if (status === 'applied') known.delete(key);
      if (status !== 'failed' || known.get(key) === reason) return;
      known.set(key, reason);
      if (fresh.size === 0) setImmediate(tell);
      fresh.set(reason, [...(fresh.get(reason) ?? []), key]);
    });
  });
}
