// The law of the reference product, to the letter, and what it takes to run it.

/** The reference never asks for more. */
export const rotoclearMost = 12_000_000;

/** More loss than this lowers. */
export const rotoclearLossLimit = 0.05;

/** How often the law is applied. */
export const rotoclearEveryMs = 1000;

/** So little is lost on any way. */
const unnoticed = 0.01;

export interface RotoclearNetwork {
  /** 0 to 1 */
  readonly packetLoss: number;
  /** bit/s */
  readonly availableBandwidth: number;
}

/** One application: the new bitrate. It has no lower bound, and what is above the upper one it lowers. */
export function rotoclearStep(current: number, network: RotoclearNetwork): number {
  if (network.packetLoss > rotoclearLossLimit) return Math.trunc(current * 0.8);
  if (network.availableBandwidth > current * 1.5) return Math.min(Math.trunc(current * 1.2), rotoclearMost);
  return current;
}

export interface RotoclearState {
  readonly current: number;
  /** The setting as it was last seen. */
  readonly wish: number;
  readonly nextAt: number;
}

export interface RotoclearInput {
  readonly at: number;
  /** `streamBitrate`, which this mode itself writes. */
  readonly wish: number;
  readonly min: number;
  readonly max: number;
  readonly packetLoss: number;
  /** Null where nobody knows. Receiver reports say no more than that nothing is lost, and then there is room. */
  readonly availableBandwidth: number | null;
}

/**
 * The law once a second, within bounds. What it says is written to the setting that it starts from, so a setting that is
 * neither what it was nor what the law said has been changed by somebody, and counts.
 */
export function rotoclear(state: RotoclearState | undefined, input: RotoclearInput): RotoclearState {
  const { at, wish, min, packetLoss, availableBandwidth } = input;
  const most = Math.min(input.max, rotoclearMost);
  const within = (bitrate: number): number => Math.min(most, Math.max(Math.min(min, most), bitrate));
  if (state === undefined) return { current: within(wish), wish, nextAt: at + rotoclearEveryMs };
  const changed = wish !== state.wish && wish !== state.current;
  const current = changed ? within(wish) : within(state.current);
  if (at < state.nextAt) return { current, wish, nextAt: state.nextAt };
  const guess = packetLoss < unnoticed ? Number.POSITIVE_INFINITY : 0;
  const network = { packetLoss, availableBandwidth: availableBandwidth ?? guess };
  return { current: within(rotoclearStep(current, network)), wish, nextAt: at + rotoclearEveryMs };
}
