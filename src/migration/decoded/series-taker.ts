// What may take series as soon as they arrive, so that they need not be kept.

import type { LabelBytes } from '../../wire/labels.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';
import type { StoredSeries } from './stored-series.ts';

export interface SeriesTaker {
  /**
   * Offers a series, which is valid during the call.
   * @param mayContinue more of it may follow in the same response
   * @param hash of the labels, as `hashLabels`, if it is known; then they are canonical
   * @returns false if it has to be kept
   */
  take(labels: LabelBytes, columns: SampleColumns, mayContinue?: boolean, hash?: number): boolean;
}

/** Where the series of a response go. */
export interface Keeping {
  readonly arriving: SeriesTaker | undefined;
  /** Reserves memory before it is used; throws when there is not enough. */
  readonly grow: (bytes: number) => Promise<void>;
  /** Gives back what `grow` reserved. */
  readonly shrink: (bytes: number) => void;
  /** What is not taken is kept here. By default in memory of its own. */
  readonly store?: StoredSeries;
}
