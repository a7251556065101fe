// Series for which the destination shows samples that may belong to another series.

import { labelKey } from '../../wire/label-hash.ts';

/** With more series than this, they are no longer distinguished. */
const MAX_SERIES = 10_000;

export class UnclearSeries {
  /** Undefined: all series. */
  #keys: Set<string> | undefined = new Set();

  /** @param labels canonical labels */
  has(labels: Uint8Array): boolean {
    return this.#keys === undefined || this.#keys.has(labelKey(labels));
  }

  add(keys: ReadonlySet<string>): void {
    if (this.#keys === undefined) return;
    for (const key of keys) this.#keys.add(key);
    if (this.#keys.size > MAX_SERIES) this.#keys = undefined;
  }

  addAll(): void {
    this.#keys = undefined;
  }
}
