import { Registry } from 'prom-client';
import { Subject } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { Growth } from '../../../../src/media/growth.js';
import { Meters } from '../../../../src/api/http/metrics/meters.js';
import { measureViewers } from '../../../../src/api/http/metrics/viewers.js';
import type { Media, Services, Viewer } from '../../../../src/api/services.js';
import type { ReceiverReport } from '../../../../src/media/messages.js';

const viewer = (id: string, more: Partial<Viewer> = {}): Viewer => ({
  ...{ id, protocol: 'rtsp', stream: 'stream1', user: 'ann', address: '192.0.2.1', since: 0, bytes: 0 },
  ...more,
});
const report = (lossPercent: number, lost: number, rttMs: number): ReceiverReport => ({
  ...{ lossPercent, lost, rttMs, jitterMs: 5 },
});

let registry: Registry;
let beats$: Subject<never>;
let viewers: Viewer[];
beforeEach(() => {
  registry = new Registry();
  beats$ = new Subject();
  viewers = [];
  const media = { beats$, viewers: () => viewers } as unknown as Media;
  measureViewers(new Meters(registry), { media } as unknown as Services);
});

async function lines(): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
function beat(...present: Viewer[]): void {
  viewers = present;
  beats$.next(undefined as never);
}

it('counts who watches by protocol and stream, and forgets who has gone', async () => {
  beat(viewer('a'), viewer('b'), viewer('c', { protocol: 'webrtc', stream: 'stream2' }));
  expect(await lines()).toContain('obscura_clients{protocol="rtsp",stream="stream1"} 2');
  beat();
  expect((await lines()).filter((line) => line.startsWith('obscura_clients'))).toEqual([]);
});

it('counts bytes over viewers that come and go, and never backwards', async () => {
  beat(viewer('a', { bytes: 100 }), viewer('b', { bytes: 50 }));
  beat(viewer('a', { bytes: 300 }));
  beat();
  // The same number, of another process.
  beat(viewer('a', { bytes: 10 }));
  expect(await lines()).toContain('obscura_sent_bytes_total{stream="stream1",protocol="rtsp"} 360');
});

it('tells of loss, round trip and jitter the worst and the median, in base units', async () => {
  beat(
    viewer('a', { report: report(0, 4, 10) }),
    viewer('b', { report: report(2, 0, 30) }),
    viewer('c', { report: report(50, 9, 200) }),
    viewer('d'),
  );
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'obscura_rtp_loss_ratio{stream="stream1",of="worst"} 0.5',
      'obscura_rtp_loss_ratio{stream="stream1",of="median"} 0.02',
      'obscura_rtp_round_trip_seconds{stream="stream1",of="worst"} 0.2',
      'obscura_rtp_jitter_seconds{stream="stream1",of="median"} 0.005',
      'obscura_rtp_packets_lost_total{stream="stream1"} 13',
    ]),
  );
  // Packets that came late after all take nothing back.
  beat(viewer('a', { report: report(0, 2, 10) }));
  beat(viewer('a', { report: report(0, 5, 10) }));
  expect(await lines()).toContain('obscura_rtp_packets_lost_total{stream="stream1"} 14');
});

describe('growth', () => {
  it('goes on from nothing where the count begins anew', () => {
    const growth = new Growth({ startsAnew: true });
    const take = (count: number): number | undefined => growth.take(new Map([['a', count]])).get('a');
    expect([take(7), take(9), take(2), take(3)]).toEqual([7, 2, 2, 1]);
  });
});
