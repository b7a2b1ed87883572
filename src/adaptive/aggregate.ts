// One figure for the network of many viewers.
import type { AdaptiveSettings, ViewerDecision } from './decisions.js';

export interface NetworkFigures {
  /** bit/s; null where nothing is known of it. */
  readonly availableBps: number | null;
  readonly loss: number;
  readonly rttMs: number;
  readonly jitterMs: number;
}

const nothing: NetworkFigures = { availableBps: null, loss: 0, rttMs: 0, jitterMs: 0 };

type Figures = Pick<ViewerDecision, 'votes' | 'availableBps' | 'loss' | 'rttMs' | 'jitterMs'>;

/** Of those whom the streams follow, or of all where that is nobody: the worst, or by majority the middle one. */
export function aggregate(viewers: readonly Figures[], policy: AdaptiveSettings['policy']): NetworkFigures {
  const voters = viewers.filter(({ votes }) => votes);
  const asked = voters.length === 0 ? viewers : voters;
  if (asked.length === 0) return nothing;
  const part = policy === 'majority' ? 0.5 : 1;
  const known = (pick: (viewer: Figures) => number | null): number[] =>
    asked.map(pick).filter((value) => value !== null);
  return {
    availableBps:
      quantile(
        known(({ availableBps }) => availableBps),
        1 - part,
      ) ?? null,
    loss:
      quantile(
        known(({ loss }) => loss),
        part,
      ) ?? 0,
    rttMs:
      quantile(
        known(({ rttMs }) => rttMs),
        part,
      ) ?? 0,
    jitterMs:
      quantile(
        known(({ jitterMs }) => jitterMs),
        part,
      ) ?? 0,
  };
}

function quantile(values: readonly number[], part: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))];
}
