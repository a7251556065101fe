// How much of a range is done, and how long the rest will take: the only source of every percentage and every estimate that is shown. Pure,
// apart from the points that `RemainingTime` keeps.

import { SlidingRate } from './sliding-rate.ts';

/** A long period, because windows of different density make the speed uneven. */
const RATE_WINDOW_MS = 300_000;

export interface RangeProgress {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /** The position that the work has reached in the range, including work in progress; see MigrationProgress. */
  readonly reachedMs: number;
}

/** The completed part of the range, from 0 to 1. 0 while the range is unknown. */
export function completedRatio({ startMs, endMs, reachedMs }: RangeProgress): number {
  const ratio = (reachedMs - startMs) / (endMs - startMs);
  return ratio > 0 ? Math.min(ratio, 1) : 0;
}

/**
 * Estimates the time to the end of the range from the speed of the last minutes. Settling, connecting and waiting for the source's first
 * response say nothing about the speed. So it is measured from the first step on, or from just before it while that is the only step.
 */
export class RemainingTime {
  #fromRest = new SlidingRate(RATE_WINDOW_MS);
  readonly #fromFirstStep = new SlidingRate(RATE_WINDOW_MS);
  #beganMs: number | undefined;
  #restMs = 0;

  /** Records the progress at `nowMs`. Call it regularly. */
  look({ reachedMs, endMs }: RangeProgress, nowMs: number): void {
    this.#beganMs ??= reachedMs;
    this.#restMs = Math.max(0, endMs - reachedMs);
    if (reachedMs > this.#beganMs) this.#fromFirstStep.add(nowMs, reachedMs);
    else this.#fromRest = new SlidingRate(RATE_WINDOW_MS);
    this.#fromRest.add(nowMs, reachedMs);
  }

  /** Undefined while it cannot be estimated. */
  get remainingMs(): number | undefined {
    const perSecond = this.#fromFirstStep.perSecond() || this.#fromRest.perSecond();
    return perSecond > 0 ? (this.#restMs / perSecond) * 1000 : undefined;
  }
}
