// How many stretches a length divides a time range into, and how many are possible.

/** Stretches end where a Prometheus begins a new block, so that no chunk is read for two of them. */
export const STRETCH_UNIT_MS = 2 * 3_600_000;
export const MAX_STRETCHES = 4096;

interface Range {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
}

export function stretchCount({ startMs, endMs }: Range, lengthMs: number): number {
  return Math.ceil(endMs / lengthMs) - Math.floor(startMs / lengthMs);
}

/** The shortest possible length for a range: `12h`. */
export function shortestStretchText({ startMs, endMs }: Range): string {
  // One less, because the first stretch and the last one may be shorter.
  const units = Math.ceil((endMs - startMs) / (MAX_STRETCHES - 1) / STRETCH_UNIT_MS);
  return `${(Math.max(1, units) * STRETCH_UNIT_MS) / 3_600_000}h`;
}
