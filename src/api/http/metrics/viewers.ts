// Who watches and how it reaches them: by stream and protocol, never by person or address.
import type { Subscription } from 'rxjs';
import type { Services, Viewer } from '../../services.js';
import { Growth } from '../../../media/growth.js';
import type { Meters, Sample } from './meters.js';

export function measureViewers(meters: Meters, { media }: Services): Subscription | undefined {
  const viewers = (): readonly Viewer[] => media?.viewers() ?? [];

  meters.gauges('obscura_clients', 'Who watches now.', ['protocol', 'stream'], () => {
    const counts = new Map<string, Sample>();
    for (const { protocol, stream } of viewers()) {
      const id = `${protocol} ${stream}`;
      counts.set(id, [{ protocol, stream }, (counts.get(id)?.[1] ?? 0) + 1]);
    }
    return counts.values();
  });
  const spread = (name: string, help: string, read: (report: Report) => number): void => {
    meters.gauges(name, help, ['stream', 'of'], () => spreadOf(viewers(), read));
  };
  spread(
    'obscura_rtp_loss_ratio',
    'Of the packets that were sent lately, as viewers report.',
    ({ lossPercent }) => lossPercent / 100,
  );
  spread('obscura_rtp_round_trip_seconds', 'To the viewers and back.', ({ rttMs }) => rttMs / 1000);
  spread(
    'obscura_rtp_jitter_seconds',
    'Of the packets as they reach the viewers.',
    ({ jitterMs }) => jitterMs / 1000,
  );
  const sent = meters.counter('obscura_sent_bytes_total', 'What viewers were sent.', ['stream', 'protocol']);
  const lost = meters.counter('obscura_rtp_packets_lost_total', 'Packets that viewers report as lost.', [
    'stream',
  ]);
  if (media === undefined) return undefined;

  const bytes = new Growth({ startsAnew: false });
  const packets = new Growth({ startsAnew: false });
  return media.beats$.subscribe(() => {
    const all = new Map(viewers().map((viewer) => [viewer.id, viewer]));
    for (const [id, grown] of bytes.take(new Map([...all].map(([key, viewer]) => [key, viewer.bytes])))) {
      const { stream = 'other', protocol = 'rtsp' } = all.get(id) ?? {};
      sent.inc({ stream, protocol }, grown);
    }
    const reported = [...all].flatMap(([id, { report }]): [string, number][] =>
      report === undefined ? [] : [[id, report.lost]],
    );
    for (const [id, grown] of packets.take(new Map(reported)))
      lost.inc({ stream: all.get(id)?.stream ?? 'other' }, grown);
  });
}

type Report = NonNullable<Viewer['report']>;

function* spreadOf(viewers: readonly Viewer[], read: (report: Report) => number): Iterable<Sample> {
  const byStream = new Map<string, number[]>();
  for (const { stream, report } of viewers)
    if (report !== undefined) byStream.set(stream, [...(byStream.get(stream) ?? []), read(report)]);
  for (const [stream, reports] of byStream) {
    const values = reports.toSorted((a, b) => a - b);
    yield [{ stream, of: 'worst' }, values.at(-1) ?? 0];
    yield [{ stream, of: 'median' }, values[Math.floor((values.length - 1) / 2)] ?? 0];
  }
}
