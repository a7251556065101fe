// How long to wait before something is tried again. Pure: chance is passed in.

export interface Backoff {
  /** After the first failure; doubles with each further one in a row. */
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The doublings after which no delay grows any more, whatever its limit: 2^30 ms are twelve days. */
const MAX_DOUBLINGS = 30;

/** Milliseconds to wait after `failures` in a row, from 1, without jitter. */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), MAX_DOUBLINGS));
}

/** Between `minMs` and `ms`, whole milliseconds: what failed together does not come back together. */
export function fullJitter(ms: number, random: () => number, minMs = 0): number {
  return minMs + Math.floor(random() * Math.max(0, ms - minMs));
}

/** Between half of `ms` and all of it. */
export function halfJitter(ms: number, random: () => number): number {
  return ms * (0.5 + random() / 2);
}
