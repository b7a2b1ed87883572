// Many ways as one, for whoever wants a single figure: the law of the reference product, and the network statistics.
import type { AdaptiveSettings, ViewerDecision } from './decisions.js';

/** Of the viewers so many are at least as well off as what is told, where not the worst counts. */
const shares = { worst: 1, percentile: 0.8, majority: 0.5 } as const;

export interface AggregatedNetwork {
  /** Null where nobody knows. */
  readonly availableBandwidth: number | null;
  readonly packetLoss: number;
  readonly rtt: number;
  readonly jitter: number;
}

export function aggregateNetwork(
  viewers: readonly ViewerDecision[],
  policy: AdaptiveSettings['policy'],
): AggregatedNetwork {
  const known = viewers.filter(({ state }) => state !== 'silent');
  const share = shares[policy];
  const bandwidths = known.flatMap(({ availableBps }) => (availableBps === null ? [] : [-availableBps]));
  const least = ranked(bandwidths, share);
  return {
    availableBandwidth: least === undefined ? null : -least,
    packetLoss:
      ranked(
        known.map(({ loss }) => loss),
        share,
      ) ?? 0,
    rtt:
      ranked(
        known.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs])),
        share,
      ) ?? 0,
    jitter:
      ranked(
        known.flatMap(({ jitterMs }) => (jitterMs === null ? [] : [jitterMs])),
        share,
      ) ?? 0,
  };
}

/** Not exceeded by this share of the values (nearest rank). */
function ranked(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
