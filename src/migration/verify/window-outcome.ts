// What the comparison of one window has found so far. It counts only when the whole window has been compared: a response that turns out to be
// undecodable is read again.

import { type LabelBytes, metricName } from '../../wire/labels.ts';
import type { VerificationCounts } from '../report/verification.ts';
import type { DestinationPart } from './destination-reader.ts';
import type { MetricNames } from './metric-names.ts';
import { type DifferingRange, RecheckDraft } from './rechecks.ts';
import type { SeriesTally } from './sample-comparison.ts';
import { addCounts, addTally, noCounts } from './verification-counts.ts';

export class WindowOutcome {
  /** Of the series that need no other look. */
  readonly counts: VerificationCounts = noCounts();
  readonly #differing: RecheckDraft[] = [];
  /** By metric in the destination: series that no part of the window has completely. */
  readonly #left = new Map<string, RecheckDraft>();
  #namesVersion = Number.POSITIVE_INFINITY;

  /** The next part of the window. */
  begin(part: { fromMs: number; toMs: number; companion?: Pick<DestinationPart, 'names'> }): void {
    // Parts of one response, and portions by name, are looked at again together: each look reads the range.
    if (this.#differing.at(-1)?.covers(part) !== true) this.#differing.push(new RecheckDraft(part));
    this.#namesVersion = Math.min(this.#namesVersion, part.companion?.names?.version ?? Number.POSITIVE_INFINITY);
  }

  /** Leaves a series that has to be read as a whole. */
  leave(window: { fromMs: number; toMs: number }, labels: LabelBytes, hash: number): void {
    const name = metricName(labels);
    const draft = this.#left.get(name) ?? new RecheckDraft(window);
    this.#left.set(name, draft);
    draft.add(hash, [], 0);
  }

  /** Whether all parts were compared with the same knowledge of the metrics. */
  knew({ version }: Pick<MetricNames, 'version'>): boolean {
    return this.#namesVersion >= version;
  }

  /** The series that were left: a range for each metric of the destination. */
  leftRanges(names: Pick<MetricNames, 'sourcesOf'>): DifferingRange[] {
    return [...this.#left].map(([name, draft]) => ({ ...draft.finish(), names: names.sourcesOf(name) }));
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

  /** One for each range with series that differ. */
  get differing(): DifferingRange[] {
    return this.#differing.filter((draft) => !draft.isEmpty).map((draft) => draft.finish());
  }
}
