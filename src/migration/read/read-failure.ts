// What went wrong with a read, and what to do about it. Pure; window-planner.ts keeps the counts and carries the reaction out.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';
import { DoesNotFit } from '../../remote/does-not-fit.ts';

/**
 * What the limit counts that a response is over:
 * - `samples`: samples or chunks, of which half the time has half
 * - `series`: series, of which half the time mostly has all
 * - `bytes`: bytes of labels and chunks, or something the source does not name
 * - `labels`: spec.limits.memory, and labels alone take most of it: half the time has all of them
 * - `memory`: spec.limits.memory, whatever fills it
 */
export type Limit = 'samples' | 'series' | 'bytes' | 'labels' | 'memory';

export type ReadFailure =
  | { readonly kind: 'transient'; readonly responded: boolean }
  | { readonly kind: 'too-large'; readonly limit: Limit; readonly seenNames: readonly string[] }
  /** A 400 of unknown text, or a plain error text inside a 200 body: Cortex reports everything this way. */
  | { readonly kind: 'ambiguous' }
  /** Bytes changed or missing on the way: a wrong checksum, a truncated frame, a body that is no snappy block. */
  | { readonly kind: 'damaged'; readonly problem: string; readonly oversized: boolean }
  /** It arrived as it was sent (the checksums are right, or a plain response has none), but it makes no sense. */
  | { readonly kind: 'undecodable'; readonly problem: string; readonly plain: boolean }
  | { readonly kind: 'unknown-encoding' }
  /** `streams`: the source does stream, but not in a way that shows whether the response is whole. */
  | { readonly kind: 'unsupported'; readonly streams: boolean }
  | { readonly kind: 'refused' };

export interface ReadAttempts {
  /** Failures of this slice so far, this one included, by kind. */
  readonly transientResponses: number;
  readonly ambiguous: number;
  readonly damaged: number;
  /** How often in a row this slice has failed with the very same problem, this time included. */
  readonly sameProblem: number;
  /** Damaged or undecodable responses in a row, of whatever slice. */
  readonly badInARow: number;
  /** Whether the source has given any good response in this run. */
  readonly provenSource: boolean;
  /** Whether it has given a good stream. */
  readonly provenStream: boolean;
  readonly samplesOnly: boolean;
  /** How the slice could be made smaller; undefined when it is the smallest there is. */
  readonly splitBy: 'time' | 'name' | undefined;
  /** Whether this window is already the result of splitting one that had an ambiguous failure. */
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
/** A response that arrives intact and is wrong in the same way every time is what the source has. */
const TRIES_OF_STREAM = 3;
const TRIES_OF_PLAIN = 5;
/** A source that has never given a good response is more likely the wrong place, or has a proxy before it that changes bodies. */
const TRIES_OF_UNPROVEN = 10;
const TRIES_OF_UNSUPPORTED = 5;

export function reactToReadFailure(failure: ReadFailure, attempts: ReadAttempts): ReadReaction {
  const { samplesOnly, splitBy } = attempts;
  switch (failure.kind) {
    case 'refused':
      return 'fail';
    case 'too-large':
      return splitBy === undefined ? 'fail' : 'split';
    case 'unknown-encoding':
      return samplesOnly ? 'fail' : 'samples-only';
    case 'unsupported':
      if (samplesOnly) return 'fail';
      // An ingress that restarts may say so once; a source that streamed before is believed when it repeats it.
      if (attempts.provenStream && attempts.sameProblem < TRIES_OF_UNSUPPORTED) return 'pause-and-retry';
      return 'samples-only-for-the-run';
    case 'transient':
      // Nothing came back: the length of the window is not the reason. A 5xx, a timeout or a cut response may well be its size.
      if (!failure.responded || attempts.transientResponses < TRIES_BEFORE_SPLIT) return 'pause-and-retry';
      return splitBy === undefined ? 'pause-and-retry' : 'pause-and-split';
    case 'ambiguous': {
      // Cortex returns 400 to passing faults and to limits alike. Once halving has begun, each shorter window gets one try, the shortest three.
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
      if (samplesOnly || failure.plain) return attempts.sameProblem < TRIES_OF_PLAIN ? 'pause-and-retry' : 'fail';
      return attempts.sameProblem < TRIES_OF_STREAM ? 'pause-and-retry' : 'samples-only';
  }
}

/** What to do about a window that the writer could not decode, the same way `times` times. @param plain the last one was read as SAMPLES */
export function reactToUndecodable(times: number, plain: boolean): 'retry' | 'samples-only' | 'fail' {
  if (plain) return times < TRIES_OF_PLAIN ? 'retry' : 'fail';
  return times < TRIES_OF_STREAM ? 'retry' : 'samples-only';
}

/**
 * @param received how much of the response was there when `error` was thrown: whole and of which kind, or only a part
 * @throws `error` itself when it is no failure of a read
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
        responded: error.status !== undefined || /cut-off|silence|too-slow|first-byte/.test(error.code),
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

function limitOf(code: string): Limit {
  if (code === 'too-many-samples') return 'samples';
  // M3 cuts a response short by its limit of series.
  return code === 'too-many-series' || code === 'results-limited' ? 'series' : 'bytes';
}
