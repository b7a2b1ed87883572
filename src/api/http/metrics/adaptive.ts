// What the encoders are told to give, and how often the adaptive loop has thought better of it.
import type { Subscription } from 'rxjs';
import type { Services } from '../../services.js';
import type { Meters, Sample } from './meters.js';

/** The loop gives its reasons in words for people; figures need a few that stay the same. */
const reasons: readonly (readonly [word: RegExp, reason: string])[] = [
  [/\bloss|\blost\b/i, 'loss'],
  [/queue|delay|drain|backlog|congest/i, 'queue'],
  [/ladder|rung|smaller|frame rate/i, 'ladder'],
  [/spare|capacity|grow|probe|available|room|free/i, 'capacity'],
  [/asked|wish|ceiling|setting|bound|limit/i, 'settings'],
];

export function measureAdaptive(meters: Meters, { store }: Services): Subscription {
  const streams = (): Record<string, number> => {
    const { enabled, bitrate } = store.get('stream2');
    const decided = Object.entries(store.get('adaptiveState').streams);
    return {
      stream1: store.get('streamBitrateEffective'),
      ...(enabled ? { stream2: bitrate } : {}),
      ...Object.fromEntries(decided.map(([stream, { target }]) => [stream, target])),
    };
  };
  meters.gauges(
    'obscura_encoder_target_bytes_per_second',
    'What the encoder of a stream is to give.',
    ['stream'],
    () => Object.entries(streams()).map(([stream, bits]): Sample => [{ stream }, bits / 8]),
  );
  const decisions = meters.counter(
    'obscura_abr_decisions_total',
    'How often the adaptive loop has moved the target of a stream.',
    ['direction', 'reason'],
  );
  const before = new Map<string, number>();
  return store.observe('adaptiveState').subscribe((state) => {
    for (const [stream, { target, reason }] of Object.entries(state.streams)) {
      const last = before.get(stream);
      before.set(stream, target);
      if (last === undefined || last === target) continue;
      decisions.inc({ direction: target > last ? 'up' : 'down', reason: reasonOf(reason) });
    }
  });
}

export function reasonOf(words: string): string {
  return reasons.find(([word]) => word.test(words))?.[1] ?? 'other';
}
