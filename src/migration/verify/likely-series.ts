// Recognizes the series of one response in another one that has nearly the same series in the same order, so that neither their labels have to
// be checked nor their hashes computed a second time.

import { compareLabels } from '../../wire/label-order.ts';
import { canonicalLabels } from '../../wire/labels.ts';
import type { SourcePart } from '../read/window-part.ts';

const NONE = -1;

export class LikelySeries {
  readonly #part: Pick<SourcePart, 'cursors' | 'outline'>;
  #response = 0;
  #entry = NONE;
  /** Of the entry. Undefined before the first one and after the last one. */
  #labels: Uint8Array | undefined;

  /** Rewinds the part's cursors and moves them. */
  constructor(part: Pick<SourcePart, 'cursors' | 'outline'>) {
    this.#part = part;
    part.cursors[0]?.rewind();
    this.#next();
  }

  /**
   * The calls follow the order of the other response. A series that is not found costs time, but nothing else.
   * @param shown labels as they are in the other response
   * @returns the hash of these labels, which then are canonical, and which the part writes unchanged; −1 if the series is not found
   */
  hashOf(shown: Uint8Array): number {
    if (this.#labels === undefined) return NONE;
    if (Buffer.compare(this.#labels, shown) !== 0 && !this.#catchUp(shown)) return NONE;
    const hash = this.#part.outline.hashes[this.#entry] as number;
    this.#next();
    return hash;
  }

  /** Passes the series that come before the other one. */
  #catchUp(shown: Uint8Array): boolean {
    const wanted = canonicalLabels(shown);
    if (wanted !== shown) return false;
    while (this.#labels !== undefined) {
      const isCanonical = (this.#part.outline.hashes[this.#entry] as number) !== NONE;
      const order = isCanonical ? compareLabels(this.#labels, wanted) : -1;
      if (order >= 0) return order === 0;
      this.#next();
    }
    return false;
  }

  #next(): void {
    const { cursors } = this.#part;
    this.#entry++;
    for (let cursor = cursors[this.#response]; cursor !== undefined; cursor = cursors[this.#response]) {
      if (cursor.next()) {
        this.#labels = cursor.labels;
        return;
      }
      cursor.rewind();
      cursors[++this.#response]?.rewind();
    }
    this.#labels = undefined;
  }
}
