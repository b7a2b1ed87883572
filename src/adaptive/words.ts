// How figures are told to people.

export function inMegabits(bps: number): string {
  return `${(bps / 1e6).toFixed(bps < 1e6 ? 2 : 1)} Mbit/s`;
}

export function inPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

export function inMilliseconds(ms: number): string {
  return `${Math.round(ms).toString()} ms`;
}
