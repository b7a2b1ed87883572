// Many ways as one, for whoever wants a single figure: the law of the reference product, and the network statistics.
import type { AdaptiveSettings, ViewerDecision } from './decisions.js';

/** So many of the others are better off than the viewer who is told of. A single one of several says nothing by itself. */
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
  const heard = viewers.filter(({ state }) => state !== 'silent');
  const voters = heard.filter(({ votes }) => votes);
  const known = voters.length === 0 ? heard : voters;
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

/** Above this share of the others. */
function ranked(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}
