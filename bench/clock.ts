/** Milliseconds that mean the same in every process of the machine. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
