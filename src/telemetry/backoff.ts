// The delay before an operation is tried again. Pure: randomness is passed in.

export interface Backoff {
  /** The delay after the first failure. It doubles with each further failure in a row. */
  readonly firstMs: number;
  readonly maxMs: number;
}

/** After this many doublings no delay grows any more, whatever its limit: 2^30 ms are twelve days. */
const MAX_DOUBLINGS = 30;

/** Milliseconds to wait after `failures` in a row (from 1), without jitter. */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), MAX_DOUBLINGS));
}

/** A random delay between `minMs` and `ms`, in whole milliseconds: operations that failed together do not retry together. */
export function fullJitter(ms: number, random: () => number, minMs = 0): number {
  return minMs + Math.floor(random() * Math.max(0, ms - minMs));
}

/** A random delay between half of `ms` and `ms`. */
export function halfJitter(ms: number, random: () => number): number {
  return ms * (0.5 + random() / 2);
}
