// What the encoders are told to give, and how often the adaptive loop has thought better of it.
import type { Subscription } from 'rxjs';
import type { Services } from '../../services.js';
import type { Meters, Sample } from './meters.js';

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
    for (const [stream, { target, cause = 'unknown' }] of Object.entries(state.streams)) {
      const last = before.get(stream);
      before.set(stream, target);
      if (last === undefined || last === target) continue;
      decisions.inc({ direction: target > last ? 'up' : 'down', reason: cause });
    }
  });
}
