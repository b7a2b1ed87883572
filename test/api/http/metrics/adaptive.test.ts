import { Registry } from 'prom-client';
import { BehaviorSubject } from 'rxjs';
import { expect, it } from 'vitest';
import { measureAdaptive } from '../../../../src/api/http/metrics/adaptive.js';
import { Meters } from '../../../../src/api/http/metrics/meters.js';
import type { Services } from '../../../../src/api/services.js';
import type { ValueOf } from '../../../../src/observables/define.js';
import type { AppRegistry } from '../../../../src/observables/registry.js';

type State = ValueOf<AppRegistry['adaptiveState']>;
const stateOf = (streams: State['streams']): State => ({ active: true, streams, viewers: {} });

it('counts each move of a target by its direction and cause, and nothing else', async () => {
  const registry = new Registry();
  const states = new BehaviorSubject(stateOf({}));
  const values: Readonly<Record<string, unknown>> = {
    streamBitrateEffective: 8_000_000,
    stream2: { enabled: true, bitrate: 2_000_000 },
  };
  const store = {
    get: (key: string) => (key === 'adaptiveState' ? states.value : values[key]),
    observe: () => states,
  };
  measureAdaptive(new Meters(registry), { store } as unknown as Services);
  // The words say something else on purpose: only the code counts.
  const tell = (target: number, cause?: State['streams'][string]['cause']): void => {
    states.next(
      stateOf({ stream1: { target, reason: 'loss of a queue', ...(cause === undefined ? {} : { cause }) } }),
    );
  };
  tell(8_000_000, 'wish');
  tell(2_000_000, 'queue');
  tell(2_000_000, 'queue');
  tell(3_000_000, 'growth');
  tell(1_000_000);
  const lines = (await registry.metrics()).split('\n');
  const told = lines.filter((line) => line.startsWith('obscura_abr_decisions_total')).sort();
  expect(told).toEqual([
    'obscura_abr_decisions_total{direction="down",reason="queue"} 1',
    'obscura_abr_decisions_total{direction="down",reason="unknown"} 1',
    'obscura_abr_decisions_total{direction="up",reason="growth"} 1',
  ]);
  expect(lines).toContain('obscura_encoder_target_bytes_per_second{stream="stream1"} 125000');
  expect(lines).toContain('obscura_encoder_target_bytes_per_second{stream="stream2"} 250000');
});
