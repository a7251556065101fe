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

export interface WorkProgress extends RangeProgress {
  /** What the whole work consists of. */
  readonly work: 'Copy' | 'CopyAndVerify' | 'Verify';
  /** Undefined: the comparison has not begun. */
  readonly verification: RangeProgress | undefined;
}

/** The completed part of the work, from 0 to 1: a copy and its verification count half each. 0 while the range is unknown. */
export function completedRatio(progress: WorkProgress): number {
  const { work, verification } = progress;
  const verified = verification === undefined ? 0 : ratioOf(verification);
  if (work === 'Verify') return verified;
  return work === 'Copy' ? ratioOf(progress) : (ratioOf(progress) + verified) / 2;
}

function ratioOf({ startMs, endMs, reachedMs }: RangeProgress): number {
  const ratio = (reachedMs - startMs) / (endMs - startMs);
  return ratio > 0 ? Math.min(ratio, 1) : 0;
}

/**
 * Estimates the time to the end of the work from the speed of the last minutes. Settling, connecting and waiting for the source's first
 * response say nothing about the speed. So it is measured from the first step on, or from just before it while that is the only step. The
 * speed of copying says nothing about the speed of comparing, which is measured again; until then both are taken to be the same.
 */
export class RemainingTime {
  #fromRest = new SlidingRate(RATE_WINDOW_MS);
  #fromFirstStep = new SlidingRate(RATE_WINDOW_MS);
  #beganMs: number | undefined;
  #comparing = false;
  #restMs = 0;

  /** Records the progress at `nowMs`. Call it regularly. */
  look(progress: WorkProgress, nowMs: number): void {
    const { work, verification } = progress;
    if ((verification !== undefined) !== this.#comparing) {
      this.#comparing = verification !== undefined;
      this.#beganMs = undefined;
      this.#fromRest = new SlidingRate(RATE_WINDOW_MS);
      this.#fromFirstStep = new SlidingRate(RATE_WINDOW_MS);
    }
    const { reachedMs, endMs } = verification ?? progress;
    const afterCopyMs = work === 'CopyAndVerify' && !this.#comparing ? progress.endMs - progress.startMs : 0;
    this.#beganMs ??= reachedMs;
    this.#restMs = Math.max(0, endMs - reachedMs) + afterCopyMs;
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
