// Where the latest mark is looked for: backwards in stretches that double, so that years of marks are never read whole. Pure but for the
// look itself, which the caller passes in.

import type { Mark } from './progress-mark.ts';

const FIRST_STRETCH_MS = 3_600_000;

/**
 * The latest mark in [fromMs, toMs), or undefined when there is none.
 * @param latest looks for the latest mark in a stretch, half open like the range
 */
export async function findLatestMark(
  latest: (fromMs: number, toMs: number) => Promise<Mark | undefined>,
  fromMs: number,
  toMs: number,
): Promise<Mark | undefined> {
  let endMs = toMs;
  for (let stretchMs = FIRST_STRETCH_MS; endMs > fromMs; stretchMs *= 2) {
    const startMs = Math.max(fromMs, endMs - stretchMs);
    const mark = await latest(startMs, endMs);
    if (mark !== undefined) return mark;
    endMs = startMs;
  }
  return undefined;
}
