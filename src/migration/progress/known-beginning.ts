// Where a stretch begins, as the run knows it that has divided the range.

import type { Mark } from './progress-mark.ts';

/** What the destination was seen to hold, after it had settled, by a run that has divided the range. */
export interface KnownBeginning {
  readonly mark: Mark | undefined;
  /** Whether there may be samples behind the mark. */
  readonly mayHoldSamples: boolean;
  /** Whether another stretch has seen that the destination shows marks. */
  readonly marksAreShown: boolean;
}
