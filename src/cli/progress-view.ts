// The visible state of a running migration: its progress, with computed rates and remaining time.

import type { MigrationProgress } from '../migration/report/observer.ts';
import { completedRatio, RemainingTime } from '../telemetry/completion.ts';
import { SlidingRate } from '../telemetry/sliding-rate.ts';

const RATE_WINDOW_MS = 30_000;

export interface ProgressView {
  /** The completed part of the work, from 0 to 1. */
  readonly ratio: number;
  /** What is copied, or compared since the comparison has begun; undefined until the range is known. */
  readonly throughMs: number | undefined;
  /** Written, or compared since the comparison has begun. */
  readonly samples: number;
  readonly samplesPerSecond: number;
  readonly windowMs: number;
  readonly waitingFor: string;
  /** The rate that the destination's own limit allows; undefined if that does not hold the migration back. */
  readonly heldToPerSecond: number | undefined;
  /** Undefined while it cannot be estimated. */
  readonly etaMs: number | undefined;
  /** Undefined if the range is not divided, and while what was copied is compared. */
  readonly stretches: MigrationProgress['stretches'];
}

export class ProgressMeter {
  #samples = new SlidingRate(RATE_WINDOW_MS);
  #comparing = false;
  readonly #remaining = new RemainingTime();

  /** The view at `nowMs`, on a clock that never jumps. Call it at least once a second, because the rates are computed from these calls. */
  look(progress: Readonly<MigrationProgress>, nowMs: number): ProgressView {
    const { startMs, endMs, watermarkMs, verification } = progress;
    const ranged = endMs > startMs && progress.phase !== 'Starting';
    const samples = verification?.samplesCompared ?? progress.samplesWritten;
    if ((verification !== undefined) !== this.#comparing) {
      this.#comparing = verification !== undefined;
      this.#samples = new SlidingRate(RATE_WINDOW_MS);
    }
    this.#samples.add(nowMs, samples);
    if (ranged) this.#remaining.look(progress, nowMs);
    return {
      ratio: ranged ? completedRatio(progress) : 0,
      throughMs: ranged ? (verification?.throughMs ?? watermarkMs) : undefined,
      samples,
      samplesPerSecond: this.#samples.perSecond(),
      windowMs: progress.windowMs,
      waitingFor: progress.waitingFor,
      heldToPerSecond: progress.heldBy?.samplesPerSecond,
      etaMs: this.#remaining.remainingMs,
      stretches: verification === undefined ? progress.stretches : undefined,
    };
  }
}
