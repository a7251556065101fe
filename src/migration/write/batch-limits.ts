// Size limits of requests. Batches are cut at these limits. A destination that accepts less lowers them for the rest of the run.

import type { MigrationPlan } from '../plan/migration-plan.ts';

const MAX_BYTES = 1024 * 1024;
const MIN_BYTES = 1024;
/** The minimum batch size for a destination that refuses a request by its size. A single series may still have to be divided. */
const MIN_BYTES_BY_SIZE = 16 * 1024;

export class BatchLimits {
  #maxBytes: number;
  #maxSamples: number;

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
    return this.#maxSamples;
  }

  /** The destination found a request too large. */
  lowerBySize(request: { readonly bytes: number; readonly samples: number }): void {
    this.#maxBytes = Math.min(this.#maxBytes, Math.max(MIN_BYTES_BY_SIZE, request.bytes >> 1));
    this.lowerSamples(request.samples);
  }

  /** The destination never accepts this many samples at once, however long the wait. */
  lowerSamples(samples: number): void {
    this.#maxSamples = Math.min(this.#maxSamples, Math.max(1, samples >> 1));
  }
}
