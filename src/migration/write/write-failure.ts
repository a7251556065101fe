// Decides how to react when a write request failed. Pure.

import type { RemoteError } from '../../remote/meaning/remote-error.ts';

/** What is known of a request that failed, this failure included. */
export interface WriteAttempts {
  readonly samples: number;
  /** How many responses to it were a 500 that may be the server's fault. */
  readonly serverErrors: number;
  /** How many 429 responses it got in a row while the destination accepted nothing else of this run. */
  readonly rateLimits: number;
  /** It has more samples than the run's current batch limit. */
  readonly overLimit: boolean;
  /** The destination has accepted other samples since this request was first sent. */
  readonly tookOthers: boolean;
  /** The side that refuses has given good responses before. For some minutes the refusal counts as an outage. */
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
  /** Like `retry`. But if the destination accepts a single sample meanwhile, the request is too large for its rate limit. */
  | 'test-size'
  /** Like `retry`. But if the destination accepts other samples meanwhile, this sample is the cause. */
  | 'test-others'
  /** Use smaller requests from now on, and send this one in halves. */
  | 'shrink'
  /** Send in halves, to find what the destination refuses. */
  | 'divide'
  /** Count these samples as refused. */
  | 'reject'
  | 'fail';

/** This many consecutive 429 responses, while nothing else uses up the limit, may be caused by the request's size. */
export const RATE_LIMITS_BEFORE_SHRINKING = 4;
/** How many 500 responses the same request may get before it is suspected to be the cause. */
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
      // A single sample counts as the cause only if the destination has accepted others meanwhile and refuses it again.
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

export class WriteFailures {
  attempts = 0;
  serverErrors = 0;
  rateLimits = 0;
  tookOthers = false;
  /** What the destination had accepted of this run when the request was first sent. */
  readonly deliveredBefore: number;
  #deliveredAtRateLimit: number;

  constructor(deliveredBefore: number) {
    this.deliveredBefore = deliveredBefore;
    this.#deliveredAtRateLimit = deliveredBefore;
  }

  /** @param delivered what the destination has accepted of this run so far */
  add(error: Pick<RemoteError, 'class' | 'traits' | 'status'>, delivered: number): void {
    this.attempts++;
    if (error.class === 'transient' && error.status === 500) this.serverErrors++;
    const isAlone = delivered === this.#deliveredAtRateLimit;
    this.rateLimits = error.traits.smaller !== 'when-repeated' ? 0 : isAlone ? this.rateLimits + 1 : 1;
    this.#deliveredAtRateLimit = delivered;
  }
}
