// What to do when a write request failed. Pure; delivery.ts acts on it.

import type { RemoteError } from '../../remote/meaning/remote-error.ts';

/** What is known of a request that failed, this failure included. */
export interface WriteAttempts {
  readonly samples: number;
  /** How often it was responded with a 500 that may be the server's fault. */
  readonly serverErrors: number;
  /** How often in a row it was responded with 429 while the destination took nothing else of this run. */
  readonly rateLimits: number;
  /** It has more samples than the run's batches may have by now. */
  readonly overLimit: boolean;
  /** The destination has taken other samples since this request was first sent. */
  readonly tookOthers: boolean;
  /** A refusal of a side that has responded well before: for some minutes it is taken for an outage. */
  readonly tolerated: boolean;
  /**
   * What is known of the samples beside a bad one. `lost`: they may be good and are not stored, so the bad ones have to be found. `kept`: the
   * destination has stored them. `refused`: the destination refuses everything of this window for the same reason.
   */
  readonly others: 'lost' | 'kept' | 'refused';
}

export type WriteReaction =
  /** Wait, then send again what did not arrive. */
  | 'retry'
  /** The same, unless the destination takes a single sample meanwhile: then the request is too large for its rate limit. */
  | 'test-size'
  /** The same, unless the destination takes others meanwhile: then this sample is to blame. */
  | 'test-others'
  /** Smaller requests from now on, and this one in halves. */
  | 'shrink'
  /** In halves, to find what the destination does not take. */
  | 'divide'
  /** These samples are refused. */
  | 'reject'
  | 'fail';

/** A 429 so often in a row, with nothing else to use the limit up, may be caused by the request's size. */
export const RATE_LIMITS_BEFORE_SHRINKING = 4;
/** How often the same request may be responded with a 500 before it is suspected to be the cause. */
export const SERVER_ERRORS_BEFORE_DIVIDING = 6;

export function reactToWriteFailure(
  error: Pick<RemoteError, 'class' | 'traits'>,
  attempts: WriteAttempts,
): WriteReaction {
  const { samples } = attempts;
  switch (error.class) {
    case 'transient':
      if (error.traits.smaller === 'when-repeated') return reactToRateLimit(attempts);
      if (attempts.serverErrors < SERVER_ERRORS_BEFORE_DIVIDING) return 'retry';
      if (samples > 1) return 'divide';
      // A single sample is blamed only when the destination has taken others meanwhile and refuses it again.
      return attempts.tookOthers ? 'reject' : 'test-others';
    case 'too-large':
      return samples > 1 ? 'shrink' : 'reject';
    case 'rejected':
    case 'ambiguous':
      return samples > 1 && attempts.others === 'lost' ? 'divide' : 'reject';
    case 'refused':
    case 'unsupported':
      return attempts.tolerated ? 'retry' : 'fail';
    case 'aborted':
      return 'fail';
  }
}

function reactToRateLimit({ samples, overLimit, rateLimits }: WriteAttempts): WriteReaction {
  if (samples === 1) return 'retry';
  if (overLimit) return 'shrink';
  return rateLimits >= RATE_LIMITS_BEFORE_SHRINKING ? 'test-size' : 'retry';
}

/** Counts the failures of one request. */
export class WriteFailures {
  attempts = 0;
  serverErrors = 0;
  rateLimits = 0;
  tookOthers = false;
  /** What the destination had taken of this run when the request was first sent. */
  readonly deliveredBefore: number;
  #deliveredAtRateLimit: number;

  constructor(deliveredBefore: number) {
    this.deliveredBefore = deliveredBefore;
    this.#deliveredAtRateLimit = deliveredBefore;
  }

  /** @param delivered what the destination has taken of this run by now */
  add(error: Pick<RemoteError, 'class' | 'traits' | 'status'>, delivered: number): void {
    this.attempts++;
    if (error.class === 'transient' && error.status === 500) this.serverErrors++;
    const isAlone = delivered === this.#deliveredAtRateLimit;
    this.rateLimits = error.traits.smaller !== 'when-repeated' ? 0 : isAlone ? this.rateLimits + 1 : 1;
    this.#deliveredAtRateLimit = delivered;
  }
}
