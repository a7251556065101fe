// Size limits of requests. Batches are cut at these limits. A destination that refuses a size lowers them for the rest of the run; one that accepts no
// more at once because of its rate, until it accepts more again. Pure: times are passed in.

import type { MigrationPlan } from '../plan/migration-plan.ts';

const MAX_BYTES = 1024 * 1024;
const MIN_BYTES = 1024;
/** The minimum batch size for a destination that refuses a request by its size. A single series may still have to be divided. */
const MIN_BYTES_BY_SIZE = 16 * 1024;

/** How long requests are accepted before larger ones are sent again. A larger one that is refused costs several pauses. */
const FIRST_GROWTH_MS = 60_000;
const LONGEST_GROWTH_MS = 3_600_000;
const WAIT_GROWTH = 4;
const GROWTH = 2;

export class BatchLimits {
  #maxBytes: number;
  #maxSamples: number;
  /** What a rate limit accepts at once. */
  #burstSamples = Number.POSITIVE_INFINITY;
  #changedAtMs = 0;
  #growthMs = FIRST_GROWTH_MS;
  #hasGrown = false;

  constructor({ samplesPerWrite, samplesPerSecond, bytesPerSecond }: MigrationPlan['limits']) {
    // No burst exceeds one second's worth.
    this.#maxSamples = Math.max(1, Math.min(samplesPerWrite, samplesPerSecond ?? samplesPerWrite));
    this.#maxBytes = Math.min(MAX_BYTES, Math.max(MIN_BYTES, bytesPerSecond ?? MAX_BYTES));
  }

  /** Size of the WriteRequest before compression. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  get maxSamples(): number {
    return Math.min(this.#maxSamples, this.#burstSamples);
  }

  /** The destination found a request too large. */
  lowerBySize(request: { readonly bytes: number; readonly samples: number }): void {
    this.#maxBytes = Math.min(this.#maxBytes, Math.max(MIN_BYTES_BY_SIZE, request.bytes >> 1));
    this.#maxSamples = Math.min(this.#maxSamples, half(request.samples));
  }

  /** The destination does not accept this many samples at once, however long the wait. That may be because others use its rate too. */
  lowerByRate(samples: number, nowMs: number): void {
    this.#burstSamples = Math.min(this.#burstSamples, half(samples));
    if (this.#hasGrown) this.#growthMs = Math.min(LONGEST_GROWTH_MS, WAIT_GROWTH * this.#growthMs);
    this.#hasGrown = false;
    this.#changedAtMs = nowMs;
  }

  /** The destination has accepted a request. */
  accepted(samples: number, nowMs: number): void {
    const isWhole = 2 * samples > this.#burstSamples;
    if (!isWhole || nowMs - this.#changedAtMs < this.#growthMs) return;
    this.#burstSamples *= GROWTH;
    this.#hasGrown = true;
    this.#changedAtMs = nowMs;
    if (this.#burstSamples < this.#maxSamples) return;
    this.#burstSamples = Number.POSITIVE_INFINITY;
  }
}

function half(samples: number): number {
  return Math.max(1, samples >> 1);
}
