// Puts one series' decoded samples into the order that every receiver requires: by time, one sample per timestamp. Most series are already in
// order, and cost one pass over their times.

import type { SampleColumns } from '../../wire/sample-columns.ts';
import { STALE_HIGH, STALE_LOW } from '../../wire/stale-marker.ts';
import { hasResetHint, isSameHistogram } from './histogram-contents.ts';

export interface MergeCounts {
  /** Samples that lost to a different sample of the same timestamp. */
  conflicts: number;
  /** Samples that occurred a second time, bit for bit. */
  repeats: number;
}

/** How to count a repeated sample, the same bits at the same timestamp: as a mere repeat, or as a collision. */
export type RepeatMeaning = 'repeat' | 'conflict';

/**
 * Sorts floats and histograms by time and keeps one of each timestamp: of two different floats the first that is not a stale marker, of two
 * histograms the first, of a float and a histogram the float. Works in place.
 */
export function mergeByTime(columns: SampleColumns, repeatMeaning: RepeatMeaning): MergeCounts {
  const counts: MergeCounts = { conflicts: 0, repeats: 0 };
  if (!columns.takeAscending() && !strictlyAscending(columns.floatTimesMs, columns.floats))
    mergeFloats(columns, counts);
  const histograms = columns.histogramCount;
  if (histograms > 0) {
    // The kernel packs only histograms that ascend.
    const ascend = columns.packedHistograms > 0 || strictlyAscending(columns.timesOfHistograms, histograms);
    if (!ascend) mergeHistograms(columns, counts);
    if (columns.floats > 0) dropHistogramsAtFloats(columns, counts);
  }
  if (repeatMeaning === 'conflict') {
    counts.conflicts += counts.repeats;
    counts.repeats = 0;
  }
  return counts;
}

function strictlyAscending(timesMs: ArrayLike<number>, length: number): boolean {
  let previous = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    const timeMs = timesMs[i] as number;
    if (timeMs <= previous) return false;
    previous = timeMs;
  }
  return true;
}

function mergeFloats(columns: SampleColumns, counts: MergeCounts): void {
  const { floats } = columns;
  const times = columns.floatTimesMs.slice(0, floats);
  const bits = columns.floatBits.slice(0, floats * 2);
  const order = new Uint32Array(floats).map((_, i) => i);
  order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  let kept = -1;
  for (const from of order) {
    const timeMs = times[from] as number;
    const low = bits[from * 2] as number;
    const high = bits[from * 2 + 1] as number;
    if (kept >= 0 && columns.floatTimesMs[kept] === timeMs) {
      const keptLow = columns.floatBits[kept * 2];
      const keptHigh = columns.floatBits[kept * 2 + 1];
      if (keptLow === low && keptHigh === high) {
        counts.repeats++;
        continue;
      }
      counts.conflicts++;
      if (!(keptLow === STALE_LOW && keptHigh === STALE_HIGH)) continue;
    } else {
      kept++;
    }
    columns.floatTimesMs[kept] = timeMs;
    columns.floatBits[kept * 2] = low;
    columns.floatBits[kept * 2 + 1] = high;
  }
  columns.floats = kept + 1;
}

function mergeHistograms(columns: SampleColumns, counts: MergeCounts): void {
  const order = columns.histogramTimesMs.map((_, i) => i);
  order.sort((a, b) => (columns.histogramTimesMs[a] as number) - (columns.histogramTimesMs[b] as number) || a - b);
  const times: number[] = [];
  const messages: Uint8Array[] = [];
  for (const from of order) {
    const timeMs = columns.histogramTimesMs[from] as number;
    const message = columns.histograms[from] as Uint8Array;
    const kept = times.at(-1) === timeMs ? messages.at(-1) : undefined;
    if (kept === undefined) {
      times.push(timeMs);
      messages.push(message);
    } else if (Buffer.compare(kept, message) === 0) {
      counts.repeats++;
    } else if (isSameHistogram(kept, message)) {
      counts.repeats++;
      // The receiver finds out itself whether the counter was reset.
      if (!hasResetHint(message)) messages[messages.length - 1] = message;
    } else {
      counts.conflicts++;
    }
  }
  columns.histogramTimesMs = times;
  columns.histograms = messages;
}

function dropHistogramsAtFloats(columns: SampleColumns, counts: MergeCounts): void {
  let float = 0;
  let kept = 0;
  for (let i = 0; i < columns.histograms.length; i++) {
    const timeMs = columns.histogramTimesMs[i] as number;
    while (float < columns.floats && (columns.floatTimesMs[float] as number) < timeMs) float++;
    if (float < columns.floats && columns.floatTimesMs[float] === timeMs) {
      counts.conflicts++;
      continue;
    }
    columns.histogramTimesMs[kept] = timeMs;
    columns.histograms[kept] = columns.histograms[i] as Uint8Array;
    kept++;
  }
  columns.histogramTimesMs.length = kept;
  columns.histograms.length = kept;
}

/**
 * Removes the samples whose timestamps are in `present` (ascending), because the destination already has them.
 * @returns how many were removed
 */
export function removePresent(columns: SampleColumns, present: Float64Array): number {
  const histograms = columns.histogramCount;
  const before = columns.floats + histograms;
  let at = 0;
  let kept = 0;
  for (let i = 0; i < columns.floats; i++) {
    const timeMs = columns.floatTimesMs[i] as number;
    while (at < present.length && (present[at] as number) < timeMs) at++;
    if (present[at] === timeMs) continue;
    columns.floatTimesMs[kept] = timeMs;
    columns.floatBits[kept * 2] = columns.floatBits[i * 2] as number;
    columns.floatBits[kept * 2 + 1] = columns.floatBits[i * 2 + 1] as number;
    kept++;
  }
  columns.floats = kept;
  if (histograms === 0) return before - columns.floats;
  const times = new Set(present);
  const missing = columns.histogramTimesMs.map((timeMs) => !times.has(timeMs));
  columns.histograms = columns.histograms.filter((_, i) => missing[i]);
  columns.histogramTimesMs = columns.histogramTimesMs.filter((_, i) => missing[i]);
  return before - columns.floats - columns.histograms.length;
}
