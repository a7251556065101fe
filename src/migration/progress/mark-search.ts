// Searches for the latest mark in stretches that all reach to the end of the range and double backwards, so that years of marks are never
// read in full. They overlap on purpose: Thanos Query does not query a Receive for a range that lies entirely before the in-order head, so a mark
// older than other data shows only in a range that reaches into that data.

import { isTooLarge, readBackTooLarge } from './present-times.ts';
import { LatestMarks, type Mark } from './progress-mark.ts';
import type { ProgressSample } from './read-range.ts';

const FIRST_STRETCH_MS = 3_600_000;

/** The latest mark of a stretch; undefined if it has none, `too-many` if its marks can't be read at once. */
export type FoundMark = Mark | undefined | 'too-many';

/**
 * The latest mark in [fromMs, toMs), of whatever shard.
 * @param read reads the progress series from `startMs` on. Throws DoesNotFit, or RemoteError `too-large`, when there are too many samples
 */
export async function searchMark(
  read: (startMs: number, signal: AbortSignal) => Promise<readonly ProgressSample[]>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  signal: AbortSignal,
): Promise<Mark | undefined> {
  const look = async (startMs: number, ended: AbortSignal): Promise<FoundMark> => {
    const latest = new LatestMarks();
    try {
      for (const { labels, timeMs, value } of await read(startMs, ended)) {
        if (timeMs >= startMs && timeMs < toMs) latest.add(labels, timeMs, value);
      }
    } catch (error) {
      if (isTooLarge(error)) return 'too-many';
      throw error;
    }
    return latest.latest;
  };
  const found = await findMarkEitherWay(look, { fromMs, toMs }, signal);
  if (found === 'too-many') throw readBackTooLarge(new Error('the progress marks of one millisecond do not fit'));
  return found;
}

/**
 * Looks in the whole range and, at the same time, in stretches from its end: most destinations have few marks or none, and show that at once;
 * others refuse long queries, or take too long for them. What is known first counts.
 * @param look looks for the latest mark in [startMs, toMs)
 * @returns as `findLatestMark`. @throws what `look` throws for the stretches, if the look in the whole range fails too
 */
async function findMarkEitherWay(
  look: (startMs: number, signal: AbortSignal) => Promise<FoundMark>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  signal: AbortSignal,
): Promise<FoundMark> {
  if (toMs - fromMs <= FIRST_STRETCH_MS) return findLatestMark((startMs) => look(startMs, signal), fromMs, toMs);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const near = findLatestMark((startMs) => look(startMs, either), fromMs, toMs);
  const whole = look(fromMs, either).then(
    (found) => (found === 'too-many' ? near : found),
    () => near,
  );
  try {
    return await Promise.any([near, whole]);
  } catch {
    return await near;
  } finally {
    over.abort(new Error('the mark was found the other way'));
  }
}

/**
 * The latest mark in [fromMs, toMs).
 * @param look looks for the latest mark in [startMs, toMs)
 * @returns `too-many` if not even the marks of one millisecond can be read
 */
export async function findLatestMark(
  look: (startMs: number) => Promise<FoundMark>,
  fromMs: number,
  toMs: number,
): Promise<FoundMark> {
  let emptyFromMs = toMs;
  for (let stretchMs = FIRST_STRETCH_MS; emptyFromMs > fromMs; stretchMs *= 2) {
    const startMs = Math.max(fromMs, toMs - stretchMs);
    const found = await look(startMs);
    if (found === 'too-many') return bisect(look, startMs, emptyFromMs);
    if (found !== undefined) return found;
    emptyFromMs = startMs;
  }
  return undefined;
}

/** There are too many marks from `crowdedFromMs` on, and none from `emptyFromMs` on. */
async function bisect(
  look: (startMs: number) => Promise<FoundMark>,
  crowdedFromMs: number,
  emptyFromMs: number,
): Promise<FoundMark> {
  let [lowMs, highMs] = [crowdedFromMs, emptyFromMs];
  while (highMs - lowMs > 1) {
    const middleMs = lowMs + Math.floor((highMs - lowMs) / 2);
    const found = await look(middleMs);
    if (found === 'too-many') lowMs = middleMs;
    else if (found === undefined) highMs = middleMs;
    else return found;
  }
  return 'too-many';
}
