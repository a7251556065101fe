// What the comparison of one window has found so far. It counts only when the whole window has been compared: a response that turns out to be
// undecodable is read again.

import { type LabelBytes, metricName } from '../../wire/labels.ts';
import type { VerificationCounts } from '../report/verification.ts';
import { type DifferingRange, RecheckDraft } from './rechecks.ts';
import type { SeriesTally } from './sample-comparison.ts';
import { addCounts, addTally, noCounts } from './verification-counts.ts';

export class WindowOutcome {
  /** Of the series that need no other look. */
  readonly counts: VerificationCounts = noCounts();
  readonly #differing: RecheckDraft[] = [];

  /** The next part of the window. */
  begin(part: { fromMs: number; toMs: number }): void {
    this.#differing.push(new RecheckDraft(part));
  }

  /** Counts a series of the part. */
  settle(tally: SeriesTally): void {
    addTally(this.counts, tally);
  }

  /** Counts the series of the part that were compared on arrival. */
  settleAll(counts: VerificationCounts): void {
    addCounts(this.counts, counts);
  }

  /** Leaves a series of the part for another look. */
  defer(hash: number, tally: SeriesTally, sources: readonly LabelBytes[]): void {
    this.#differing.at(-1)?.add(hash, sources.map(metricName), tally.missing);
  }

  /** One for each part with series that differ. */
  get differing(): DifferingRange[] {
    return this.#differing.filter((draft) => !draft.isEmpty).map((draft) => draft.finish());
  }
}
