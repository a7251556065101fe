// Classifies read failures and decides how to react. Pure.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import { WireError } from '../../wire/errors.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';

/**
 * What the exceeded limit counts:
 * - `samples`: samples or chunks; half the time contains half of them
 * - `series`: series; half the time usually contains all of them
 * - `bytes`: bytes of labels and chunks, or something the source does not name
 * - `labels`: spec.limits.memory, most of it taken by labels; half the time contains all of them
 * - `memory`: spec.limits.memory, whatever fills it
 */
export type Limit = 'samples' | 'series' | 'bytes' | 'labels' | 'memory';

/** Failures without a complete response that a shorter window may avoid. */
const SIZE_MAY_BE_THE_CAUSE: ReadonlySet<RemoteCode> = new Set([
  'first-byte-timeout',
  'silence-timeout',
  'too-slow',
  'cut-off',
]);

export type ReadFailure =
  | { readonly kind: 'transient'; readonly responded: boolean }
  | { readonly kind: 'too-large'; readonly limit: Limit; readonly seenNames: readonly string[] }
  /** A 400 with unknown text, or a plain error text inside a 200 body: Cortex reports every failure this way. */
  | { readonly kind: 'ambiguous' }
  /** Bytes were changed or lost in transit: a wrong checksum, a truncated frame, a body that is not a snappy block. */
  | { readonly kind: 'damaged'; readonly problem: string; readonly oversized: boolean }
  /** The response arrived as it was sent (the checksums match, or a plain response has none), but it is invalid. */
  | { readonly kind: 'undecodable'; readonly problem: string; readonly plain: boolean }
  | { readonly kind: 'unknown-encoding' }
  /** `streams`: the source streams, but in a way that does not show whether the response is complete. */
  | { readonly kind: 'unsupported'; readonly streams: boolean }
  | { readonly kind: 'refused' };

export interface ReadAttempts {
  /** Failures of this slice so far, this one included, by kind. */
  readonly transientResponses: number;
  readonly ambiguous: number;
  readonly damaged: number;
  /** How many times in a row this slice has failed with exactly this problem, this time included. */
  readonly sameProblem: number;
  /** Consecutive damaged or undecodable responses, over all slices. */
  readonly badInARow: number;
  /** Whether the source has given any good response in this run. */
  readonly provenSource: boolean;
  /** Whether the source has given a good stream in this run. */
  readonly provenStream: boolean;
  /** The slice was read in a form after which there is no other: SAMPLES, or the only one of a protocol. */
  readonly isLastForm: boolean;
  /** How the slice can be made smaller; undefined if it can't. */
  readonly splitBy: 'time' | 'name' | undefined;
  /** Whether this window resulted from splitting one that had an ambiguous failure. */
  readonly splitForAmbiguity: boolean;
}

export type ReadReaction =
  | 'pause-and-retry'
  | 'pause-and-split'
  | 'split'
  | 'samples-only'
  | 'samples-only-for-the-run'
  | 'fail';

const TRIES_BEFORE_SPLIT = 2;
const TRIES_OF_AMBIGUITY = 3;
/** A response that arrives intact and is invalid in the same way every time reflects what the source has stored. */
const TRIES_OF_STREAM = 3;
const TRIES_OF_PLAIN = 5;
/** Without any good response so far, the URL is probably wrong, or a proxy before the source changes bodies. */
const TRIES_OF_UNPROVEN = 10;
const TRIES_OF_UNSUPPORTED = 5;

export function reactToReadFailure(failure: ReadFailure, attempts: ReadAttempts): ReadReaction {
  const { isLastForm, splitBy } = attempts;
  switch (failure.kind) {
    case 'refused':
      return 'fail';
    case 'too-large':
      return splitBy === undefined ? 'fail' : 'split';
    case 'unknown-encoding':
      return isLastForm ? 'fail' : 'samples-only';
    case 'unsupported':
      if (isLastForm) return 'fail';
      // An ingress that restarts may respond like this once. A source that streamed before must repeat it.
      if (attempts.provenStream && attempts.sameProblem < TRIES_OF_UNSUPPORTED) return 'pause-and-retry';
      return 'samples-only-for-the-run';
    case 'transient':
      // Without any response, the length of the window is not the reason. A 5xx, a timeout or a cut response may be caused by its size.
      if (!failure.responded || attempts.transientResponses < TRIES_BEFORE_SPLIT) return 'pause-and-retry';
      return splitBy === undefined ? 'pause-and-retry' : 'pause-and-split';
    case 'ambiguous': {
      // Cortex returns 400 for transient faults and for limits. Once halving has begun, each shorter window gets one try, the shortest three.
      const tries = attempts.splitForAmbiguity && splitBy === 'time' ? 1 : TRIES_OF_AMBIGUITY;
      if (attempts.ambiguous < tries) return 'pause-and-retry';
      return splitBy === 'time' ? 'split' : 'fail';
    }
    case 'damaged':
      if (!attempts.provenSource && attempts.badInARow >= TRIES_OF_UNPROVEN) return 'fail';
      if (attempts.damaged < TRIES_BEFORE_SPLIT) return 'pause-and-retry';
      if (splitBy === 'time') return 'pause-and-split';
      return failure.oversized && attempts.sameProblem >= TRIES_OF_PLAIN ? 'fail' : 'pause-and-retry';
    case 'undecodable':
      if (!attempts.provenSource && attempts.badInARow >= TRIES_OF_UNPROVEN) return 'fail';
      if (isLastForm || failure.plain) return attempts.sameProblem < TRIES_OF_PLAIN ? 'pause-and-retry' : 'fail';
      return attempts.sameProblem < TRIES_OF_STREAM ? 'pause-and-retry' : 'samples-only';
  }
}

/** How to react when the writer could not decode a window, `times` times in the same way. @param plain the last response was SAMPLES */
export function reactToUndecodable(times: number, plain: boolean): 'retry' | 'samples-only' | 'fail' {
  if (plain) return times < TRIES_OF_PLAIN ? 'retry' : 'fail';
  return times < TRIES_OF_STREAM ? 'retry' : 'samples-only';
}

/**
 * @param received how much of the response had arrived when `error` was thrown: all of it, and of which kind, or a part
 * @throws `error` itself when it is not a read failure
 */
export function toReadFailure(error: unknown, received: 'part' | 'stream' | 'plain'): ReadFailure {
  if (error instanceof DoesNotFit) {
    return { kind: 'too-large', limit: error.labelsDominate ? 'labels' : 'memory', seenNames: error.seenNames };
  }
  if (error instanceof WireError) {
    if (error.code === 'unknown-encoding') return { kind: 'unknown-encoding' };
    if (error.code === 'server-error-text') return { kind: 'ambiguous' };
    const problem = error.message;
    if (received === 'part') return { kind: 'damaged', problem, oversized: error.code === 'too-large' };
    return { kind: 'undecodable', problem, plain: received === 'plain' };
  }
  if (!(error instanceof RemoteError)) throw error;
  switch (error.class) {
    case 'transient':
      return {
        kind: 'transient',
        responded:
          error.traits.smaller !== 'never' && (error.status !== undefined || SIZE_MAY_BE_THE_CAUSE.has(error.code)),
      };
    case 'too-large':
      return { kind: 'too-large', limit: limitOf(error.code), seenNames: [] };
    case 'ambiguous':
    case 'rejected':
      return { kind: 'ambiguous' };
    case 'unsupported':
      return { kind: 'unsupported', streams: error.code === 'unframed-stream' };
    case 'refused':
    case 'aborted':
      return { kind: 'refused' };
  }
}

function limitOf(code: RemoteCode): Limit {
  if (code === 'too-many-samples') return 'samples';
  // M3 truncates a response at its limit of series.
  return code === 'too-many-series' || code === 'results-limited' ? 'series' : 'bytes';
}
