// The range of label sets that a part of a response covers. Both sides divide their responses at the same labels, so what is in a part of one
// side is in the same part of the other: if both are sorted alike. That is checked here for each series.

import { compareLabels } from '../../wire/label-order.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import { Indivisible } from '../read/earlier-series.ts';

export class LabelBorders {
  readonly #from: LabelBytes | undefined;
  readonly #until: LabelBytes | undefined;

  /** @param from the first label set that may be in the part, @param until the first one after it; undefined: no border */
  constructor(from: LabelBytes | undefined, until: LabelBytes | undefined) {
    this.#from = from;
    this.#until = until;
  }

  /** @param labels as they are written. @throws Indivisible if the series does not belong to the part */
  check(labels: LabelBytes): void {
    const isInside =
      (this.#from === undefined || compareLabels(labels, this.#from) >= 0) &&
      (this.#until === undefined || compareLabels(labels, this.#until) < 0);
    if (!isInside) throw new Indivisible('the sides do not sort their series in the same way');
  }
}
