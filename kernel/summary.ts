// What is known about the samples that one call decodes, without looking at them again.

import { histogramKinds, histogramsHeld } from './histograms';
import { RESULT } from './layout';

let ascending: bool = true;
let started: bool = false;
let afterMs: f64 = 0;

/** @param lastMs the time before the first sample to come */
export function restartSummary(lastMs: f64): void {
  ascending = true;
  started = false;
  afterMs = lastMs;
}

/** The first time of a chunk: the chunks have to follow one another. */
export function foundTime(timeMs: f64): void {
  if (timeMs <= afterMs) ascending = false;
}

/** The last time of a chunk that has kept samples. */
export function setAfter(timeMs: f64): void {
  afterMs = timeMs;
}

export function foundUnordered(): void {
  ascending = false;
}

export function foundStart(): void {
  started = true;
}

/**
 * RESULT[0]: whether all times of floats ascend, [1]: whether a sample has a start timestamp, [2]: how many histograms the columns hold,
 * [3]: the kinds of those that were added.
 */
export function storeSummary(): void {
  store<u32>(RESULT, ascending ? 1 : 0);
  store<u32>(RESULT, started ? 1 : 0, 4);
  store<u32>(RESULT, histogramsHeld(), 8);
  store<u32>(RESULT, histogramKinds(), 12);
}
