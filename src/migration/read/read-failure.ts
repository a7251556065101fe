// What to do when reading a window failed. Pure; source-reader.ts acts on it.

export type ReadFailure =
  /** RemoteError classes, as far as a read can have them. */
  | { readonly kind: 'transient'; readonly answered: boolean }
  | { readonly kind: 'too-large' }
  /** A 400 of unknown text, or a plain error text inside a 200 body: Cortex says everything this way. */
  | { readonly kind: 'ambiguous' }
  /** The bytes were wrong: checksum, truncated frame, a chunk that can't be decoded. */
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'unknown-encoding' }
  | { readonly kind: 'refused' };

export interface ReadAttempts {
  /** Failures of this very window so far, this one included, by kind. */
  readonly transientAnswers: number;
  readonly ambiguous: number;
  readonly corrupt: number;
  readonly samplesOnly: boolean;
  readonly canSplitByTime: boolean;
  readonly canSplitByName: boolean;
  /** Whether this window is already the result of splitting one that had an ambiguous failure. */
  readonly splitForAmbiguity: boolean;
}

export type ReadReaction = 'pause-and-retry' | 'pause-and-split' | 'split' | 'samples-only' | 'fail';

export function reactToReadFailure(failure: ReadFailure, attempts: ReadAttempts): ReadReaction {
  const canSplit = attempts.canSplitByTime || attempts.canSplitByName;
  switch (failure.kind) {
    case 'refused':
      return 'fail';
    case 'too-large':
      return canSplit ? 'split' : 'fail';
    case 'unknown-encoding':
      return attempts.samplesOnly ? 'fail' : 'samples-only';
    case 'transient':
      // Nothing came back: the length of the window is not the reason. A 5xx, a timeout or a cut answer may well be its size.
      if (!failure.answered || attempts.transientAnswers < 2 || !canSplit) return 'pause-and-retry';
      return 'pause-and-split';
    case 'ambiguous':
      // Cortex answers 400 to passing faults and to limits alike; once halving has begun each shorter window gets one try.
      if (attempts.ambiguous < 3 && !attempts.splitForAmbiguity) return 'pause-and-retry';
      return attempts.canSplitByTime ? 'split' : 'fail';
    case 'corrupt':
      if (attempts.corrupt < 2) return 'pause-and-retry';
      return attempts.samplesOnly ? 'fail' : 'samples-only';
  }
}
