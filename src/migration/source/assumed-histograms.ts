// Native histograms of a query API whose buckets may be exponential or custom. They are copied as exponential ones, and reported. Pure but for the
// reports.

import type { Assumption } from '../../remote/histogram-kinds.ts';
import { encodeLabels } from '../../wire/labels.ts';
import { formatLabels } from '../../wire/label-text.ts';
import type { MigrationObserver } from '../report/observer.ts';

export class AssumedHistograms {
  readonly #observer: Pick<MigrationObserver, 'event'>;
  #first: Assumption['metric'] = {};
  #histograms = 0;
  #reported = 0;

  constructor(observer: Pick<MigrationObserver, 'event'>) {
    this.#observer = observer;
  }

  /** There may be some in each of thousands of windows: the first ones are reported, and whenever there are twice as many. */
  add(assumed: Assumption | undefined): void {
    if (assumed === undefined) return;
    if (this.#histograms === 0) this.#first = assumed.metric;
    this.#histograms += assumed.histograms;
    if (this.#histograms >= 2 * this.#reported) this.#report();
  }

  /** Reports what was added since. */
  end(): void {
    if (this.#histograms > this.#reported) this.#report();
  }

  #report(): void {
    this.#reported = this.#histograms;
    const series = formatLabels(encodeLabels(Object.entries(this.#first)));
    const message = `${this.#histograms} native histograms so far, the first of ${series}, have bounds that fit exponential and custom buckets: they are copied with exponential ones, which have the same bounds and counts`;
    this.#observer.event({ type: 'warning', code: 'histogram-buckets-assumed', message });
  }
}
